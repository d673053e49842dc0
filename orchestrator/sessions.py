"""Sessions in hosts as they were: written down for the gateway, read by those who teach."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import select

from core.clock import Clock
from core.db import Database, Transaction
from core.errors import Fault, PoligonError
from core.ids import UserId
from core.users.tables import UserRow
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import PERMITS, Act
from orchestrator.journal import Journal
from orchestrator.knocks import told_of, told_of_fault
from orchestrator.repository import ExerciseRepository
from orchestrator.session_repository import SessionRepository
from orchestrator.session_views import PastSession, SessionDetails
from orchestrator.terminal.book import (
    Began,
    LoginsFailed,
    Note,
    NotServed,
    OfSession,
    RecordingStopped,
    TurnedAway,
)

log = structlog.get_logger()

# A room that cannot get in, or somebody who guesses on, is one event.
_TOLD_AGAIN = timedelta(minutes=10)


class SessionUnknownError(PoligonError):
    """There is no session of that id."""

    code = "session.unknown"
    fault = Fault.MISSING


class RecordingAbsentError(PoligonError):
    """A session has no recording to be read."""

    code = "recording.absent"
    fault = Fault.MISSING


class RecordingChangedError(PoligonError):
    """A recording is not what was recorded: its file differs from its digest, or is gone."""

    code = "recording.changed"
    fault = Fault.CONFLICT


class Sessions:
    """What is kept of sessions; recordings are files in `folder`, a folder an exercise."""

    def __init__(self, database: Database, clock: Clock, *, folder: Path) -> None:
        self._database = database
        self._clock = clock
        self._journal = Journal(database, clock)
        self.folder = folder

    def write(self, notes: Sequence[Note]) -> None:
        """Write notes down, all or none; those of no session that is known are left out.

        Writing some again changes nothing. Raises DatabaseUnavailableError.
        """
        with self._database.transaction() as transaction:
            for note in notes:
                if isinstance(note, LoginsFailed | TurnedAway):
                    self._tell_of_knocks(transaction, note)
                elif not self._wrote(transaction, note):
                    log.warning("session.not_ours", session=note.session)

    def find(
        self,
        exercise: Exercise,
        *,
        team: str = "",
        user: str = "",
        host: str = "",
        before: str = "",
        limit: int = 100,
    ) -> tuple[PastSession, ...]:
        """Return sessions of an exercise, newest first; older than the one of the id `before`.

        Raises SessionUnknownError.
        """
        last = self.get(before) if before else None
        with self._database.reading() as session:
            return SessionRepository(session).find(
                exercise.id, team=team, user=user, host=host, before=last, limit=limit
            )

    def get(self, session: str) -> PastSession:
        """Return a session; raises SessionUnknownError."""
        with self._database.reading() as reading:
            found = SessionRepository(reading).get(session)
        if found is None:
            raise SessionUnknownError(
                f"there is no session {session!r}",
                hint="`poligon exercise sessions NAME` lists those of an exercise",
            )
        return found

    def without_digest(self) -> tuple[PastSession, ...]:
        """Return the sessions that are or were recorded and whose recording is not complete."""
        with self._database.reading() as session:
            return SessionRepository(session).without_digest()

    def details(
        self, exercise: Exercise, sessions: Sequence[PastSession]
    ) -> tuple[SessionDetails, ...]:
        """Return sessions of an exercise with what was done in them, in their order."""
        elapsed = {t.slug: partial(exercise.elapsed, team=t.id) for t in exercise.teams}
        with self._database.reading() as reading:
            return SessionRepository(reading).details(sessions, elapsed)

    def cast(self, session: PastSession) -> bytes:
        """Return a session's recording, asciicast v2, exactly as it was recorded.

        Raises RecordingAbsentError, saying why there is none; RecordingChangedError.
        """
        if session.recording is None or session.deleted is not None:
            raise RecordingAbsentError(_why_absent(session))
        path = self.folder / session.exercise / session.recording.file
        try:
            found = path.read_bytes()
        except OSError as error:
            raise _changed(path, f"cannot be read: {error.strerror}") from error
        if hashlib.sha256(found).hexdigest() != session.recording.sha256:
            raise _changed(path, "was changed since it was recorded: its SHA-256 is another")
        return found

    def _wrote(self, transaction: Transaction, note: Began | OfSession) -> bool:
        """Tell whether a note is of a session that is known, and was written."""
        repository = SessionRepository(transaction.session)
        if isinstance(note, Began):
            exercise = ExerciseRepository(transaction.session).find(note.host.world.exercise)
            team = exercise.team(note.host.world.team) if exercise is not None else None
            if exercise is None or team is None:
                return False
            repository.began(note, exercise=exercise, team=team)
            return True
        session = repository.get(note.session)
        if session is None:
            return False
        if isinstance(note, RecordingStopped) and not session.unrecorded:
            told = f"The terminal of {session.login} on {session.host} is not recorded: {note.why}"
            self._tell(transaction, session, "recording.stopped", told)
        if isinstance(note, NotServed):
            act, told = told_of_fault(session, note)
            self._tell(transaction, session, act, told, once_in=_TOLD_AGAIN)
        repository.add(note)
        return True

    def _tell(
        self,
        transaction: Transaction,
        found: PastSession,
        act: str,
        told: str,
        *,
        once_in: timedelta = timedelta(),
    ) -> None:
        """Write in the journal of a session's exercise, for its instructors, about its host."""
        exercise = ExerciseRepository(transaction.session).find(found.exercise)
        assert exercise is not None  # the row's foreign key
        team = exercise.team(found.team)
        assert team is not None  # as above
        self._note(transaction, exercise, team, act, told, subject=found.host, once_in=once_in)

    def _tell_of_knocks(self, transaction: Transaction, note: LoginsFailed | TurnedAway) -> None:
        """Write it in the journal of the exercise that they play; a stranger's is nobody's."""
        session = transaction.session
        user = session.scalar(select(UserRow.id).where(UserRow.name == note.name))
        if user is None:
            return
        own = ExerciseRepository(session).of_member(UserId(user))
        standing = [exercise for exercise in own if Act.STAND in PERMITS[exercise.phase]]
        for exercise in standing or own[:1]:
            team = exercise.team_of(UserId(user))
            assert team is not None  # the query asked for the member's exercises
            act, told = told_of(note)
            # How often more is told by who counted, no oftener than this.
            is_count = isinstance(note, TurnedAway) and note.count > 1
            once_in = timedelta() if is_count else _TOLD_AGAIN
            self._note(transaction, exercise, team, act, told, subject=note.name, once_in=once_in)

    def _note(
        self,
        transaction: Transaction,
        exercise: Exercise,
        team: Team,
        act: str,
        told: str,
        *,
        subject: str,
        once_in: timedelta,
    ) -> None:
        since = self._clock.now() - once_in
        if once_in and self._journal.told_since(
            transaction.session, exercise.id, act, team=team.id, subject=subject, since=since
        ):
            return
        self._journal.note(transaction, exercise, act, told, team=team.id, subject=subject)


def _why_absent(session: PastSession) -> str:
    if session.deleted is not None and (session.recording or not session.unrecorded):
        return f"the recording's time was over; it was deleted on {session.deleted:%Y-%m-%d}"
    if session.unrecorded:
        return f"this session was not recorded: {session.unrecorded}"
    if session.ended is None:
        return "the recording goes on, or its gateway was killed; it can be read once it is whole"
    return "the recording was not completed"


def _changed(path: Path, what: str) -> RecordingChangedError:
    return RecordingChangedError(
        f"the recording {path} {what}",
        hint="Do not rely on it; a copy from a backup with the same SHA-256 can take its place",
    )
