"""Files over a channel: by the host's own program, or by the gateway where the host has none."""

from dataclasses import replace
from typing import Any, Protocol

import asyncssh
import structlog
from asyncssh.scp import run_scp_server
from asyncssh.sftp import run_sftp_server
from asyncssh.stream import SSHReader, SSHServerStreamSession, SSHWriter

from core.background import spawn
from orchestrator.gateway.sftp import HostSftp
from orchestrator.terminal.ending import CANNOT_SERVE
from orchestrator.terminal.files.host_files import HostFiles
from orchestrator.terminal.files.program import FirstLine, first_line
from orchestrator.terminal.files.scp_watch import ScpCommand, ScpWatcher
from orchestrator.terminal.files.sftp_watch import SftpWatcher
from orchestrator.terminal.files.shell import HostShell
from orchestrator.terminal.files.transfers import Told, Transfer, absolute
from orchestrator.terminal.files.watching import Watcher
from orchestrator.terminal.showing import Client

_log = structlog.get_logger()

_SFTP_VERSION = 3  # what OpenSSH speaks
_MOST_HEAD = 8192


class Host(Protocol):
    """The session that runs the host's side."""

    def received(self, data: bytes) -> None:
        """Take input for it."""
        ...

    def received_eof(self) -> None:
        """Take the end of its input."""
        ...

    def client_full(self) -> None:
        """Read no more of its output."""
        ...

    def client_drained(self) -> None:
        """Read its output again."""
        ...


class FileExchange:
    """Stands between a channel and the session that serves its files.

    For the session it is the client, for the channel it is the session.
    """

    def __init__(
        self,
        client: Client,
        channel: "asyncssh.SSHServerChannel[bytes]",
        *,
        scp: ScpCommand | None,
        told: Told,
    ) -> None:
        """Serve scp's old protocol for the command `scp`, else SFTP."""
        self._client = client
        self._channel = channel
        self._scp = scp
        self._told = told
        self._host: Host
        self._head = b""
        self._early = b""
        self._is_early_end = False
        self._watcher: Watcher | None = None
        self._serving: _Serving | None = None
        self._is_full = False
        self._is_gone = False

    def begin(self, host: Host) -> None:
        """Hear of the session."""
        self._host = host

    # What the channel tells

    def received(self, data: bytes) -> None:
        """Take what the client sends; it waits until it is known who serves it."""
        if self._watcher:
            self._watcher.from_client(data)
            if self._serving:
                self._serving.stream.data_received(data, None)
            else:
                self._host.received(data)
        else:
            self._early += data
            self._channel.pause_reading()

    def received_eof(self) -> None:
        """Take the end of what the client sends."""
        if self._serving:
            self._serving.stream.eof_received()
        elif self._watcher:
            self._host.received_eof()
        else:
            self._is_early_end = True

    def client_full(self) -> None:
        """Send nothing until `client_drained`."""
        self._is_full = True
        if self._serving:
            self._serving.stream.pause_writing()
        else:
            self._host.client_full()

    def client_drained(self) -> None:
        """Send again."""
        self._is_full = False
        if self._serving:
            self._serving.stream.resume_writing()
        else:
            self._host.client_drained()

    def gone(self) -> None:
        """Hear that the client is gone, which may be before it is known who serves it."""
        self._is_gone = True
        if self._watcher:
            self._watcher.ended()
        if self._serving:
            self._serving.gone()

    # What the session asks

    def write(self, data: bytes) -> None:
        """Pass on what the host's program says, or answer with it what the client asked."""
        if self._serving:
            self._serving.shell.fed(data)
        elif self._watcher:
            self._pass(data)
        else:
            self._decide(data)

    def write_error(self, data: bytes) -> None:
        """Show what went wrong."""
        self._client.write_error(data)

    def exit(self, code: int) -> None:
        """End: the host's program did."""
        if self._watcher:
            self._watcher.ended()
        if self._serving:
            self._serving.ended()
        self._client.exit(code)

    def pause(self) -> None:
        """Let the client's window fill; when the gateway serves, the client is not the source."""
        if not self._serving:
            self._client.pause()

    def resume(self) -> None:
        """Open the window again."""
        if not self._serving:
            self._client.resume()

    def _decide(self, data: bytes) -> None:
        """Find out from the first line who serves."""
        self._head += data
        line, end, rest = self._head.partition(b"\n")
        if not end and len(line) < _MOST_HEAD:
            return
        said = first_line(line)
        if not said:
            self._client.write_error(b"The host answered out of order\n")
            self._client.exit(CANNOT_SERVE)
            return
        self._watcher = self._watching(said)
        if said.is_hosts_own:
            self._pass(rest)
        else:
            self._serving = _Serving(self._host, self._channel, self._watcher, scp=self._scp)
            if self._is_full:
                self._serving.stream.pause_writing()
                self._host.client_drained()
        self._catch_up()

    def _watching(self, said: FirstLine) -> Watcher:
        def told(transfer: Transfer) -> None:
            self._told(replace(transfer, path=absolute(transfer.path, start=said.start)))

        if self._scp:
            return ScpWatcher(replace(self._scp, is_folder=said.is_folder), told)
        return SftpWatcher(told)

    def _catch_up(self) -> None:
        early, self._early = self._early, b""
        if early:
            self.received(early)
        self._channel.resume_reading()
        if self._is_early_end:
            self.received_eof()
        if self._is_gone:
            self.gone()

    def _pass(self, data: bytes) -> None:
        if data:
            assert self._watcher
            self._watcher.from_host(data)
            self._client.write(data)


