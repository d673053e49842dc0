"""A session book that writes later: no session waits for a database, or ends with it."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from core.errors import Fault, PoligonError
from orchestrator.terminal.book import Note

_log = structlog.get_logger()

_MOST_WAITING = 20_000
_AT_ONCE = 200
_HURRY_SECONDS = 0.1

Write = Callable[[Sequence[Note]], None]


class Notebook:
    """Keeps notes in memory until they are written, in their order, by a thread of its own.

    While the database is away they wait, up to 20 000; what comes then is lost, and a log line
    says how much. A note that cannot be written at all is dropped, with a log line.
    """

    def __init__(self, write: Write, *, retry: timedelta = timedelta(seconds=2)) -> None:
        self._write = write
        self._retry_seconds = retry.total_seconds()
        self._waiting: deque[Note] = deque()
        self._lost = 0
        self._changed = threading.Condition()
        self._closing = self._given_up = False
        self._thread = threading.Thread(target=self._work, name="session-book", daemon=True)
        self._thread.start()

    def note(self, note: Note) -> None:
        """Take a note; it is written soon."""
        with self._changed:
            if len(self._waiting) >= _MOST_WAITING:
                self._lost += 1
                return
            self._waiting.append(note)
            self._changed.notify()

    def close(self, *, within: timedelta = timedelta(seconds=5)) -> None:
        """Write what waits, if the database lets us in that time, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(within.total_seconds())
        self._given_up = True
        if self._waiting:
            _log.error("session.notes_lost", count=len(self._waiting))

    def _work(self) -> None:
        while not self._given_up and (batch := self._next()):
            if self._wrote(batch):
                self._drop(len(batch))
            else:
                with self._changed:
                    self._changed.wait(_HURRY_SECONDS if self._closing else self._retry_seconds)

    def _next(self) -> list[Note]:
        """Return what is to be written now, or nothing when it is over."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if self._lost:
                _log.error("session.notes_lost", count=self._lost)
                self._lost = 0
            return [self._waiting[i] for i in range(min(len(self._waiting), _AT_ONCE))]

    def _drop(self, count: int) -> None:
        with self._changed:
            for _ in range(count):
                self._waiting.popleft()

    def _wrote(self, batch: Sequence[Note]) -> bool:
        """Tell whether the notes are done with; False when they must be tried again."""
        try:
            self._write(batch)
        except PoligonError as error:
            if error.fault is Fault.UPSTREAM:
                _log.warning("session.notes_not_written", error=error.message)
                return False
            return self._wrote_apart(batch, error)
        except Exception as error:  # noqa: BLE001  # the outermost loop of the book: it must go on
            return self._wrote_apart(batch, error)
        return True

    def _wrote_apart(self, batch: Sequence[Note], error: Exception) -> bool:
        """Write one by one, so that a bad note costs itself only."""
        if len(batch) > 1:
            return all(self._wrote([note]) for note in batch)
        _log.error("session.note_dropped", note=type(batch[0]).__name__, error=repr(error))
        return True
