"""Processes in hosts with a pipe to them, through the engine's exec API."""

import asyncio
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from core.errors import PoligonError
from orchestrator.domain.world import HostKey
from orchestrator.engine.handed import Pipe
from orchestrator.engine.host_life import Life, gone, life_of, not_started, refusal
from orchestrator.engine.names import container_name
from orchestrator.engine.unix_http import Answer, UnixHttp
from orchestrator.ports import HostGoneError
from orchestrator.terminal.stream import Chunk, ExecStream, TerminalEngine, TerminalSize

_MOST_READ = 64 * 1024
_HEADER = 8
_STDERR = 2
_KILLED = 137
# A busy engine was seen to take 0.2 s.
_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8)
_STUCK_SECONDS = 1.0

NO_DETACHING = "ctrl-^,ctrl-@,ctrl-^,ctrl-_,ctrl-^,ctrl-@,ctrl-^,ctrl-_"
"""Keys that nobody types in a row. The engine always has some that end a terminal, by default
Ctrl-P Ctrl-Q, and keeps the first of them back until the next one comes."""


class DockerTerminals(TerminalEngine):
    """A Docker Engine on this machine, and one installation's hosts on it."""

    def __init__(self, docker_host: str, *, installation: str) -> None:
        self._http = UnixHttp(docker_host)
        self._installation = installation

    async def open(
        self,
        host: HostKey,
        command: Sequence[str],
        *,
        account: str,
        environment: Mapping[str, str],
        size: TerminalSize | None = None,
    ) -> ExecStream:
        """Start `command` as `account`, in `/`; on a terminal of its own when `size` is given."""
        container = quote(container_name(self._installation, host), safe="")
        # From API 1.42 on; older engines skip it, and the caller resizes anyway.
        console: dict[str, object] = {"ConsoleSize": [size.rows, size.columns]} if size else {}
        made = await self._http.call(
            "POST",
            f"/containers/{container}/exec",
            console
            | {
                "AttachStdin": True,
                "AttachStdout": True,
                "AttachStderr": size is None,
                "Tty": size is not None,
                "User": account,
                # Never the trainee's to choose: CVE-2024-21626 came through it.
                "WorkingDir": "/",
                "Env": [f"{name}={value}" for name, value in environment.items()],
                "Cmd": list(command),
                "DetachKeys": NO_DETACHING,
            },
        )
        exec_id = made.fields.get("Id")
        if not made.ok or not isinstance(exec_id, str):
            raise _refusal(host, made)
        handed = await self._http.hijack(
            f"/exec/{exec_id}/start", console | {"Detach": False, "Tty": size is not None}
        )
        if isinstance(handed, Answer):
            raise _refusal(host, handed)
        return _DockerExec(
            http=self._http,
            host=host,
            exec_id=exec_id,
            container=container,
            life=life_of(made.fields.get("Host")),
            pipe=await handed.pipe(),
            framed=size is None,
        )


class _DockerExec(ExecStream):
    def __init__(
        self,
        *,
        http: UnixHttp,
        host: HostKey,
        exec_id: str,
        container: str,
        life: Life | None,
        pipe: Pipe,
        framed: bool,
    ) -> None:
        self._http = http
        self._host = host
        self._exec = f"/exec/{exec_id}"
        self._container = container
        self._life = life
        self._reader = pipe.reader
        self._writer = pipe.writer
        self._framed = framed
        self._frame_left = 0
        self._frame_is_error = False
        self._has_begun = False
        self._takes_input = True

    async def read(self) -> Chunk | None:
        try:
            wanted = await self._next_frame() if self._framed else _MOST_READ
            data = await self._reader.read(wanted)
        except (OSError, EOFError):
            return None
        self._frame_left -= len(data)
        if data and not self._has_begun and (why := not_started(self._host, data)):
            raise why
        self._has_begun = True
        return Chunk(data=data, error=self._frame_is_error) if data else None

    async def _next_frame(self) -> int:
        """Return how much of the current frame may be read: 1 byte stream, 3 zeros, 4 length."""
        while self._frame_left <= 0:
            header = await self._reader.readexactly(_HEADER)
            self._frame_is_error = header[0] == _STDERR
            self._frame_left = int.from_bytes(header[4:], "big")
        return min(self._frame_left, _MOST_READ)

    async def write(self, data: bytes) -> None:
        """Hand input to the process, and look whether it lives when it takes none for a second.

        The engine reads no more input of a process that ended, and does not say so.
        """
        try:
            if self._takes_input:
                self._writer.write(data)
            while self._takes_input and not await self._has_drained():
                self._takes_input = not await self._has_ended()
        except OSError:
            self._takes_input = False

    async def _has_ended(self) -> bool:
        try:
            return await self.exit_code() is not None
        except HostGoneError:
            return True
        except PoligonError:
            return False  # the engine cannot tell just now

    async def _has_drained(self) -> bool:
        try:
            async with asyncio.timeout(_STUCK_SECONDS):
                await self._writer.drain()
        except TimeoutError:
            return False
        return True

    def write_eof(self) -> None:
        try:
            if not self._writer.is_closing():
                self._writer.write_eof()
        except OSError:
            return

    async def resize(self, size: TerminalSize) -> None:
        answer = await self._http.call(
            "POST", f"{self._exec}/resize?h={size.rows}&w={size.columns}"
        )
        if not answer.ok:
            raise _refusal(self._host, answer)

    async def exit_code(self) -> int | None:
        answer = await self._http.call("GET", f"{self._exec}/json")
        if not answer.ok:
            raise _refusal(self._host, answer)
        found = answer.fields
        code = found.get("ExitCode")
        if found.get("Running") or not isinstance(code, int):
            return None
        if code == _KILLED:
            await self._require_host()
        return code

    async def _require_host(self) -> None:
        """Raise HostGoneError unless the host still runs: its end kills what was inside just so.

        The engine notices the end of what was inside first, and the host's own shortly after.
        """
        for pause in _PAUSES_SECONDS:
            await asyncio.sleep(pause)
            answer = await self._http.call("GET", f"/containers/{self._container}/json")
            life = life_of(answer.fields) if answer.ok else None
            if not life or life != (self._life or life):
                raise gone(self._host)

    def close(self) -> None:
        # Not `close`, which would wait for a process that reads no more.
        self._writer.transport.abort()


def _refusal(host: HostKey, answer: Answer) -> PoligonError:
    return refusal(host, answer, refused="refused to enter")