class _Stream(SSHServerStreamSession[bytes]):
    """The client's side of what the gateway serves.

    The library answers however much of the answers the client has not read yet.
    """

    async def read(self, datatype: Any, n: int, exact: bool) -> bytes:  # noqa: ANN401, FBT001  # the library's own
        """Read on only when the last answer is out."""
        await self.drain(datatype)
        return await super().read(datatype, n, exact)


class _LastWord:
    """A channel that is watched, and that its session closes: it does not end by itself."""

    def __init__(
        self, channel: "asyncssh.SSHServerChannel[bytes]", host: Host, watcher: Watcher
    ) -> None:
        self._channel = channel
        self._host = host
        self._watcher = watcher

    def write(self, data: bytes, datatype: int | None = None) -> None:
        """Answer the client."""
        self._watcher.from_host(data)
        self._channel.write(data, datatype)

    def exit(self, _code: int) -> None:
        """End the host's side."""
        self._host.received_eof()

    def close(self) -> None:
        """End the host's side."""
        self._host.received_eof()

    def __getattr__(self, name: str) -> object:
        return getattr(self._channel, name)


class _Serving:
    """The gateway's own service of one channel, through the loop in the host."""

    def __init__(
        self,
        host: Host,
        channel: "asyncssh.SSHServerChannel[bytes]",
        watcher: Watcher,
        *,
        scp: ScpCommand | None,
    ) -> None:
        self.shell = HostShell(host.received)
        self.stream = _Stream(None)
        self.stream.connection_made(channel)
        self._host = host
        self._sftp = HostSftp(channel, HostFiles(self.shell))
        self._scp = scp
        self._channel: Any = _LastWord(channel, host, watcher)
        self._task = spawn(self._serve())

    def gone(self) -> None:
        """End: the client is gone, and the host's answers go nowhere from here on."""
        self.stream.connection_lost(None)
        self.shell.ended()

    def ended(self) -> None:
        """Fail what is still asked of the host."""
        self.shell.ended()

    async def _serve(self) -> None:
        reader = SSHReader[bytes](self.stream, self._channel)
        writer = SSHWriter[bytes](self.stream, self._channel)
        try:
            if self._scp:
                serving = run_scp_server(self._sftp, self._scp.from_home(), reader, writer, writer)
            else:
                serving = run_sftp_server(self._sftp, reader, writer, _SFTP_VERSION)
            if serving is not None:
                await serving
        except (OSError, EOFError, asyncssh.Error) as error:
            _log.info("files.interrupted", reason=str(error))
            self._host.received_eof()
        except Exception:  # noqa: BLE001  # the outermost loop of a service: its client must not hang
            _log.exception("files.crashed")
            self._host.received_eof()
