"""Recordings and typed commands are deleted when their time is over."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId
from core.rounds import Rounds
from orchestrator.service import Exercises
from orchestrator.session_repository import SessionRepository

log = structlog.get_logger()

_ROUND = timedelta(hours=1)


class Retention:
    """Deletes what is older than the site keeps it, or the scenario when that is shorter.

    A round an hour however often it is called; the row of a session tells that it was deleted.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        *,
        folder: Path,
        kept: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._folder = folder
        self._kept = kept
        self._rounds = Rounds(clock, every=_ROUND)

    def sweep(self) -> None:
        """Make a round if one is due."""
        if not self._rounds.is_due():
            return
        now = self._clock.now()
        with self._database.reading() as session:
            exercises = SessionRepository(session).exercises_with_something_kept()
        for exercise in exercises:
            self._delete_of(exercise, now)
        self._delete_strays(now)

    def _delete_of(self, exercise: ExerciseId, now: datetime) -> None:
        over = now - self._kept_of(exercise)
        while True:
            with self._database.transaction() as transaction:
                repository = SessionRepository(transaction.session)
                due = repository.over_before(exercise, over)
                # The files first: a row that says deleted is then true whatever happens next.
                self._delete_casts(exercise, due)
                repository.delete_kept(due, at=now)
            if not due:
                return
            log.info("recordings.deleted", exercise=exercise, sessions=len(due))

    def _kept_of(self, exercise: ExerciseId) -> timedelta:
        scenario = self._exercises.scenario(self._exercises.get(exercise)).scenario
        own = scenario.privacy.recordings
        return self._kept if own is None else min(own, self._kept)

    def _delete_casts(self, exercise: ExerciseId, sessions: Sequence[str]) -> None:
        for session in sessions:
            (self._folder / exercise / f"{session}.cast").unlink(missing_ok=True)

    def _delete_strays(self, now: datetime) -> None:
        """Delete recordings of which no session knows, when even the site's time is over."""
        for cast in self._folder.glob("*/*.cast"):
            written = datetime.fromtimestamp(cast.lstat().st_mtime, UTC)
            if written < now - self._kept - _ROUND:
                cast.unlink(missing_ok=True)
                log.info("recording.stray_deleted", file=cast.name)
