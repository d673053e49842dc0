"""Where the forwards of a connection begin, asked once while it holds."""

import asyncio

from core.errors import PoligonError
from orchestrator.doorkeeper import Entry, EntryRefusedError
from orchestrator.gateway.forward_entry import ForwardEntry
from tests.fakes.gateway_stage import OpenDoor, key_of


class Hall:
    """A landing before an open door, and how often somebody came in by it."""

    def __init__(self) -> None:
        self.door = OpenDoor(hosts={"eve": key_of("desk")})
        self.entered = 0
        self.landing = ForwardEntry(self.door, self.enter)

    async def enter(self, login: str) -> Entry | PoligonError:
        self.entered += 1
        await asyncio.sleep(0)
        try:
            return self.door.enter(login)
        except EntryRefusedError as error:
            return error


def test_fifty_forwards_at_once_are_one_entry() -> None:
    async def story() -> None:
        hall = Hall()
        entries = await asyncio.gather(*(hall.landing.entry("eve") for _ in range(50)))
        assert {entry.host for entry in entries if isinstance(entry, Entry)} == {key_of("desk")}
        assert hall.entered == 1

    asyncio.run(story())


def test_the_entry_of_a_session_is_that_of_the_forwards_beside_it() -> None:
    async def story() -> None:
        hall = Hall()
        entry = hall.door.enter("eve")
        hall.landing.keep(entry)
        assert await hall.landing.entry("eve") is entry
        assert hall.entered == 0

    asyncio.run(story())


def test_who_may_not_stay_is_asked_anew_and_refused() -> None:
    async def story() -> None:
        hall = Hall()
        before = await hall.landing.entry("eve")
        hall.door.closed = "the exercise is paused"
        assert isinstance(await hall.landing.entry("eve"), EntryRefusedError)
        hall.door.closed = ""
        assert await hall.landing.entry("eve") == before
        assert hall.entered == 3

    asyncio.run(story())
