"""A stream of bytes between a socket here and one in another process, over Redis.

Each end listens on a channel of its own and publishes on the other's. Redis tells how many heard
a message, so who is gone is noticed with the next one, and one comes every few seconds. Channels
keep nothing: a line does not outlive its connections to Redis, and leaves nothing there.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from enum import Enum

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from core.background import spawn
from orchestrator.gateway.over_redis.place import REDIS_FAILS, RedisPlace

_log = structlog.get_logger()

_PIECE = 32 * 1024
_WINDOW = 256 * 1024  # bytes under way in a direction; Redis holds no more for a slow reader
_ALIVE_SECONDS = 4
_SILENCE_SECONDS = 12  # three signs of life were missed
_OPENING_SECONDS = 3
_GOODBYE_SECONDS = 5


class LineBrokenError(Exception):
    """The other end is gone."""


class _Frame(bytes, Enum):
    """What a message begins with."""

    DATA = b"d"
    TAKEN = b"t"  # so many bytes were passed on, and as many more may be sent
    ALIVE = b"a"
    END = b"e"


class Line:
    """One end of a line; `listening` opens it."""

    def __init__(self, redis: Redis, heard: PubSub, *, to: str) -> None:
        self._redis = redis
        self._heard = heard
        self._to = to
        self._under_way = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._untaken = 0
        self._has_untaken = asyncio.Event()

    async def answered(self) -> None:
        """Return when the other end is there; raises TimeoutError, RedisError."""
        async with asyncio.timeout(_OPENING_SECONDS):
            await self._next()

    async def answer(self) -> None:
        """Tell the other end that this one is there; raises LineBrokenError, RedisError."""
        await self._send(_Frame.ALIVE)

    async def carry(self, connection: socket.socket) -> None:
        """Carry what comes of a socket and what is for it, until one side ends or is lost."""
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        writer.transport.set_write_buffer_limits(high=0)
        going = [
            spawn(work)
            for work in (
                self._outwards(reader),
                self._inwards(writer),
                self._tell_taken(writer),
                self._tell_alive(),
            )
        ]
        try:
            done, _ = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in going:
                task.cancel()
            try:
                await asyncio.gather(*going, return_exceptions=True)
                await _closed(writer)
            finally:
                writer.transport.abort()

    async def _outwards(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(_PIECE):
            await self._send(_Frame.DATA, data)
            self._under_way += len(data)
            if self._under_way >= _WINDOW:
                self._has_room.clear()
            await self._has_room.wait()
        await self._send(_Frame.END)

    async def _inwards(self, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes; it never waits, so that what the other end took is heard."""
        while True:
            async with asyncio.timeout(_SILENCE_SECONDS):
                kind, data = await self._next()
            match kind:
                case _Frame.DATA:
                    writer.write(data)
                    self._untaken += len(data)
                    self._has_untaken.set()
                case _Frame.TAKEN:
                    self._under_way -= int.from_bytes(data)
                    if self._under_way < _WINDOW:
                        self._has_room.set()
                case _Frame.END:
                    return
                case _Frame.ALIVE:
                    pass

    async def _tell_taken(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await self._has_untaken.wait()
            self._has_untaken.clear()
            await writer.drain()
            taken, self._untaken = self._untaken, 0
            await self._send(_Frame.TAKEN, taken.to_bytes(4))

    async def _tell_alive(self) -> None:
        while True:
            await asyncio.sleep(_ALIVE_SECONDS)
            await self._send(_Frame.ALIVE)

    async def _next(self) -> tuple[_Frame, bytes]:
        while True:
            message = await self._heard.get_message(ignore_subscribe_messages=True, timeout=None)
            if message is not None:
                return _Frame(message["data"][:1]), message["data"][1:]

    async def _send(self, kind: _Frame, data: bytes = b"") -> None:
        if not await self._redis.publish(self._to, kind + data):
            raise LineBrokenError(self._to)


@contextlib.contextmanager
def until_lost(**what: str) -> Iterator[None]:
    """Let a line be lost, and log it: both its ends see a connection that is gone."""
    try:
        yield
    except (LineBrokenError, *REDIS_FAILS) as error:
        _log.info("line.lost", reason=repr(error), **what)


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a socket after what is left for it; who does not take that loses it."""
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def listening(place: RedisPlace, *, on: str, to: str) -> AsyncIterator[tuple[Redis, Line]]:
    """Lend an end that hears what is said on one channel and speaks on another.

    Raises RedisError, OSError, TimeoutError.
    """
    async with place.client() as redis, redis.pubsub() as heard:
        await subscribed(heard, on)
        yield redis, Line(redis, heard, to=to)


async def subscribed(heard: PubSub, channel: str) -> None:
    """Return when whatever is published on a channel is heard; raises RedisError, TimeoutError."""
    await heard.subscribe(channel)
    async with asyncio.timeout(_OPENING_SECONDS):
        while not await heard.get_message(timeout=None):
            pass
