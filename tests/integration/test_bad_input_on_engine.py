"""What an engine by itself would stumble over: many networks, same names, longest names."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network

import docker
import pytest

from core.ids import ExerciseId, new_id
from core.settings import read_settings
from orchestrator.domain.world import Attachment, HostKey, HostPlan, NetworkPlan, WorldKey
from orchestrator.engine.runtime import DockerEngine
from tests.addresses import fresh_subnet
from tests.fakes.fake_engine import BASE_IMAGE

pytestmark = pytest.mark.engine

# An engine with its default pools has room for 31 networks.
MANY = 33


@pytest.fixture
def engine(docker_client: docker.DockerClient) -> Iterator[DockerEngine]:
    engine = DockerEngine(read_settings().docker_host, installation=f"bad-{new_id(6)}")
    yield engine
    engine.remove_everything()
    assert engine.remaining() == ()


def subnets(number: int) -> tuple[IPv4Network, ...]:
    """Return so many small subnets."""
    nets = (fresh_subnet() for _ in range(number // 32 + 1))
    return tuple(small for net in nets for small in net.subnets(new_prefix=29))[:number]


def test_more_than_31_networks(engine: DockerEngine) -> None:
    world = WorldKey(exercise=ExerciseId(new_id()), team="team-1")
    plans = [NetworkPlan(network=f"n{i}", subnet=s) for i, s in enumerate(subnets(MANY))]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda plan: engine.raise_network(world, plan), plans))
    assert engine.remove_exercise(world.exercise).networks == MANY


def test_the_same_team_of_two_exercises_and_the_longest_names(engine: DockerEngine) -> None:
    team, network, host = (f"{letter}-{'x' * 37}9" for letter in "tnh")
    worlds = [WorldKey(exercise=ExerciseId(new_id()), team=team) for _ in range(2)]
    for world, subnet in zip(worlds, subnets(2), strict=True):
        engine.raise_network(world, NetworkPlan(network=network, subnet=subnet))
        place = Attachment(network=network, address=subnet[2])
        engine.raise_host(world, HostPlan(host=host, image=BASE_IMAGE, attachments=(place,)))
    for world in worlds:
        (seen,) = engine.observe(world.exercise)
        assert seen.key == HostKey(world=world, host=host)
        assert seen.running
    engine.remove_exercise(worlds[0].exercise)
    assert engine.observe(worlds[1].exercise)[0].running
