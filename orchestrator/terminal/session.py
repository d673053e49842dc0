"""One person's session in a host, from its opening to its end, whatever carries it to them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.background import spawn
from core.errors import PoligonError
from core.ids import new_id
from orchestrator.domain.world import HostKey
from orchestrator.ports import EngineRefusedError
from orchestrator.terminal.reaper import Reaper
from orchestrator.terminal.stream import ExecStream, TerminalEngine, TerminalSize

CANNOT_SERVE = 255  # what the OpenSSH client itself exits with when the connection fails
_INPUT_HIGH = 256 * 1024
_INPUT_LOW = 64 * 1024
_END_OF_TRANSMISSION = b"\x04"
_RESIZE_TRIES = 20
_RESIZE_PAUSE_SECONDS = 0.05
_FIRST_LOOK_SECONDS = 0.005
_SLOWEST_LOOK_SECONDS = 1.0


class Client(Protocol):
    """The person's end: an SSH channel, a WebSocket. Calls on a broken one do nothing."""

    def write(self, data: bytes) -> None:
        """Show output."""
        ...

    def write_error(self, data: bytes) -> None:
        """Show output of stderr."""
        ...

    def exit(self, code: int) -> None:
        """Tell how the process ended, and end."""
        ...

    def pause(self) -> None:
        """Send no input until `resume`."""
        ...

    def resume(self) -> None:
        """Send input again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who comes to do what where. `size` is given for a terminal, `greeting` is shown on it."""

    login: str
    host: HostKey
    account: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    size: TerminalSize | None = None
    greeting: str = ""
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """Why a session ends before its process does."""

    sentence: str = ""
    code: int = CANNOT_SERVE


class Session:
    """Carries bytes between a client and a process, and leaves nothing of a cut-off one behind.

    `run` serves it; the other methods tell what the client did, at any time, also before and after.
    """

    def __init__(
        self,
        visit: Visit,
        *,
        client: Client,
        engine: TerminalEngine,
        reaper: Reaper,
        turns: asyncio.Semaphore,
    ) -> None:
        self.visit = visit
        self._client = client
        self._engine = engine
        self._reaper = reaper
        self._turns = turns
        self._cut: asyncio.Future[_Cut] = asyncio.get_running_loop().create_future()
        self._input: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._input_bytes = 0
        self._input_paused = False
        self._client_ready = asyncio.Event()
        self._client_ready.set()
        self._size = visit.size
        self._resized = asyncio.Event()
        if visit.size:
            self._resized.set()

    async def run(self) -> None:
        """Open, serve and end the session; the client is told an exit code at the end."""
        try:
            stream = await self._open()
        except PoligonError as error:
            self._end(_Cut(sentence=str(error)))
            return
        if not stream:
            self._end(self._cut.result())
            return
        try:
            await self._serve(stream)
        finally:
            stream.close()

    def received(self, data: bytes) -> None:
        """Take input from the client; it is paused when the process does not keep up."""
        self._input.put_nowait(data)
        self._input_bytes += len(data)
        if self._input_bytes > _INPUT_HIGH and not self._input_paused:
            self._input_paused = True
            self._client.pause()

    def received_eof(self) -> None:
        """Take the end of the client's input: on a terminal Ctrl-D, else the end of stdin."""
        self._input.put_nowait(_END_OF_TRANSMISSION if self.visit.size else None)

    def resized(self, size: TerminalSize) -> None:
        """Give the process's terminal another size."""
        if self.visit.size:
            self._size = size
            self._resized.set()

    def client_full(self) -> None:
        """Read no more output until `client_drained`: the client does not keep up."""
        self._client_ready.clear()

    def client_drained(self) -> None:
        """Read output again."""
        self._client_ready.set()

    def hang_up(self) -> None:
        """End everything: the client is gone."""
        self._cut_with(_Cut())

    def cut(self, sentence: str) -> None:
        """End everything and tell the client why."""
        self._cut_with(_Cut(sentence=sentence))

    def kill(self, *, signal: int) -> None:
        """End everything as the client asked; its exit code is what a shell gives for `signal`."""
        self._cut_with(_Cut(code=128 + signal))

    def _cut_with(self, cut: _Cut) -> None:
        if not self._cut.done():
            self._cut.set_result(cut)

    async def _open(self) -> ExecStream | None:
        """Start the process when it is this session's turn, unless it was cut off while waiting."""
        visit = self.visit
        async with self._turns:
            if self._cut.done():
                return None
            if visit.greeting and visit.size:
                self._client.write(f"{visit.greeting}\r\n".encode())
            return await self._engine.open(
                visit.host,
                visit.command,
                account=visit.account,
                environment={
                    "LANG": "C.UTF-8",
                    **visit.environment,
                    "USER": visit.account,
                    "LOGNAME": visit.account,
                    "POLIGON_SESSION": visit.id,
                },
                size=visit.size,
            )

    async def _serve(self, stream: ExecStream) -> None:
        showing = spawn(self._show(stream))
        helping = [spawn(self._feed(stream)), spawn(self._fit(stream))]
        try:
            ends: set[asyncio.Future[Any]] = {showing, self._cut}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if showing.done():
                showing.result()
            end = await self._outcome(stream)
        except PoligonError as error:
            end = _Cut(sentence=str(error))
        finally:
            for task in (showing, *helping):
                task.cancel()
        if self._cut.done():
            self._reaper.reap(self.visit.host, self.visit.account, self.visit.id, stream)
        self._end(end)

    async def _outcome(self, stream: ExecStream) -> _Cut:
        """Return how it ended: a process may close its output long before it exits."""
        look = _FIRST_LOOK_SECONDS
        while not self._cut.done():
            code = await stream.exit_code()
            if code is not None:
                return _Cut(code=code)
            await asyncio.wait({self._cut}, timeout=look)
            look = min(look * 2, _SLOWEST_LOOK_SECONDS)
        return self._cut.result()

    def _end(self, end: _Cut) -> None:
        if end.sentence:
            line_end = "\r\n" if self.visit.size else "\n"
            self._client.write_error(f"{line_end}{end.sentence}{line_end}".encode())
        self._client.exit(end.code)

    async def _show(self, stream: ExecStream) -> None:
        while chunk := await stream.read():
            await self._client_ready.wait()
            (self._client.write_error if chunk.error else self._client.write)(chunk.data)

    async def _feed(self, stream: ExecStream) -> None:
        while True:
            data = await self._input.get()
            if data is None:
                stream.write_eof()
                return
            await stream.write(data)
            self._input_bytes -= len(data)
            if self._input_paused and self._input_bytes < _INPUT_LOW:
                self._input_paused = False
                self._client.resume()

    async def _fit(self, stream: ExecStream) -> None:
        while True:
            await self._resized.wait()
            self._resized.clear()
            for _ in range(_RESIZE_TRIES):
                try:
                    if self._size:
                        await stream.resize(self._size)
                    break
                except EngineRefusedError:
                    await asyncio.sleep(_RESIZE_PAUSE_SECONDS)
                except PoligonError:
                    return  # the host or the engine went; the output's end tells the client
