"""Doors that are reached over Redis."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.background import spawn
from orchestrator.gateway.doors import Doors, NearAndFar, SocketDoors
from orchestrator.gateway.over_redis.line import LineBrokenError, listening, until_lost
from orchestrator.gateway.over_redis.place import RedisAwayError, RedisPlace

_log = structlog.get_logger()

_GOODBYE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class RedisDoor:
    """A gateway's door, wherever it is."""

    name: str
    place: RedisPlace
    bell: str

    @property
    def is_near(self) -> bool:
        """It may be anywhere."""
        return False

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[socket.socket]:
        """Lend a connection to it; one to nobody ends at once."""
        ours, theirs = socket.socketpair()
        carrying = spawn(self._carry(theirs))
        try:
            with ours:
                yield ours
        finally:
            await asyncio.wait([carrying], timeout=_GOODBYE_SECONDS)
            carrying.cancel()
            await asyncio.gather(carrying, return_exceptions=True)

    async def _carry(self, connection: socket.socket) -> None:
        line = self.place.line()
        with connection, until_lost(gateway=self.name):
            async with listening(self.place, on=f"{line}:down", to=f"{line}:up") as (redis, end):
                if not await redis.publish(self.bell, line):
                    raise LineBrokenError(self.bell)
                await end.answered()
                await end.carry(connection)


@dataclass(frozen=True, slots=True)
class RedisDoors:
    """The doors of every gateway that meets there."""

    place: RedisPlace

    async def found(self) -> tuple[RedisDoor, ...]:
        """Return them by name; none while Redis does not answer."""
        try:
            bells = await self.place.presences()
        except RedisAwayError as error:
            _log.warning("gateways.out_of_reach", reason=str(error))
            return ()
        return tuple(RedisDoor(name, self.place, bell) for name, bell in bells.items())


def all_doors(folder: Path, place: RedisPlace | None) -> Doors:
    """Return the doors of this machine's gateways, and of all others where there is a place."""
    near = SocketDoors(folder)
    return NearAndFar(near, RedisDoors(place)) if place else near
