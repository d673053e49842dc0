"""Exercises as they were a moment ago, for looks that come by the dozen in a second."""

import threading
import time
from datetime import timedelta

from orchestrator.domain.exercise import Exercise
from scoring.ports import Exercises

_MOST = 256


class RecentExercises:
    """Reads an exercise again only when what it knows is older than `reuse`.

    Whoever writes something down asks the database for what must be so, under the team's lock.
    """

    def __init__(self, exercises: Exercises, reuse: timedelta) -> None:
        self._exercises = exercises
        self._reuse = reuse.total_seconds()
        self._known: dict[str, tuple[float, Exercise]] = {}
        self._lock = threading.Lock()

    def get(self, exercise_id: str) -> Exercise:
        """Return an exercise as it was `reuse` ago at most."""
        if not self._reuse:
            return self._exercises.get(exercise_id)
        with self._lock:  # one reads, and the others wait for it
            read_at, known = self._known.get(exercise_id, (0.0, None))
            now = time.monotonic()
            if known is None or now - read_at > self._reuse:
                known = self._exercises.get(exercise_id)
                if len(self._known) >= _MOST:
                    self._known.clear()
                self._known[exercise_id] = (now, known)
            return known
