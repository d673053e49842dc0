"""An SSH channel as the client of a terminal session."""

import re
import signal
from collections.abc import Callable, Mapping
from functools import partial

import asyncssh
import structlog

from core.background import spawn
from core.errors import PoligonError
from orchestrator.doorkeeper import Entry
from orchestrator.terminal.commands import login_shell, sftp_server, shell_command
from orchestrator.terminal.registry import LiveSessions
from orchestrator.terminal.session import CANNOT_SERVE, Session, Visit
from orchestrator.terminal.stream import TerminalSize

_log = structlog.get_logger()

_TERMINAL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
_USUAL_TERMINAL = "xterm-256color"
_USUAL_COLUMNS, _USUAL_ROWS = 80, 24
_MOST_CHARACTERS = 1000
_CONTROL_CHARACTERS = {"INT": b"\x03", "QUIT": b"\x1c"}
_ENDING_SIGNALS = frozenset({"HUP", "INT", "QUIT", "KILL", "TERM"})


class Channel(asyncssh.SSHServerSession[bytes]):
    """Turns what an SSH client asks of a channel into a session, and the session into SSH."""

    def __init__(
        self,
        *,
        login: str,
        entry: Entry | PoligonError,
        live: LiveSessions,
        on_end: Callable[["Channel"], None],
    ) -> None:
        self.login = login
        self.entry = entry
        self._live = live
        self._on_end = on_end
        self._channel: asyncssh.SSHServerChannel[bytes]
        self._command: Callable[[TerminalSize | None], tuple[str, ...]] = login_shell
        self._session: Session | None = None
        self._full: set[str] = set()

    # What the SSH library tells

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """Keep the channel."""
        self._channel = chan

    def pty_requested(
        self, _term_type: str, _term_size: tuple[int, int, int, int], _term_modes: Mapping[int, int]
    ) -> bool:
        """Give a terminal to whoever wants one."""
        return True

    def shell_requested(self) -> bool:
        """Run the account's login shell."""
        self._command = login_shell
        return True

    def exec_requested(self, command: str) -> bool:
        """Run a command in the account's shell."""
        self._command = partial(shell_command, command)
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """Run the host's sftp-server; there is no other subsystem."""
        self._command = sftp_server
        return subsystem == "sftp"

    def session_started(self) -> None:
        """Enter the host, or tell why not."""
        if isinstance(self.entry, PoligonError):
            self.write_error(f"{self.entry}\r\n".encode())
            self.exit(CANNOT_SERVE)
            return
        self._session = self._live.join(self._visit(self.entry), self)
        if self._full:
            self._session.client_full()
        self._serving = spawn(self._serve(self._session))

    def data_received(self, data: bytes, _datatype: int | None) -> None:
        """Pass input on."""
        if self._session:
            self._session.received(data)

    def eof_received(self) -> bool:
        """Pass the end of input on, and keep the channel for the output."""
        if self._session:
            self._session.received_eof()
        return True

    def terminal_size_changed(
        self, width: int, height: int, _pixwidth: int, _pixheight: int
    ) -> None:
        """Pass a new size on."""
        if self._session:
            self._session.resized(_size(width, height))

    def signal_received(self, signal: str) -> None:
        """Give a terminal's foreground process its control character, else end the session."""
        if not self._session:
            return
        if signal in _CONTROL_CHARACTERS and self._session.visit.size:
            self._session.received(_CONTROL_CHARACTERS[signal])
        elif signal in _ENDING_SIGNALS:
            self._session.kill(signal=_number(signal))

    def pause_writing(self) -> None:
        """Stop the output: the client's window is full."""
        self.hold("window")

    def resume_writing(self) -> None:
        """Let the output flow again."""
        self.release("window")

    def connection_lost(self, _exc: Exception | None) -> None:
        """Leave nothing behind: the client closed the channel or is gone."""
        if self._session:
            self._session.hang_up()
        self._on_end(self)

    def hold(self, reason: str) -> None:
        """Read no output from the host as long as any reason holds."""
        self._full.add(reason)
        if self._session:
            self._session.client_full()

    def release(self, reason: str) -> None:
        """Drop a reason."""
        self._full.discard(reason)
        if self._session and not self._full:
            self._session.client_drained()

    def cut(self, sentence: str) -> None:
        """End the session and tell why."""
        if self._session:
            self._session.cut(sentence)

    # What the session asks

    def write(self, data: bytes) -> None:
        """Show output."""
        if not self._channel.is_closing():
            self._channel.write(data)

    def write_error(self, data: bytes) -> None:
        """Show output of stderr."""
        if not self._channel.is_closing():
            self._channel.write_stderr(data)

    def exit(self, code: int) -> None:
        """Tell the exit code and close the channel."""
        if not self._channel.is_closing():
            self._channel.exit(code)

    def pause(self) -> None:
        """Let the client's window fill."""
        self._channel.pause_reading()

    def resume(self) -> None:
        """Open the window again."""
        self._channel.resume_reading()

    def _visit(self, entry: Entry) -> Visit:
        terminal = self._channel.get_terminal_type()
        width, height, *_ = self._channel.get_terminal_size()
        size = None if terminal is None else _size(width, height)
        named = terminal if _TERMINAL_NAME.fullmatch(terminal or "") else _USUAL_TERMINAL
        return Visit(
            login=self.login,
            host=entry.host,
            account=entry.account,
            command=self._command(size),
            environment={**entry.environment, **({"TERM": str(named)} if terminal else {})},
            size=size,
            greeting=entry.greeting if self._command is login_shell else "",
        )

    async def _serve(self, session: Session) -> None:
        visit = session.visit
        log = _log.bind(
            session=visit.id,
            login=visit.login,
            exercise=visit.host.world.exercise,
            team=visit.host.world.team,
            host=visit.host.host,
        )
        log.info("session.started", terminal=visit.size is not None)
        try:
            await self._live.serve(session)
        except Exception:  # the outermost loop of a session: its client must not hang
            log.exception("session.crashed")
            self.exit(CANNOT_SERVE)
        log.info("session.ended")


def _size(columns: int, rows: int) -> TerminalSize:
    """Return a size that a terminal can have; clients without one send zeros."""
    return TerminalSize(
        columns=min(columns or _USUAL_COLUMNS, _MOST_CHARACTERS),
        rows=min(rows or _USUAL_ROWS, _MOST_CHARACTERS),
    )


def _number(name: str) -> int:
    return signal.Signals[f"SIG{name}"].value
