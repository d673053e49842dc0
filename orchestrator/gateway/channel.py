"""An SSH channel as the client of a terminal session."""

import re
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import asyncssh

from core.background import spawn
from core.errors import PoligonError
from orchestrator.doorkeeper import Entry, HostNotChosenError
from orchestrator.gateway.files import FileExchange
from orchestrator.gateway.menu import Menu
from orchestrator.gateway.neighbours import Elsewhere, Landing
from orchestrator.gateway.relayed import Relayed
from orchestrator.terminal.attachment import Attachment
from orchestrator.terminal.book import Kind
from orchestrator.terminal.commands import (
    RSYNC,
    login_shell,
    rsync,
    scp_server,
    sftp_server,
    shell_command,
)
from orchestrator.terminal.ending import CANNOT_SERVE
from orchestrator.terminal.files.scp_watch import parsed
from orchestrator.terminal.files.transfers import Transfer
from orchestrator.terminal.registry import LiveSessions
from orchestrator.terminal.stream import TerminalSize
from orchestrator.terminal.visit import Visit

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
        landing: Landing,
        live: LiveSessions,
        on_end: Callable[["Channel"], None],
        on_file: Callable[[Visit, Transfer], None],
        no_seat: Callable[[Visit, Elsewhere], str],
        land: Callable[[str], Awaitable[Landing]],
    ) -> None:
        self.login = login
        self._landing = landing
        self._live = live
        self._on_end = on_end
        self._on_file = on_file
        self._no_seat = no_seat
        self._land = land
        self._menu: Menu | None = None
        self._channel: asyncssh.SSHServerChannel[bytes]
        self._command: Callable[[TerminalSize | None], tuple[str, ...]] = login_shell
        self._kind = Kind.TERMINAL
        self._asked = ""
        self._session: Attachment | Relayed | None = None
        self._files: FileExchange | None = None
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
        self._kind, self._asked = Kind.COMMAND, command
        if scp := parsed(command):
            self._command, self._kind = partial(scp_server, command, scp.path), Kind.FILES
            self._files = FileExchange(self, self._channel, scp=scp, told=self._moved)
        elif command.startswith(RSYNC):
            self._command = partial(rsync, command)
        else:
            self._command = partial(shell_command, command)
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """Serve files; there is no other subsystem."""
        self._command = sftp_server
        self._kind = Kind.FILES
        self._files = FileExchange(self, self._channel, scp=None, told=self._moved)
        return subsystem == "sftp"

    def session_started(self) -> None:
        """Enter the host, or tell why not."""
        on_terminal = self._channel.get_terminal_type() is not None
        entry = self._landing.entry
        if isinstance(entry, HostNotChosenError) and on_terminal and self._is_shell:
            self._choose(entry)
        elif isinstance(entry, PoligonError):
            self._refuse(str(entry))
        else:
            self._begin(entry)

    def data_received(self, data: bytes, _datatype: int | None) -> None:
        """Pass input on."""
        if self._session:
            (self._files or self._session).received(data)
        elif self._menu:
            self._menu.received(data)

    def eof_received(self) -> bool:
        """Pass the end of input on, and keep the channel for the output."""
        if self._session:
            (self._files or self._session).received_eof()
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
        """Let go: the client closed the channel or is gone."""
        if self._files:
            self._files.gone()
        if self._session:
            self._session.hang_up()
        self._on_end(self)

    def hold(self, reason: str) -> None:
        """Read no output from the host as long as any reason holds."""
        self._full.add(reason)
        if self._session:
            (self._files or self._session).client_full()

    def release(self, reason: str) -> None:
        """Drop a reason."""
        self._full.discard(reason)
        if self._session and not self._full:
            (self._files or self._session).client_drained()

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

    @property
    def _is_shell(self) -> bool:
        return self._command is login_shell

    def _begin(self, entry: Entry, typed_ahead: bytes = b"") -> None:
        visit = self._visit(entry)
        if why := self._no_seat(visit, self._landing.elsewhere):
            self._refuse(why)
            return
        self._session = self._kept_elsewhere(visit) or self._live.join(visit, self._files or self)
        if self._files:
            self._files.begin(self._session)
        if self._full:
            (self._files or self._session).client_full()
        if typed_ahead:
            self._session.received(typed_ahead)

    def _kept_elsewhere(self, visit: Visit) -> Relayed | None:
        return None if self._live.keeps(visit) else self._landing.elsewhere.resume(visit, self)

    def _refuse(self, why: str) -> None:
        self.write_error(f"{why}\r\n".encode())
        self.exit(CANNOT_SERVE)

    def _choose(self, asked: HostNotChosenError) -> None:
        """Offer the hosts, and enter the one that is chosen."""
        self._menu = Menu(
            title=asked.title,
            hosts=asked.hosts,
            write=lambda text: self.write(text.encode()),
            chosen=self._chosen,
            left=lambda: self.exit(0),
        )
        self._menu.show()

    def _chosen(self, host: str, typed_ahead: bytes) -> None:
        self._menu = None
        self.login = f"{self.login}.{host}"
        _ = spawn(self._enter_chosen(typed_ahead))

    async def _enter_chosen(self, typed_ahead: bytes) -> None:
        self._landing = await self._land(self.login)
        entry = self._landing.entry
        if self._channel.is_closing():
            return
        if isinstance(entry, PoligonError):
            self._refuse(str(entry))
        else:
            self._begin(entry, typed_ahead)

    def _visit(self, entry: Entry) -> Visit:
        terminal = None if self._files else self._channel.get_terminal_type()
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
            greeting=entry.greeting if self._is_shell else "",
            is_login_shell=self._is_shell,
            kind=self._kind,
            asked=self._asked,
            record=entry.record,
        )

    def _moved(self, transfer: Transfer) -> None:
        assert self._session  # files pass only through one
        self._on_file(self._session.visit, transfer)


def _size(columns: int, rows: int) -> TerminalSize:
    """Return a size that a terminal can have; clients without one send zeros."""
    return TerminalSize(
        columns=min(columns or _USUAL_COLUMNS, _MOST_CHARACTERS),
        rows=min(rows or _USUAL_ROWS, _MOST_CHARACTERS),
    )


def _number(name: str) -> int:
    return signal.Signals[f"SIG{name}"].value
