"""The inner doors of gateways in front of fake engines, with real sockets."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection

from core.ids import new_id
from core.users.model import CodeRefusedError
from orchestrator.doorkeeper import Entry, EntryRefusedError
from orchestrator.gateway.doors import Doors, SocketDoors
from orchestrator.gateway.forwarding import Forwards
from orchestrator.gateway.front import House
from orchestrator.gateway.inner_answers import InnerAnswers
from orchestrator.gateway.inner_calls import Gateways
from orchestrator.gateway.inner_door import InnerDoor
from orchestrator.gateway.inner_words import Enter, Size
from orchestrator.gateway.limits import Guesses, Limits, Lobby
from orchestrator.gateway.neighbours import Neighbours
from orchestrator.terminal.registry import LiveSessions
from tests.fakes.chronicle import FakeChronicle
from tests.fakes.clock import FakeClock
from tests.fakes.terminal_stage import HOST, FakeEngine, FakeStream, sessions

ANA = Enter(login="ana", size=Size(columns=80, rows=24))


class Doorkeeper:
    """Lets everybody onto one host, but `bob`."""

    def password_fits(self, login: str, password: str) -> bool:
        return False

    def key_fits(self, login: str, public_key: str) -> bool:
        return False

    def staff_login(self, login: str, public_key: str) -> str | None:
        return None

    def code_fits(self, login: str, code: str) -> bool:
        return False

    def code_expired(self, login: str, code: str) -> bool:
        return False

    def enrol_key(self, login: str, code: str, public_key: str) -> None:
        raise CodeRefusedError("no such code")

    def enrol_password(self, login: str, code: str, password: str) -> None:
        raise CodeRefusedError("no such code")

    def edition(self) -> int:
        return 0

    def enter(self, login: str) -> Entry:
        if login.startswith("bob"):
            raise EntryRefusedError("the exercise is paused", hint="Wait")
        return Entry(host=HOST, account="trainee", greeting="Hello")

    def why_leave(self, login: str, entry: Entry) -> str:
        return ""


class Place:
    """A gateway's inner door on a folder, and what its sessions run on."""

    def __init__(self, folder: Path, doors: Doors) -> None:
        self.engine = FakeEngine()
        self.live: LiveSessions = sessions(self.engine)
        chronicle = FakeChronicle()
        limits = Limits(sessions_per_person=2)
        name = new_id(8)
        self.neighbours = Neighbours(doors, name)
        house = House(
            doorkeeper=Doorkeeper(),
            live=self.live,
            forwards=Forwards(None, clock=FakeClock(), chronicle=chronicle),
            chronicle=chronicle,
            limits=limits,
            lobby=Lobby(limits),
            guesses=Guesses(limits),
            neighbours=self.neighbours,
        )
        self.door = InnerDoor(folder, InnerAnswers(house).table(), name=name)
        self.gateways = Gateways(doors)

    def process(self) -> FakeStream:
        """Return the process that the next session finds."""
        stream = FakeStream()
        self.engine.streams.append(stream)
        return stream


@contextlib.asynccontextmanager
async def a_place(folder: Path, doors: Doors | None = None) -> AsyncIterator[Place]:
    """Open a gateway's door in a folder; it finds others by `doors`, by default there, too."""
    place = Place(folder, doors or SocketDoors(folder))
    await place.door.start()
    try:
        yield place
    finally:
        await place.live.close("over")
        await place.door.close()


async def heard(connection: ClientConnection, tell: str) -> dict[str, Any]:
    """Return the next text frame of a kind; what comes before it is passed over."""
    while True:
        message = await connection.recv()
        if isinstance(message, str) and (told := json.loads(message))["tell"] == tell:
            return dict(told)


async def shown(connection: ClientConnection, wanted: bytes) -> bytes:
    """Return what is shown until it has `wanted` in it."""
    seen = b""
    while wanted not in seen:
        message = await connection.recv()
        seen += message if isinstance(message, bytes) else b""
    return seen
