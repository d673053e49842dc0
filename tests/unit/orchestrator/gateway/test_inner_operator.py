"""What an operator asks gateways at their inner doors, with real sockets."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.gateway.doors import SocketDoors
from orchestrator.gateway.facts import GatewayFacts, Refusal
from orchestrator.gateway.inner_calls import Gateways
from orchestrator.gateway.inner_door import InnerDoor
from orchestrator.gateway.inner_operator import OperatorAnswers
from tests.fakes.clock import FakeClock
from tests.fakes.terminal_stage import play, settle

NOW = FakeClock().now()


@dataclass(kw_only=True)
class OperatedGateway:
    """A gateway that remembers how long it was given."""

    since: int
    given: list[timedelta] = field(default_factory=list)

    def facts(self) -> GatewayFacts:
        return GatewayFacts(
            name=f"gateway-{self.since}",
            since=NOW + timedelta(seconds=self.since),
            draining=None,
            connections=1,
            strangers=0,
            sessions=3,
            kept=1,
            waiting=0,
            forwards=2,
            bytes_shown=77,
            refused={Refusal.KEY: 4},
            bans={"192.0.2.7": NOW},
        )

    def leave(self, *, within: timedelta) -> None:
        self.given.append(within)


@contextlib.asynccontextmanager
async def a_door(folder: Path, gateway: OperatedGateway) -> AsyncIterator[str]:
    """Lend the name of a gateway that answers in a folder."""
    door = InnerDoor(folder, OperatorAnswers(gateway).table())
    await door.start()
    try:
        yield door.name
    finally:
        await door.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "gateways"


def test_every_gateway_tells_its_facts_the_oldest_first(folder: Path) -> None:
    async def story() -> None:
        young, old = OperatedGateway(since=9), OperatedGateway(since=2)
        async with a_door(folder, young), a_door(folder, old):
            assert await Gateways(SocketDoors(folder)).status() == (old.facts(), young.facts())
        assert await Gateways(SocketDoors(folder)).status() == ()

    play(story())


def test_all_gateways_are_drained_or_those_that_are_named(folder: Path) -> None:
    async def story() -> None:
        one, other = OperatedGateway(since=1), OperatedGateway(since=2)
        gateways = Gateways(SocketDoors(folder))
        async with a_door(folder, one) as first, a_door(folder, other) as second:
            within = timedelta(minutes=10)
            assert await gateways.drain(within=within, names=[second]) == (second,)
            await settle()
            assert (one.given, other.given) == ([], [within])
            both = await gateways.drain(within=timedelta())
            assert both == tuple(sorted((first, second)))
            await settle()
            assert (one.given, other.given) == ([timedelta()], [within, timedelta()])
            assert await gateways.drain(within=within, names=["nobody"]) == ()

    play(story())


def test_a_gateway_that_was_killed_is_passed_over(folder: Path) -> None:
    async def story() -> None:
        async with a_door(folder, OperatedGateway(since=1)) as name:
            (folder / "dead.sock").touch()
            assert [facts.name for facts in await Gateways(SocketDoors(folder)).status()] == [
                "gateway-1"
            ]
            assert await Gateways(SocketDoors(folder)).drain(within=timedelta()) == (name,)

    play(story())
