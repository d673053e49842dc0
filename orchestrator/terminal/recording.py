"""Who listens to a session so that something is kept of it."""

from datetime import datetime

from core.clock import Clock
from core.errors import PoligonError
from orchestrator.ports import HostFullError
from orchestrator.terminal.book import (
    Began,
    CommandRun,
    Ended,
    Kind,
    NotServed,
    SessionBook,
)
from orchestrator.terminal.cast import Heading
from orchestrator.terminal.chronicle import SessionChronicle
from orchestrator.terminal.command_line import CommandLine
from orchestrator.terminal.command_output import CommandOutput
from orchestrator.terminal.commands import RSYNC
from orchestrator.terminal.listening import Listener
from orchestrator.terminal.printable import printable
from orchestrator.terminal.recorder import CastWriter, Recorder
from orchestrator.terminal.stream import TerminalSize
from orchestrator.terminal.visit import Visit

_MOST_COMMANDS = 10_000
_LONGEST_COMMAND = 4096
_WITHOUT_TERMINAL = TerminalSize(columns=80, rows=24)
_USUAL_TERMINAL = "xterm-256color"


class Recording(SessionChronicle):
    """Has sessions written down, and of each what its host's scenario wants kept."""

    def __init__(self, book: SessionBook, writer: CastWriter, clock: Clock) -> None:
        self._book = book
        self._writer = writer
        self._clock = clock

    def begun(self, visit: Visit) -> tuple[Listener, ...]:
        """Write down that a session begins; return who must hear the rest of it."""
        unrecorded = _why_not(visit)
        self._book.note(
            Began(
                session=visit.id,
                login=visit.login,
                host=visit.host,
                account=visit.account,
                kind=visit.kind,
                at=self._clock.now(),
                unrecorded=unrecorded,
            )
        )
        listeners: list[Listener] = [Attendance(visit.id, self._book, self._clock)]
        if visit.record.commands and (visit.asked or visit.size):
            listeners.append(CommandLog(visit, self._book, self._clock))
        if not unrecorded:
            recorder = self._recorder(visit, visit.size or _WITHOUT_TERMINAL)
            listeners.append(recorder if visit.size else CommandOutput(recorder))
        return tuple(listeners)

    def not_served(self, visit: Visit, why: PoligonError) -> None:
        """Write down that the range kept somebody from their host."""
        at, is_full = self._clock.now(), isinstance(why, HostFullError)
        self._book.note(NotServed(session=visit.id, at=at, why=why.message, is_full=is_full))

    def _recorder(self, visit: Visit, size: TerminalSize) -> Recorder:
        now = self._clock.now()
        heading = Heading(
            session=visit.id,
            exercise=visit.host.world.exercise,
            team=visit.host.world.team,
            host=visit.host.host,
            login=visit.login,
            title=visit.record.title,
            size=size,
            at=now,
            elapsed=visit.record.elapsed(now),
            terminal=visit.environment.get("TERM", _USUAL_TERMINAL),
        )
        return Recorder(heading, self._writer, keep_input=visit.record.input)


class Attendance:
    """Writes down how a session ended, and how much it showed."""

    def __init__(self, session: str, book: SessionBook, clock: Clock) -> None:
        self._session = session
        self._book = book
        self._clock = clock
        self._shown = 0
        self._last_mark = ""

    def output(self, data: bytes, *, error: bool = False) -> None:
        """Count what was shown; what was marked before is then past."""
        del error
        self._shown += len(data)
        self._last_mark = ""

    def input(self, data: bytes) -> None:
        """Take no notice."""

    def resized(self, size: TerminalSize) -> None:
        """Take no notice."""

    def ran(self, line: str) -> None:
        """Take no notice."""

    def marked(self, label: str) -> None:
        """Remember the event: when nothing follows it but the end, it tells why."""
        self._last_mark = label

    def ended(self, code: int) -> None:
        """Write the end down."""
        self._book.note(
            Ended(
                session=self._session,
                at=self._clock.now(),
                code=code,
                shown=self._shown,
                how=self._last_mark,
            )
        )


class CommandLog:
    """Writes down the commands of a session: the one it was opened for, those typed in it."""

    def __init__(self, visit: Visit, book: SessionBook, clock: Clock) -> None:
        self._session = visit.id
        self._book = book
        self._clock = clock
        self._left = _MOST_COMMANDS
        self._is_hooked = visit.is_hooked
        self._read: tuple[datetime, str] | None = None
        self._line = CommandLine(visit.size, self._typed) if visit.size else None
        if visit.asked:
            self._run(visit.asked)

    def output(self, data: bytes, *, error: bool = False) -> None:
        """Follow what the terminal shows."""
        del error
        if self._line:
            self._line.shown(data)

    def input(self, data: bytes) -> None:
        """Follow what is typed."""
        if self._line:
            self._line.typed(data)

    def resized(self, size: TerminalSize) -> None:
        """Follow the terminal's size."""
        if self._line:
            self._line.resized(size)

    def ran(self, line: str) -> None:
        """Write down what the shell says it runs, instead of what was read off the terminal."""
        self._read = None
        self._run(printable(line, most=_LONGEST_COMMAND))

    def marked(self, label: str) -> None:
        """Take no notice."""

    def ended(self, code: int) -> None:
        """Write down the last line that was entered."""
        del code
        self._settle()

    def _typed(self, line: str) -> None:
        """Take a line read off the terminal; with a hook the shell may yet tell it exactly."""
        self._settle()
        self._read = (self._clock.now(), line)
        if not self._is_hooked:
            self._settle()

    def _settle(self) -> None:
        """Write down what was read: no hook told it, as of a shell or program without one."""
        if self._read:
            (at, line), self._read = self._read, None
            self._run(line, at)

    def _run(self, line: str, at: datetime | None = None) -> None:
        if self._left:
            self._left -= 1
            at = at or self._clock.now()
            self._book.note(CommandRun(session=self._session, at=at, line=line))


def _why_not(visit: Visit) -> str:
    """Return why a session's terminal is not recorded; empty when it is."""
    if not visit.record.terminal:
        return "the scenario does not have this host recorded"
    passes_files = visit.kind is Kind.FILES or visit.asked.startswith(RSYNC)
    return "what passes are files" if passes_files and not visit.size else ""
