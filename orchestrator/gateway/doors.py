"""How inner doors of gateways are found and reached: over sockets of a folder, or from afar.

Whatever the way, what comes of it is a connected stream socket with the same words on it.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Door(Protocol):
    """A gateway's inner door."""

    @property
    def name(self) -> str:
        """The gateway's name."""
        ...

    @property
    def is_near(self) -> bool:
        """Whether it is on this machine, in front of the same engine as its neighbours."""
        ...

    def opened(self) -> AbstractAsyncContextManager[socket.socket]:
        """Lend a connected unix socket; what it is used for closes it.

        Raises OSError, or lends one that ends at once, when nobody is behind the door.
        """
        ...


class Doors(Protocol):
    """The inner doors that there are now."""

    async def found(self) -> Sequence[Door]:
        """Return them; there may be nobody behind one of them any more."""
        ...


@dataclass(frozen=True, slots=True)
class SocketDoor:
    """A door on this machine: a unix socket."""

    path: Path

    @property
    def name(self) -> str:
        """The gateway's name, after which its socket is called."""
        return self.path.stem

    @property
    def is_near(self) -> bool:
        """It is: a unix socket ends with the machine."""
        return True

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[socket.socket]:
        """Lend a connection to it; raises OSError."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(0)
            await asyncio.get_running_loop().sock_connect(connection, str(self.path))
            yield connection


@dataclass(frozen=True, slots=True)
class SocketDoors:
    """The doors in a folder."""

    folder: Path

    async def found(self) -> tuple[SocketDoor, ...]:
        """Return them by name."""
        return tuple(map(SocketDoor, sorted(self.folder.glob("*.sock"))))


@dataclass(frozen=True, slots=True)
class NearAndFar:
    """The doors of this machine, and those that are reached from afar alone."""

    near: Doors
    far: Doors

    async def found(self) -> tuple[Door, ...]:
        """Return each gateway's once, by the near way if there is one."""
        near = await self.near.found()
        names = {door.name for door in near}
        return (*near, *(door for door in await self.far.found() if door.name not in names))
