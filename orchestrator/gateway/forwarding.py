"""Forwards of SSH connections: `-L`, `-D`, `-W` and `-J` into the network of the landing host."""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import asyncssh
import structlog

from core.background import spawn
from core.clock import Clock
from core.errors import Fault, PoligonError
from orchestrator.doorkeeper import Doorkeeper, Entry
from orchestrator.terminal.reach import ByteStream, ForwardBrokenError, ForwardRefusedError, Reach

_log = structlog.get_logger()

_ADDRESS = re.compile(r"[A-Za-z0-9._:%-]{1,255}")
_MOST_PORT = 65535
_MOST_HELD = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Whose forward it is, and where it leads. `connection` is the same for all of one client's."""

    connection: str
    login: str
    entry: Entry
    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """A forward that is over, and the bytes it carried each way."""

    goal: Goal
    began: datetime
    ended: datetime
    to_target: int
    from_target: int


class Forward(asyncssh.SSHTCPSession[bytes]):
    """Hands on what the client and the other end of a forward say; either may end first."""

    def __init__(
        self, goal: Goal, stream: ByteStream, *, on_end: Callable[["Forward"], None]
    ) -> None:
        self.goal = goal
        self.to_target = 0
        self.from_target = 0
        self._stream = stream
        self._on_end = on_end
        self._channel: asyncssh.SSHTCPChannel[bytes]
        self._full: set[str] = set()
        self._may_show = asyncio.Event()
        self._may_show.set()
        self._held: deque[bytes] = deque()
        self._size_held = 0
        self._says_more = True
        self._told = asyncio.Event()

    # What the SSH library tells

    def connection_made(self, chan: asyncssh.SSHTCPChannel[bytes]) -> None:
        """Keep the channel."""
        self._channel = chan

    def session_started(self) -> None:
        """Begin to hand on."""
        self._running = spawn(self._run())

    def data_received(self, data: bytes, _datatype: int | None) -> None:
        """Hold what the client says until the other end takes it."""
        self._held.append(data)
        self._size_held += len(data)
        if self._size_held > _MOST_HELD:
            self._channel.pause_reading()
        self._told.set()

    def eof_received(self) -> bool:
        """End one way, and keep the other."""
        self._says_more = False
        self._told.set()
        return True

    def pause_writing(self) -> None:
        """Read no more from the other end: the client's window is full."""
        self.hold("window")

    def resume_writing(self) -> None:
        """Read on."""
        self.release("window")

    def connection_lost(self, _exc: Exception | None) -> None:
        """Drop the connection: the client closed the channel or is gone."""
        self._let_go()

    def hold(self, reason: str) -> None:
        """Read nothing from the other end as long as any reason holds."""
        self._full.add(reason)
        self._may_show.clear()

    def release(self, reason: str) -> None:
        """Drop a reason."""
        self._full.discard(reason)
        if not self._full:
            self._may_show.set()

    def cut(self) -> None:
        """End both ways at once."""
        self._let_go()
        self._channel.abort()

    def _let_go(self) -> None:
        """Drop the connection, and wake whoever waits for the client."""
        self._stream.close()
        self._says_more = False
        self._held.clear()
        self._told.set()
        self._may_show.set()

    async def _run(self) -> None:
        sending = spawn(self._send())
        ways = {sending, spawn(self._show())}
        # When the other end has said all, nobody reads who would be told that it is gone.
        breaking = spawn(self._stream.broken())
        breaking.add_done_callback(lambda _: sending.cancel())
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            breaking.cancel()
            self._stream.close()
            for way in ways:
                way.cancel()
            for failure in await asyncio.gather(*ways, return_exceptions=True):
                if isinstance(failure, Exception) and not isinstance(failure, ForwardBrokenError):
                    _log.error("forward.crashed", error=repr(failure))
            self._channel.close()
            self._on_end(self)

    async def _send(self) -> None:
        """Give the other end what the client says."""
        while self._held or self._says_more:
            if not self._held:
                self._told.clear()
                await self._told.wait()
                continue
            data = self._held.popleft()
            await self._stream.write(data)
            self.to_target += len(data)
            self._size_held -= len(data)
            if self._size_held <= _MOST_HELD:
                self._channel.resume_reading()
        self._stream.write_eof()

    async def _show(self) -> None:
        """Give the client what the other end says."""
        while data := await self._stream.read():
            await self._may_show.wait()
            if self._channel.is_closing():
                return
            self._channel.write(data)
            self.from_target += len(data)
        self._channel.write_eof()


