"""Boards at hand: made by whoever finds one old, at most so often, and read by everybody."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from core.clock import Clock
from core.db import Database
from core.errors import PoligonError
from core.ids import ExerciseId, UserId
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Act
from orchestrator.service import ExerciseUnknownError
from scoring.boards.making import BoardMaking, Snapshot
from scoring.domain.boards import Audience
from scoring.ports import Exercises

# A board that took so long to make is left alone for so many times as long, or as many times that
# as processes make it: whatever is booked and however many read, it takes a tenth of a processor.
_REST = 9
# As it was still so: looks that find nothing new take a hundredth.
_REST_IF_STILL_SO = 99
_LONGEST_REST = timedelta(seconds=0.5)
# For so long one that is old is still handed out while a newer one is made.
_STILL_GOOD = timedelta(seconds=1)
_EXERCISES_KEPT = 16


@dataclass(frozen=True, slots=True)
class _Known:
    """An exercise as far as it never changes: its teams and who is in them."""

    exercise: Exercise
    members: frozenset[UserId]

    def is_visible_to(self, user: User) -> bool:
        """Tell whether somebody sees it: staff, and whoever is in a team."""
        return user.sees_results or user.id in self.members


@dataclass(slots=True)
class _Kept:
    """The last board of one audience, and until when nobody looks for a newer one."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    snapshot: Snapshot | None = None
    looked_at: datetime | None = None
    rests_until: datetime | None = None
    is_wanted: bool = False

    def at_hand(self, now: datetime) -> Snapshot | None:
        """Return the board while it rests; a wall clock that was set back ends that."""
        if self.looked_at is None or self.rests_until is None:
            return None
        return self.snapshot if self.looked_at <= now < self.rests_until else None

    def has_just_rested(self, now: datetime) -> bool:
        """Tell whether its rest ended a moment ago."""
        if self.looked_at is None or self.rests_until is None:
            return False
        return self.looked_at < self.rests_until <= now < self.looked_at + _STILL_GOOD


class Boards:
    """The boards of exercises, each about a second older than what was last booked at most."""

    def __init__(
        self, database: Database, clock: Clock, exercises: Exercises, *, servers: int = 1
    ) -> None:
        """`servers` is how many processes of the site make boards that are read."""
        self._clock = clock
        self._servers = servers
        self._exercises = exercises
        self._making = BoardMaking(database, clock, exercises)
        self._known: dict[str, _Known] = {}
        self._kept: dict[tuple[ExerciseId, Audience], _Kept] = {}
        self._maker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="boards")

    def visible_to(self, user: User, name: str) -> Exercise:
        """Return an exercise that `user` may see, as it was when this process first saw it.

        What a board needs of it never changes, so nothing is read. Raises ExerciseUnknownError.
        """
        known = self._of(name)
        if known.is_visible_to(user):
            return known.exercise
        raise ExerciseUnknownError(name)

    def at_hand(self, user: User, name: str, audience: Audience) -> Snapshot | None:
        """Return a board if nothing has to be read or waited for.

        One that has just rested is made anew for those who ask next. Called by the server's loop.
        """
        known = self._known.get(name)
        if known is None or not known.is_visible_to(user):
            return None
        kept = self._kept.get((known.exercise.id, audience))
        if kept is None:
            return None
        now = self._clock.now()
        resting = kept.at_hand(now)
        if resting is not None or kept.lock.locked():
            return resting or kept.snapshot
        if not kept.has_just_rested(now):
            return None
        if not kept.is_wanted:
            kept.is_wanted = True
            self._maker.submit(self._make, known.exercise.id, audience, kept)
        return kept.snapshot

    def latest(self, exercise: ExerciseId, audience: Audience) -> Snapshot:
        """Return a board; of many that ask at once for a new one, one makes it.

        Raises ExerciseUnknownError.
        """
        key = (exercise, audience)
        kept = self._kept.get(key) or self._kept.setdefault(key, _Kept())
        rests = kept.at_hand(self._clock.now())
        if rests is not None:
            return rests
        last = kept.snapshot
        if not kept.lock.acquire(blocking=last is None):
            assert last is not None  # without one it waited
            return last
        try:
            begun = self._clock.now()
            # Whoever waited for the first one finds it made.
            return kept.at_hand(begun) or self._look(exercise, audience, kept, begun)
        finally:
            kept.lock.release()

    def sweep(self) -> int:
        """Keep the boards of exercises whose freeze has come, though nobody looks; return those."""
        now, frozen = self._clock.now(), 0
        for exercise in self._exercises.permitting(Act.ANSWER):
            freeze = self._exercises.scenario(exercise).scenario.end.freeze
            if freeze is not None and exercise.elapsed(now) >= freeze:
                for audience in (Audience.TEAM, Audience.PUBLIC):
                    self.latest(exercise.id, audience)
                frozen += 1
        return frozen

    def rebuild(self, exercise: ExerciseId) -> None:
        """Drop the boards of an exercise and make them again; those of a freeze stay."""
        self._making.drop(exercise)
        for audience in Audience:
            self._kept.pop((exercise, audience), None)
            self.latest(exercise, audience)

    def _make(self, exercise: ExerciseId, audience: Audience, kept: _Kept) -> None:
        try:
            with suppress(PoligonError):  # it gets too old, and who asks then is told
                self.latest(exercise, audience)
        finally:
            kept.is_wanted = False

    def _look(
        self, exercise: ExerciseId, audience: Audience, kept: _Kept, begun: datetime
    ) -> Snapshot:
        found = self._making.made(self._of(exercise).exercise, audience, kept.snapshot)
        _ = found.packed  # now, by who made it, and not by who hands it out
        ended = self._clock.now()
        times = _REST_IF_STILL_SO if found is kept.snapshot else _REST
        kept.snapshot, kept.looked_at = found, ended
        kept.rests_until = ended + min(_LONGEST_REST, (ended - begun) * times * self._servers)
        return found

    def _of(self, name_or_id: str) -> _Known:
        known = self._known.get(name_or_id)
        if known is None:
            exercise = self._exercises.get(name_or_id)
            members = frozenset(m.user for team in exercise.teams for m in team.members)
            known = _Known(exercise, members)
            self._make_room()
            self._known[exercise.id] = self._known[exercise.name] = known
        return known

    def _make_room(self) -> None:
        if len(self._known) >= 2 * _EXERCISES_KEPT:
            self._known.clear()
            self._kept.clear()
            self._making.forget()
