"""The near end of the process that carries connections beside a host (see `reach_script`)."""

import asyncio
from collections import deque
from collections.abc import Iterator
from enum import IntEnum
from struct import Struct

import structlog

from core.background import spawn
from orchestrator.engine.handed import Pipe
from orchestrator.terminal.reach import ByteStream, ForwardBrokenError, ForwardRefusedError

_log = structlog.get_logger()

WINDOW = 256 * 1024
"""How many bytes of a connection may be on their way in one direction."""

_PIECE = 64 * 1024
_SPARE_SECONDS = 10
_DOCKER_HEAD = Struct(">BxxxL")
_HEAD = Struct(">LBL")
_COUNT = Struct(">L")
_STDERR = 2
_WHY = {
    "refused": "nothing listens there, or the network's rules turned it away",
    "silent": "nothing answered in time; the network's rules may hold it back",
    "unknown": "the host knows no such name",
    "busy": "too many names are being looked up beside this host; try again shortly",
}
_UNREACHABLE = "the host's networks do not lead there"


class _Kind(IntEnum):
    OPEN = 1
    DATA = 2
    EOF = 3
    CLOSE = 4
    CREDIT = 5


class Carrier:
    """Many connections over one pipe. One takes `patience_seconds` to be made, or is refused."""

    def __init__(self, pipe: Pipe, *, patience_seconds: float) -> None:
        self._pipe = pipe
        self._patience_seconds = patience_seconds
        self._ways: dict[int, _Way] = {}
        self._last = 0
        self._broken = ""
        self._complained = False
        self._reading = spawn(self._read())

    @property
    def is_idle(self) -> bool:
        """Whether it carries nothing."""
        return not self._ways

    @property
    def is_broken(self) -> bool:
        """Whether it carries nothing any more."""
        return bool(self._broken)

    @property
    def load(self) -> int:
        """How many connections it carries or makes."""
        return len(self._ways)

    async def connect(self, address: str, port: int) -> ByteStream:
        """Return a connection. Raises ForwardRefusedError, ForwardBrokenError."""
        if self._broken:
            raise ForwardBrokenError(self._broken)
        self._last += 1
        way = self._ways[self._last] = _Way(self, self._last)
        try:
            self.send(way.number, _Kind.OPEN, f"{address} {port}".encode())
            async with asyncio.timeout(self._patience_seconds + _SPARE_SECONDS):
                await way.made.wait()
        except BaseException as error:
            way.close()
            if isinstance(error, TimeoutError):
                raise _refused(address, port, "silent") from error
            raise
        if way.refusal:
            raise _refused(address, port, way.refusal)
        if way.why_broken:
            raise ForwardBrokenError(way.why_broken)
        return way

    def close(self, sentence: str) -> None:
        """End the process, and break what it carries."""
        self._broken = self._broken or sentence
        self._pipe.writer.transport.abort()
        for way in tuple(self._ways.values()):
            way.end(self._broken)
        self._ways.clear()

    def send(self, number: int, kind: _Kind, said: bytes = b"") -> None:
        """Send a frame; `drain` must follow what is long."""
        if not self._pipe.writer.is_closing():
            self._pipe.writer.write(_HEAD.pack(number, kind, len(said)) + said)

    async def drain(self) -> None:
        """Return when the pipe takes more. Raises OSError when it is gone."""
        await self._pipe.writer.drain()

    def forget(self, number: int) -> None:
        """Hear no more of a connection."""
        self._ways.pop(number, None)

    async def _read(self) -> None:
        held = bytearray()
        try:
            while True:
                kind, size = _DOCKER_HEAD.unpack(
                    await self._pipe.reader.readexactly(_DOCKER_HEAD.size)
                )
                piece = await self._pipe.reader.readexactly(size)
                if kind == _STDERR:
                    self._complain(piece)
                    continue
                held += piece
                for number, what, said in _frames(held):
                    if way := self._ways.get(number):
                        way.hear(_Kind(what), said)
        except (OSError, EOFError, ValueError):
            self.close("the way into the host's network is gone")

    def _complain(self, said: bytes) -> None:
        """Log the first complaint; one that repeats must not fill the log."""
        if not self._complained:
            self._complained = True
            _log.warning("forwards.complaint", said=said[:500].decode(errors="replace"))


class _Way(ByteStream):
    """One connection. `made` is set when it is there, or will not be."""

    def __init__(self, carrier: Carrier, number: int) -> None:
        self._carrier = carrier
        self.number = number
        self.made = asyncio.Event()
        self.refusal = ""
        self.why_broken = ""
        self._came: deque[bytes] = deque()
        self._is_over = False
        self._credit = WINDOW
        self._heard = asyncio.Event()
        self._granted = asyncio.Event()
        self._broken = asyncio.Event()

    def hear(self, kind: _Kind, said: bytes) -> None:
        """Take a frame of the process's."""
        match kind:
            case _Kind.OPEN:
                self.made.set()
            case _Kind.DATA:
                self._came.append(said)
                self._heard.set()
            case _Kind.EOF:
                self._is_over = True
                self._heard.set()
            case _Kind.CREDIT:
                self._credit += _COUNT.unpack(said)[0]
                self._granted.set()
            case _Kind.CLOSE if not self.made.is_set():
                self.refusal = said.decode()
                self.end("it was refused")
            case _Kind.CLOSE:
                self.end("the other side reset the connection")

    def end(self, sentence: str) -> None:
        """Break it, with a sentence."""
        self.why_broken = self.why_broken or sentence
        self._carrier.forget(self.number)
        for waiting in (self.made, self._heard, self._granted, self._broken):
            waiting.set()

    async def read(self) -> bytes:
        while not self._came and not self._is_over and not self.why_broken:
            self._heard.clear()
            await self._heard.wait()
        if self._came:
            piece = self._came.popleft()
            self._carrier.send(self.number, _Kind.CREDIT, _COUNT.pack(len(piece)))
            return piece
        if self.why_broken and not self._is_over:
            raise ForwardBrokenError(self.why_broken)
        return b""

    async def write(self, data: bytes) -> None:
        left = memoryview(data)
        while left and not self.why_broken:
            if not self._credit:
                self._granted.clear()
                await self._granted.wait()
                continue
            piece = left[: min(self._credit, _PIECE)]
            left = left[len(piece) :]
            self._credit -= len(piece)
            self._carrier.send(self.number, _Kind.DATA, bytes(piece))
            try:
                await self._carrier.drain()
            except OSError:
                break
        if left or self.why_broken:
            raise ForwardBrokenError(self.why_broken or "the way into the host's network is gone")

    def write_eof(self) -> None:
        if not self.why_broken:
            self._carrier.send(self.number, _Kind.EOF)

    async def broken(self) -> None:
        await self._broken.wait()

    def close(self) -> None:
        if not self.why_broken:
            self._carrier.send(self.number, _Kind.CLOSE)
            self.end("it was closed here")


def _frames(held: bytearray) -> Iterator[tuple[int, int, bytes]]:
    """Yield the whole frames at the beginning of what is held, and take them out of it."""
    at = 0
    while len(held) - at >= _HEAD.size:
        number, kind, size = _HEAD.unpack_from(held, at)
        end = at + _HEAD.size + size
        if len(held) < end:
            break
        yield number, kind, bytes(held[at + _HEAD.size : end])
        at = end
    del held[:at]


def _refused(address: str, port: int, word: str) -> ForwardRefusedError:
    return ForwardRefusedError(f"{address} port {port}: {_WHY.get(word, _UNREACHABLE)}")
