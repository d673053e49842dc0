"""Gateways of this machine and of others, seen together."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.gateway.doors import NearAndFar, SocketDoor, SocketDoors
from orchestrator.gateway.inner_calls import Gateways
from tests.fakes.inner_place import ANA, Place, a_place, heard
from tests.fakes.terminal_stage import FakeClient, a_visit, play, settle


@dataclass(frozen=True, slots=True)
class FarDoor(SocketDoor):
    @property
    def is_near(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class FarDoors:
    """Doors that are reached over sockets and say that they are far."""

    folders: tuple[Path, ...]

    async def found(self) -> tuple[FarDoor, ...]:
        return tuple(FarDoor(path) for folder in self.folders for path in folder.glob("*.sock"))


@pytest.fixture
def both(tmp_path: Path) -> NearAndFar:
    """Lend the doors of both machines; those here are found from afar, too."""
    here, there = tmp_path / "here", tmp_path / "there"
    return NearAndFar(SocketDoors(here), FarDoors((here, there)))


@contextlib.asynccontextmanager
async def two_machines(folder: Path) -> AsyncIterator[tuple[Place, Place]]:
    async with a_place(folder / "here") as here, a_place(folder / "there") as there:
        yield here, there


def test_a_gateway_that_is_reached_both_ways_is_there_once_and_near(
    both: NearAndFar, tmp_path: Path
) -> None:
    async def story() -> None:
        async with two_machines(tmp_path) as (here, there):
            found = [(door.name, door.is_near) for door in await both.found()]
            assert found == [(here.door.name, True), (there.door.name, False)]

    play(story())


def test_a_new_terminal_of_a_page_is_on_this_machine_although_others_have_fewer(
    both: NearAndFar, tmp_path: Path
) -> None:
    async def story() -> None:
        async with two_machines(tmp_path) as (here, there):
            for place in (here, here, there):
                place.process()
            here.live.join(a_visit(login="ben"), FakeClient())
            await settle()
            async with Gateways(both).entering(ANA) as page:
                await heard(page, "opened")
                assert (len(list(here.live)), len(list(there.live))) == (2, 0)

    play(story())


def test_a_terminal_that_another_machine_keeps_comes_before_a_new_one(
    both: NearAndFar, tmp_path: Path
) -> None:
    async def story() -> None:
        async with two_machines(tmp_path) as (here, there):
            there.process()
            left = there.live.join(a_visit(), FakeClient())
            await settle()
            left.hang_up()
            async with Gateways(both).entering(ANA) as page:
                assert (await heard(page, "opened"))["resumed"]
                assert list(here.live) == []

    play(story())


def test_what_is_far_takes_who_comes_when_nobody_is_near(both: NearAndFar, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path / "there") as there:
            there.process()
            async with Gateways(both).entering(ANA) as page:
                await heard(page, "opened")
            assert await Gateways(both).drain(within=timedelta()) == ()

    play(story())
