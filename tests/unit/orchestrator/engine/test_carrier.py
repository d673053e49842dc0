"""The near end of what carries connections beside a host: frames, windows, ends."""

import asyncio
import struct
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from orchestrator.engine.carrier import WINDOW, Carrier
from orchestrator.engine.handed import Pipe
from orchestrator.terminal.reach import ByteStream, ForwardBrokenError, ForwardRefusedError

OPEN, DATA, EOF, CLOSE, CREDIT = range(1, 6)


@dataclass
class FarEnd:
    """Plays the process beside the host, over a pipe in memory."""

    sent: bytearray = field(default_factory=bytearray)
    is_gone: bool = False

    def __post_init__(self) -> None:
        self.reader = asyncio.StreamReader()
        self.transport = self
        pipe = Pipe(reader=self.reader, writer=self)  # type: ignore[arg-type]  # what is used of it
        self.carrier = Carrier(pipe, patience_seconds=1)

    def write(self, data: bytes) -> None:
        self.sent += data

    async def drain(self) -> None:
        await asyncio.sleep(0)

    def is_closing(self) -> bool:
        return self.is_gone

    def abort(self) -> None:
        self.is_gone = True

    def says(self, *frames: tuple[int, int, bytes], cut_at: int = 10**9) -> None:
        """Say frames, in pieces of so many bytes, as the engine hands them over."""
        said = b"".join(struct.pack(">LBL", n, kind, len(body)) + body for n, kind, body in frames)
        for at in range(0, len(said), cut_at):
            piece = said[at : at + cut_at]
            self.reader.feed_data(struct.pack(">BxxxL", 1, len(piece)) + piece)

    def heard(self) -> list[tuple[int, int, bytes]]:
        """Return the frames that came, once."""
        frames = []
        while self.sent:
            number, kind, size = struct.unpack_from(">LBL", self.sent)
            frames.append((number, kind, bytes(self.sent[9 : 9 + size])))
            del self.sent[: 9 + size]
        return frames

    async def opened(self, number: int = 1) -> ByteStream:
        """Return a connection that is there."""
        connecting = asyncio.ensure_future(self.carrier.connect("mail", 80))
        await asyncio.sleep(0)
        self.says((number, OPEN, b""))
        stream = await connecting
        self.heard()
        return stream


def told(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def test_a_connection_is_asked_for_by_name_and_port() -> None:
    async def story() -> None:
        far = FarEnd()
        connecting = asyncio.ensure_future(far.carrier.connect("mail", 80))
        await asyncio.sleep(0)
        assert far.heard() == [(1, OPEN, b"mail 80")]
        assert far.carrier.load == 1
        far.says((1, OPEN, b""))
        (await connecting).close()
        assert far.heard() == [(1, CLOSE, b"")]
        assert far.carrier.is_idle

    told(story())


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        (b"refused", "nothing listens there"),
        (b"silent", "nothing answered in time"),
        (b"unknown", "the host knows no such name"),
        (b"unreachable", "the host's networks do not lead there"),
        (b"busy", "try again shortly"),
    ],
)
def test_a_refusal_says_why(word: bytes, sentence: str) -> None:
    async def story() -> None:
        far = FarEnd()
        far.says((1, CLOSE, word))
        with pytest.raises(ForwardRefusedError, match=f"mail port 80: .*{sentence}"):
            await far.carrier.connect("mail", 80)
        assert far.carrier.is_idle

    told(story())


@pytest.mark.parametrize("cut_at", [1, 7, 9, 10**6])
def test_what_comes_is_read_in_order_however_it_is_cut(cut_at: int) -> None:
    async def story() -> None:
        far = FarEnd()
        stream = await far.opened()
        far.says((1, DATA, b"one"), (7, DATA, b"of nobody"), (1, DATA, b"two"), cut_at=cut_at)
        far.says((1, EOF, b""), cut_at=cut_at)
        assert [await stream.read() for _ in range(4)] == [b"one", b"two", b"", b""]
        assert far.heard() == [(1, CREDIT, struct.pack(">L", 3))] * 2

    told(story())


def test_a_break_is_told_after_the_end_of_what_comes() -> None:
    async def story() -> None:
        far = FarEnd()
        stream = await far.opened()
        far.says((1, EOF, b""))
        assert await stream.read() == b""
        breaking = asyncio.ensure_future(stream.broken())
        await asyncio.sleep(0)
        assert not breaking.done()
        far.reader.feed_eof()
        await breaking
        assert await stream.read() == b""

    told(story())


def test_no_more_is_sent_than_the_far_end_has_room_for() -> None:
    async def story() -> None:
        far = FarEnd()
        stream = await far.opened()
        writing = asyncio.ensure_future(stream.write(b"x" * (WINDOW + 10)))
        await asyncio.sleep(0.05)
        assert sum(len(said) for _, kind, said in far.heard() if kind == DATA) == WINDOW
        assert not writing.done()
        far.says((1, CREDIT, struct.pack(">L", 4)))
        far.says((1, CREDIT, struct.pack(">L", 6)))
        await writing
        assert sum(len(said) for _, _, said in far.heard()) == 10
        stream.write_eof()
        assert far.heard() == [(1, EOF, b"")]

    told(story())


def test_a_reset_breaks_one_connection_and_no_other() -> None:
    async def story() -> None:
        far = FarEnd()
        first, second = await far.opened(1), await far.opened(2)
        far.says((1, DATA, b"last"), (1, CLOSE, b"reset"), (2, DATA, b"well"))
        assert await second.read() == b"well"
        assert await first.read() == b"last"
        with pytest.raises(ForwardBrokenError, match="reset"):
            await first.read()
        with pytest.raises(ForwardBrokenError, match="reset"):
            await first.write(b"x")

    told(story())


def test_the_end_of_the_process_breaks_all_that_it_carried() -> None:
    async def story() -> None:
        far = FarEnd()
        stream = await far.opened()
        reading = asyncio.ensure_future(stream.read())
        writing = asyncio.ensure_future(stream.write(b"x" * (WINDOW + 1)))
        await asyncio.sleep(0)
        far.reader.feed_eof()
        for waiting in (reading, writing):
            with pytest.raises(ForwardBrokenError, match="the way into the host's network is gone"):
                await waiting
        assert (far.carrier.is_broken, far.carrier.is_idle, far.is_gone) == (True, True, True)
        with pytest.raises(ForwardBrokenError):
            await far.carrier.connect("mail", 80)

    told(story())


def test_a_client_that_gives_up_while_it_waits_leaves_nothing() -> None:
    async def story() -> None:
        far = FarEnd()
        connecting = asyncio.ensure_future(far.carrier.connect("mail", 80))
        await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert far.heard() == [(1, OPEN, b"mail 80"), (1, CLOSE, b"")]
        assert far.carrier.is_idle

    told(story())