class ForwardChronicle(Protocol):
    """Is told of forwards, on their event loop. Must return at once and never raise."""

    def forwarded(self, over: Forwarded) -> None:
        """Take a forward that is over."""
        ...

    def left(self, connection: str) -> None:
        """Take the end of a connection, after that of its last forward."""
        ...


class Forwards:
    """Every forward of this process: opened here, ended here."""

    def __init__(
        self,
        reach: Reach | None,
        *,
        clock: Clock,
        chronicle: ForwardChronicle,
    ) -> None:
        self._reach = reach
        self._clock = clock
        self._chronicle = chronicle
        self._live: dict[Forward, datetime] = {}
        self._left: set[str] = set()

    def __iter__(self) -> Iterator[Forward]:
        return iter(tuple(self._live))

    def of(self, connection: str) -> tuple[Forward, ...]:
        """Return those of one client's connection."""
        return tuple(forward for forward in self if forward.goal.connection == connection)

    async def open(self, goal: Goal) -> Forward:
        """Return a forward that is listed from now on; raises what `Reach.connect` raises."""
        if self._reach is None:
            raise ForwardRefusedError("nothing is forwarded by this gateway")
        if not _ADDRESS.fullmatch(goal.address) or not 0 < goal.port <= _MOST_PORT:
            raise ForwardRefusedError("this is no address and port that anybody could have")
        stream = await self._reach.connect(goal.entry.host, goal.address, goal.port)
        forward = Forward(goal, stream, on_end=self._ended)
        self._live[forward] = self._clock.now()
        return forward

    async def look(self, doorkeeper: Doorkeeper) -> None:
        """Cut the forwards of those who may no longer stay."""
        for forward, why in await asyncio.to_thread(self._unwelcome, doorkeeper, tuple(self)):
            _log.info("forward.cut", login=forward.goal.login, reason=why)
            forward.cut()

    async def close(self) -> None:
        """End every forward, and leave nothing beside a host."""
        if self._reach is not None:
            await self._reach.close()

    def drop(self, forward: Forward) -> None:
        """Forget one whose client left before it could be told."""
        forward.connection_lost(None)
        self._live.pop(forward, None)
        self._tell_if_last(forward.goal.connection)

    def leave(self, connection: str) -> None:
        """Take the end of a client's connection; whoever is to know is told after its forwards."""
        self._left.add(connection)
        self._tell_if_last(connection)

    def _tell_if_last(self, connection: str) -> None:
        if connection in self._left and not self.of(connection):
            self._left.remove(connection)
            self._chronicle.left(connection)

    def _ended(self, forward: Forward) -> None:
        began = self._live.pop(forward)
        self._chronicle.forwarded(
            Forwarded(
                goal=forward.goal,
                began=began,
                ended=self._clock.now(),
                to_target=forward.to_target,
                from_target=forward.from_target,
            )
        )
        self._tell_if_last(forward.goal.connection)

    def _unwelcome(
        self, doorkeeper: Doorkeeper, inside: tuple[Forward, ...]
    ) -> list[tuple[Forward, str]]:
        """Return who must go, and why; one client's forwards are asked about once."""
        why: dict[str, str] = {}
        for forward in inside:
            goal = forward.goal
            if goal.connection not in why:
                why[goal.connection] = doorkeeper.why_leave(goal.login, goal.entry)
        return [(each, why[each.goal.connection]) for each in inside if why[each.goal.connection]]


def log_forward(over: Forwarded) -> None:
    """Write an event for a forward that is over."""
    host = over.goal.entry.host
    _log.info(
        "forward.closed",
        login=over.goal.login,
        exercise=host.world.exercise,
        team=host.world.team,
        host=host.host,
        target=over.goal.address,
        port=over.goal.port,
        seconds=round((over.ended - over.began).total_seconds(), 3),
        to_target=over.to_target,
        from_target=over.from_target,
    )


def refusal(error: PoligonError) -> asyncssh.ChannelOpenError:
    """Return what SSH tells of a forward that is not opened."""
    denied = error.fault is Fault.DENIED
    code = asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED if denied else asyncssh.OPEN_CONNECT_FAILED
    return asyncssh.ChannelOpenError(code, str(error))
