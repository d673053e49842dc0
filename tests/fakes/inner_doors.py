"""Ways in which gateways can be reached, for suites that hold for all of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

from orchestrator.gateway.doors import Doors, SocketDoor, SocketDoors
from orchestrator.gateway.over_redis.bell import Bell
from orchestrator.gateway.over_redis.doors import RedisDoors
from orchestrator.gateway.over_redis.place import RedisPlace


async def eventually(is_true: Callable[[], bool]) -> None:
    """Return when it is true; the story around it has an end."""
    while not is_true():  # noqa: ASYNC110  # what is waited for happens in other processes, too
        await asyncio.sleep(0.01)


class Way(Protocol):
    """How doors are found, and what makes one findable."""

    @property
    def doors(self) -> Doors:
        """Return what everybody finds."""
        ...

    def folder(self) -> Path:
        """Return where the next gateway has its socket."""
        ...

    def announced(self, door: SocketDoor) -> contextlib.AbstractAsyncContextManager[None]:
        """Have a door found by others."""
        ...


class BySockets:
    """All in one folder."""

    def __init__(self, folder: Path) -> None:
        self.doors = SocketDoors(folder)

    def folder(self) -> Path:
        return self.doors.folder

    @contextlib.asynccontextmanager
    async def announced(self, door: SocketDoor) -> AsyncIterator[None]:
        yield


class ByRedis:
    """Each in a folder of its own, and announced at a Redis."""

    def __init__(self, folder: Path, place: RedisPlace) -> None:
        self.doors = RedisDoors(place)
        self._folder = folder
        self._machines = 0

    def folder(self) -> Path:
        self._machines += 1
        return self._folder / f"machine-{self._machines}"

    @contextlib.asynccontextmanager
    async def announced(self, door: SocketDoor) -> AsyncIterator[None]:
        bell = Bell(self.doors.place, door)
        bell.start()
        try:
            await eventually(lambda: bell.is_heard)
            yield
        finally:
            await bell.close()
