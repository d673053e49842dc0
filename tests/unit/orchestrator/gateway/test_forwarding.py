"""A forward between an SSH channel and a connection; who may have one, and how long."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from core.ids import ExerciseId
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.doorkeeper import Entry, EntryRefusedError
from orchestrator.gateway.book_chronicle import BookChronicle
from orchestrator.gateway.forwarding import Forward, Forwards, Goal, refusal
from orchestrator.terminal.book import Began, Ended, ForwardClosed, Kind, Note
from orchestrator.terminal.reach import ByteStream, ForwardBrokenError, ForwardRefusedError, Reach
from orchestrator.terminal.recorder import CastWriter
from tests.fakes.chronicle import FakeChronicle
from tests.fakes.clock import FakeClock
from tests.fakes.gateway_stage import OpenDoor

DESK = HostKey(world=WorldKey(exercise=ExerciseId("exercise"), team="team-1"), host="desk")


@dataclass
class FakeStream(ByteStream):
    """A connection of which a test is the other end; a piece `None` is a reset."""

    comes: "asyncio.Queue[bytes | None]" = field(default_factory=asyncio.Queue)
    took: list[bytes] = field(default_factory=list)
    room: asyncio.Event = field(default_factory=asyncio.Event)
    breaks: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    closed: bool = False

    async def read(self) -> bytes:
        piece = await self.comes.get()
        if piece is None:
            raise ForwardBrokenError("reset")
        return piece

    async def write(self, data: bytes) -> None:
        await self.room.wait()
        self.took.append(data)

    def write_eof(self) -> None:
        self.ended = True

    async def broken(self) -> None:
        await self.breaks.wait()

    def close(self) -> None:
        self.closed = True
        self.breaks.set()
        self.comes.put_nowait(None)


@dataclass
class FakeReach(Reach):
    """Leads everywhere."""

    asked: list[tuple[HostKey, str, int]] = field(default_factory=list)
    streams: list[FakeStream] = field(default_factory=list)

    async def connect(self, host: HostKey, address: str, port: int) -> ByteStream:
        self.asked.append((host, address, port))
        self.streams.append(FakeStream())
        return self.streams[-1]

    async def close(self) -> None:
        for stream in self.streams:
            stream.close()


@dataclass
class FakeChannel:
    """What a forward uses of the SSH library's channel."""

    shown: bytearray = field(default_factory=bytearray)
    ended: bool = False
    closed: bool = False
    paused: bool = False

    def write(self, data: bytes) -> None:
        self.shown += data

    def write_eof(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_paused(self) -> bool:
        return self.paused

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close


class House:
    """Forwards over a reach that leads everywhere, and what was told of them."""

    def __init__(self) -> None:
        self.reach = FakeReach()
        self.chronicle = FakeChronicle()
        self.forwards = Forwards(self.reach, clock=FakeClock(), chronicle=self.chronicle)

    async def opened(self) -> tuple[Forward, FakeStream, FakeChannel]:
        forward = await self.forwards.open(a_goal())
        channel = FakeChannel()
        forward.connection_made(channel)  # type: ignore[arg-type]  # what is used of it
        forward.session_started()
        return forward, self.reach.streams[-1], channel


def a_goal(*, connection: str = "c1", address: str = "mail", port: int = 80) -> Goal:
    entry = Entry(host=DESK, account="trainee", greeting="")
    return Goal(connection=connection, login="ana", entry=entry, address=address, port=port)


async def settle() -> None:
    """Let everybody have as many turns as they need."""
    for _ in range(100):
        await asyncio.sleep(0)


def told(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def test_both_ways_are_handed_on_and_each_may_end_first() -> None:
    async def story() -> None:
        house = House()
        forward, stream, channel = await house.opened()
        stream.room.set()
        forward.data_received(b"question", None)
        assert forward.eof_received(), "the other way stays open"
        await settle()
        assert (stream.took, stream.ended, channel.closed) == ([b"question"], True, False)
        stream.comes.put_nowait(b"answer")
        stream.comes.put_nowait(b"")
        await settle()
        assert (bytes(channel.shown), channel.ended, channel.closed) == (b"answer", True, True)
        (over,) = house.chronicle.forwards
        assert (over.goal, over.to_target, over.from_target) == (a_goal(), 8, 6)
        assert list(house.forwards) == []

    told(story())


def test_a_break_ends_what_only_waits_for_the_client() -> None:
    async def story() -> None:
        house = House()
        _, stream, channel = await house.opened()
        stream.comes.put_nowait(b"all that there is")
        stream.comes.put_nowait(b"")
        await settle()
        assert (channel.ended, channel.closed) == (True, False)
        stream.breaks.set()
        await settle()
        assert (bytes(channel.shown), channel.closed) == (b"all that there is", True)
        assert len(house.chronicle.forwards) == 1

    told(story())


def test_a_slow_other_end_holds_the_client() -> None:
    async def story() -> None:
        house = House()
        forward, stream, channel = await house.opened()
        for _ in range(6):
            forward.data_received(b"x" * 64 * 1024, None)
        await settle()
        assert channel.is_paused()
        stream.room.set()
        await settle()
        assert not channel.is_paused()
        assert len(stream.took) == 6
        forward.cut()
        await settle()

    told(story())


@pytest.mark.parametrize("reasons", [["window"], ["connection"], ["window", "connection"]])
def test_a_slow_client_holds_the_other_end(reasons: list[str]) -> None:
    async def story() -> None:
        house = House()
        forward, stream, channel = await house.opened()
        for reason in reasons:
            forward.hold(reason)
        for piece in (b"one", b"two", b"three"):
            stream.comes.put_nowait(piece)
        await settle()
        assert channel.shown == b""
        assert stream.comes.qsize() == 2, "no more is read than one piece"
        for reason in reasons:
            assert channel.shown == b""
            forward.release(reason)
            await settle()
        assert channel.shown == b"onetwothree"
        forward.cut()
        await settle()

    told(story())


@pytest.mark.parametrize("held", [False, True])
def test_a_client_that_goes_ends_the_connection(held: bool) -> None:  # noqa: FBT001  # a parameter
    async def story() -> None:
        house = House()
        forward, stream, channel = await house.opened()
        if held:
            forward.hold("window")
            stream.comes.put_nowait(b"never shown")
            await settle()
        channel.closed = True
        forward.connection_lost(None)
        await settle()
        assert stream.closed
        assert len(house.chronicle.forwards) == 1

    told(story())


def test_a_reset_of_the_other_end_closes_the_channel() -> None:
    async def story() -> None:
        house = House()
        _, stream, channel = await house.opened()
        stream.comes.put_nowait(None)
        await settle()
        assert (channel.closed, channel.ended) == (True, False)
        assert len(house.chronicle.forwards) == 1

    told(story())


def test_forwards_end_when_their_owner_may_no_longer_stay() -> None:
    async def story() -> None:
        house = House()
        _, stream, channel = await house.opened()
        door = OpenDoor(hosts={"ana": DESK})
        await house.forwards.look(door)
        assert not channel.is_closing()
        door.closed = "the exercise is paused"
        await house.forwards.look(door)
        await settle()
        assert channel.is_closing()
        assert stream.closed
        assert list(house.forwards) == []

    told(story())


@pytest.mark.parametrize(
    ("address", "port"),
    [("", 80), ("a b", 80), ("a\n", 80), ("a\0", 80), ("x" * 256, 80), ("mail", 0), ("m", 65536)],
)
def test_what_is_no_address_is_never_asked_for(address: str, port: int) -> None:
    async def story() -> None:
        house = House()
        with pytest.raises(ForwardRefusedError, match="no address and port"):
            await house.forwards.open(a_goal(address=address, port=port))
        assert house.reach.asked == []

    told(story())


def test_a_gateway_without_reach_says_so() -> None:
    async def story() -> None:
        forwards = Forwards(None, clock=FakeClock(), chronicle=FakeChronicle())
        with pytest.raises(ForwardRefusedError, match="nothing is forwarded"):
            await forwards.open(a_goal())

    told(story())


def test_a_client_that_left_meanwhile_leaves_nothing() -> None:
    async def story() -> None:
        house = House()
        forward = await house.forwards.open(a_goal())
        house.forwards.drop(forward)
        assert house.reach.streams[0].closed
        assert list(house.forwards) == []

    told(story())


def test_one_knows_the_forwards_of_a_connection() -> None:
    async def story() -> None:
        house = House()
        mine = await house.forwards.open(a_goal())
        await house.forwards.open(a_goal(connection="c2"))
        assert house.forwards.of("c1") == (mine,)

    told(story())


def test_a_refusal_tells_ssh_whether_nobody_answered_or_nobody_may() -> None:
    assert refusal(ForwardRefusedError("gone")).code == 2
    assert refusal(EntryRefusedError("paused")).code == 1
    assert refusal(EntryRefusedError("paused")).reason == "paused"


class Book:
    def __init__(self) -> None:
        self.notes: list[Note] = []

    def note(self, entry: Note) -> None:
        self.notes.append(entry)


def test_a_connections_forwards_are_written_down_as_one_session(tmp_path: Path) -> None:
    async def story() -> None:
        book = Book()
        writer = CastWriter(tmp_path, book, FakeClock())
        chronicle = BookChronicle(book, writer, FakeClock())
        reach = FakeReach()
        forwards = Forwards(reach, clock=FakeClock(), chronicle=chronicle)
        first, second = [await forwards.open(a_goal(port=port)) for port in (80, 443)]
        for forward in (first, second):
            forward.connection_made(FakeChannel())  # type: ignore[arg-type]  # as above
            forward.session_started()
        first.cut()
        await settle()
        forwards.leave("c1")
        assert [type(note) for note in book.notes] == [Began, ForwardClosed]
        second.cut()
        await settle()
        began, *closed, ended = book.notes
        assert isinstance(began, Began)
        assert (began.session, began.kind, began.login) == ("c1", Kind.FORWARD, "ana")
        assert [note.port for note in closed if isinstance(note, ForwardClosed)] == [80, 443]
        assert isinstance(ended, Ended)
        forwards.leave("c2")
        assert len(book.notes) == 4, "who forwarded nothing is not written down"
        writer.close()

    told(story())
