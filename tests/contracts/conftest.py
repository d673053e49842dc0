"""Engines for the contract suite, the fake and the real one; and an empty database."""

from collections.abc import Iterator
from ipaddress import IPv4Network

import docker
import pytest

from core.db import Database
from core.ids import ExerciseId, new_id
from core.settings import read_settings
from orchestrator.domain.world import WorldKey
from tests.addresses import fresh_subnet
from tests.contracts.engine_cases import DockerCase, EngineCase, FakeCase
from tests.fakes.clock import FakeClock
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables


@pytest.fixture(scope="session")
def docker_case(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DockerCase]:
    case = DockerCase(docker_client, read_settings().docker_host, f"test-{new_id(8)}")
    case.build_looking_image(tmp_path_factory.mktemp("looking"))
    yield case
    case.engine.remove_everything()
    assert case.standing() == (0, 0)


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.engine)])
def case(request: pytest.FixtureRequest) -> EngineCase:
    """Lend an engine under test, once each."""
    if request.param == "fake":
        return FakeCase()
    real: DockerCase = request.getfixturevalue("docker_case")
    return real


@pytest.fixture
def world(case: EngineCase) -> Iterator[WorldKey]:
    """Lend a world of an exercise of its own; whatever was raised for the exercise goes."""
    exercise = ExerciseId(new_id())
    yield WorldKey(exercise=exercise, team="team-1")
    case.engine.remove_exercise(exercise)


@pytest.fixture
def subnet() -> IPv4Network:
    """Lend 256 addresses that nobody else on this engine has."""
    return fresh_subnet()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """Lend a database with every table and nothing in it."""
    database = Database(database_url, queue=RecordingQueue())
    create_tables(database)
    yield database
    database.close()
