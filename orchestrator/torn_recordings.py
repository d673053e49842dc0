"""Recordings that a gateway left behind when it was killed: closed, and handed out as they are."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import structlog

from core.clock import Clock
from core.rounds import Rounds
from orchestrator.session_views import PastSession
from orchestrator.sessions import Sessions
from orchestrator.terminal.book import CastKept, Ended, Note, RecordingStopped
from orchestrator.terminal.ending import CANNOT_SERVE

log = structlog.get_logger()

_ROUND = timedelta(minutes=1)
# What a gateway that lives has just completed may not have come to the database yet.
_LEFT_ALONE = timedelta(minutes=5)
_WHY = "its gateway was killed; the recording ends there"
_COMPLETE = b'"m","ended with '


class TornRecordings:
    """Closes what nobody writes any more, a round a minute however often it is called."""

    def __init__(self, sessions: Sessions, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock
        self._rounds = Rounds(clock, every=_ROUND)

    def sweep(self) -> None:
        """Make a round if one is due."""
        if not self._rounds.is_due():
            return
        for session in self._sessions.without_digest():
            if notes := self._closed(session):
                self._sessions.write(notes)
                log.warning("recording.closed", session=session.id)

    def _closed(self, session: PastSession) -> list[Note]:
        """Return what is to be written of a recording that is closed now, if it is."""
        path = self._sessions.folder / session.exercise / f"{session.id}.cast"
        with suppress(FileNotFoundError, BlockingIOError), _held(path.as_posix()) as file:
            last = datetime.fromtimestamp(os.fstat(file).st_mtime, UTC)
            if self._clock.now() - last < _LEFT_ALONE:
                return []
            found = _whole_lines(file)
            digest = hashlib.sha256(found).hexdigest()
            kept = CastKept(session=session.id, file=path.name, size=len(found), sha256=digest)
            if _COMPLETE in found.rpartition(b"\n[")[2]:
                return [kept]
            notes: list[Note] = [RecordingStopped(session=session.id, at=last, why=_WHY), kept]
            if session.ended is None:
                ended = Ended(session=session.id, at=last, code=CANNOT_SERVE, how=_WHY)
                notes.append(ended)
            return notes
        return []


@contextmanager
def _held(path: str) -> Iterator[int]:
    """Lend a recording; raises BlockingIOError while a gateway writes it, which holds its lock."""
    file = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield file
    finally:
        os.close(file)


def _whole_lines(file: int) -> bytes:
    """Return what a recording has, after a line that broke off at its end was taken away."""
    with os.fdopen(os.dup(file), "rb") as reader:
        found = reader.read()
    whole = found[: found.rfind(b"\n") + 1]
    if len(whole) < len(found):
        os.ftruncate(file, len(whole))
    return whole
