"""A gateway's presence at Redis, and its answer to whoever rings there."""

import asyncio
import contextlib

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from core.background import spawn
from orchestrator.gateway.doors import Door
from orchestrator.gateway.over_redis.line import listening, subscribed, until_lost
from orchestrator.gateway.over_redis.place import REDIS_FAILS, RedisPlace

_log = structlog.get_logger()

_RENEWED_SECONDS = 5
_EXPIRY_SECONDS = 15
_AGAIN_SECONDS = 1
_GOODBYE_SECONDS = 5


class Bell:
    """Leads whoever rings at Redis to a gateway's door. It is up again by itself after Redis."""

    def __init__(self, place: RedisPlace, door: Door) -> None:
        self.is_heard = False
        self._place = place
        self._door = door
        self._channel = place.bell()
        self._listening: asyncio.Task[None] | None = None
        self._lines: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin; it is nobody's trouble when Redis does not answer."""
        self._listening = spawn(self._listen())

    async def close(self) -> None:
        """Be found no more, and return when every line that there was has ended."""
        if self._listening:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        with contextlib.suppress(*REDIS_FAILS):
            async with self._place.client() as redis:
                await redis.delete(self._place.presence(self._door.name))
        if self._lines:
            await asyncio.wait(self._lines, timeout=_GOODBYE_SECONDS)
        late = tuple(self._lines)
        for line in late:
            line.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._place.client() as redis, redis.pubsub() as heard:
                    await subscribed(heard, self._channel)
                    await self._stay(redis, heard)
            except REDIS_FAILS as error:
                if self.is_heard:
                    _log.warning("bell.lost", reason=str(error))
                self.is_heard = False
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _stay(self, redis: Redis, heard: PubSub) -> None:
        """Be found, and answer; raises REDIS_FAILS when Redis is gone."""
        loop = asyncio.get_running_loop()
        presence = self._place.presence(self._door.name)
        while True:
            await redis.set(presence, self._channel, ex=_EXPIRY_SECONDS)
            if not self.is_heard:
                self.is_heard = True
                _log.info("bell.heard", gateway=self._door.name)
            renewed = loop.time() + _RENEWED_SECONDS
            while (left := renewed - loop.time()) > 0:
                message = await heard.get_message(ignore_subscribe_messages=True, timeout=left)
                if message is not None:
                    self._answer(message["data"].decode())

    def _answer(self, line: str) -> None:
        task = spawn(self._carry(line))
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)

    async def _carry(self, line: str) -> None:
        with until_lost(gateway=self._door.name):
            async with (
                listening(self._place, on=f"{line}:up", to=f"{line}:down") as (_, end),
                self._door.opened() as connection,
            ):
                await end.answer()
                await end.carry(connection)
