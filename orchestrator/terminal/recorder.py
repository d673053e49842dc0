"""Recordings of terminals: told on the event loop, written by a thread, so that no disk holds it.

A disk that is full, gone or too slow ends a recording, with one note, and never a session.
"""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from core.clock import Clock
from orchestrator.terminal.book import CastKept, RecordingStopped, SessionBook
from orchestrator.terminal.cast import CastLines, Event, Heading, heading_line
from orchestrator.terminal.cast_file import CastFile, RecordingImpossibleError
from orchestrator.terminal.stream import TerminalSize

_log = structlog.get_logger()

_MOST_UNWRITTEN = 16 * 1024 * 1024
_AT_LIMIT = "recording stopped at its limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large one recording gets, and how much must be free when it is begun, in bytes."""

    most: int = 50_000_000
    least_free: int = 500_000_000


class CastWriter:
    """The thread that writes the recordings of a process, each into its file in `folder`."""

    def __init__(
        self, folder: Path, book: SessionBook, clock: Clock, *, limits: Limits | None = None
    ) -> None:
        self.folder = folder
        self.limits = limits or Limits()
        self._book = book
        self._clock = clock
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    def do(self, work: Callable[[], None]) -> None:
        """Have something done on the thread, in its turn."""
        self._work.put(work)

    def stopped(self, session: str, why: str) -> None:
        """Tell once that a recording was not begun or ended early."""
        _log.warning("recording.stopped", session=session, reason=why)
        self._book.note(RecordingStopped(session=session, at=self._clock.now(), why=why))

    def kept(self, session: str, file: CastFile) -> None:
        """Tell that a recording is complete."""
        self._book.note(
            CastKept(session=session, file=file.name, size=file.size, sha256=file.sha256)
        )

    def close(self, *, within: timedelta = timedelta(seconds=5)) -> None:
        """Write what was told, if the disk lets us in that time, and end."""
        self._work.put(None)
        self._thread.join(within.total_seconds())

    def _run(self) -> None:
        while work := self._work.get():
            try:
                work()
            except Exception:  # noqa: BLE001  # the outermost loop of the thread: others record on
                _log.exception("recording.failed")


class Recorder:
    """Records one session; a listener of it."""

    def __init__(
        self,
        heading: Heading,
        writer: CastWriter,
        *,
        keep_input: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._heading = heading
        self._writer = writer
        self._keep_input = keep_input
        self._monotonic = monotonic
        self._began = monotonic()
        self._lines = CastLines()
        self._file: CastFile | None = None
        self._told = self._written = 0  # bytes; the one here, the other on the thread
        self._over = False
        writer.do(self._open)

    def output(self, data: bytes, *, error: bool = False) -> None:
        """Record what the terminal shows; a terminal has no stderr of its own."""
        del error
        self._stream(Event.OUTPUT, data)

    def input(self, data: bytes) -> None:
        """Record what is typed, when that was asked for."""
        if self._keep_input:
            self._stream(Event.INPUT, data)

    def resized(self, size: TerminalSize) -> None:
        """Record the new size."""
        seconds = self._seconds()
        self._tell(64, lambda: self._lines.resize(seconds, size))

    def ran(self, line: str) -> None:
        """Take no notice."""

    def marked(self, label: str) -> None:
        """Record the event."""
        seconds = self._seconds()
        self._tell(len(label), lambda: self._lines.marker(seconds, label))

    def ended(self, code: int) -> None:
        """Complete the recording."""
        seconds = self._seconds()
        self._tell(0, lambda: self._lines.stream(Event.OUTPUT, seconds, b"", last=True))
        self.marked(f"ended with {code}")
        self._writer.do(self._complete)

    def _stream(self, event: Event, data: bytes) -> None:
        seconds = self._seconds()
        self._tell(len(data), lambda: self._lines.stream(event, seconds, data))

    def _seconds(self) -> float:
        return self._monotonic() - self._began

    def _tell(self, size: int, line: Callable[[], bytes]) -> None:
        if self._over:
            return
        if self._told + size - self._written > _MOST_UNWRITTEN:
            self._over = True
            self._writer.do(lambda: self._stop("the disk does not keep up"))
            return
        self._told += size
        self._writer.do(lambda: self._write(size, line))

    # On the thread

    def _open(self) -> None:
        heading, writer = self._heading, self._writer
        try:
            self._file = CastFile(
                writer.folder,
                exercise=heading.exercise,
                session=heading.session,
                least_free=writer.limits.least_free,
            )
            self._file.append(heading_line(heading))
        except RecordingImpossibleError as error:
            self._stop(error.message)

    def _write(self, size: int, line: Callable[[], bytes]) -> None:
        self._written += size
        if self._file is None:
            return
        text = line()
        try:
            if self._file.size + len(text) > self._writer.limits.most:
                self._file.append(self._lines.marker(self._seconds(), _AT_LIMIT))
                megabytes = self._writer.limits.most // 1_000_000
                self._stop(f"the recording reached its limit of {megabytes} MB")
            else:
                self._file.append(text)
        except RecordingImpossibleError as error:
            self._stop(error.message)

    def _stop(self, why: str) -> None:
        self._over = True
        self._writer.stopped(self._heading.session, why)
        self._complete()

    def _complete(self) -> None:
        if self._file is None:
            return
        self._file.close()
        if self._file.size:
            self._writer.kept(self._heading.session, self._file)
        self._file = None
