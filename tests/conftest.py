"""What every kind of test may ask for: the container engine, and a database of each kind."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.contracts.postgres import PostgresServer, postgres_server

# Rules are tested for what they say: how long an example takes on a busy machine says nothing.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# A shell without job control starts what runs in its background with Ctrl-C ignored, and whatever
# we start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


_ALONE = "test_shipped_scenarios.py"


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Files as a whole, whose tests share what they start; but each shipped scenario alone."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if _ALONE in nodeid else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByFile | None:
    """Distribute by file where that is asked for (xdist's groups do nothing with pytest 9.2)."""
    return _ByFile(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def docker_client() -> Iterator[docker.DockerClient]:
    """Lend the real engine. Without one skip, or fail when POLIGON_REQUIRE_ENGINE is 1."""
    try:
        client = docker.DockerClient.from_env()
    except DockerException as error:
        if os.environ.get("POLIGON_REQUIRE_ENGINE") == "1":
            pytest.fail(f"no container engine answers, and one is required: {error}")
        pytest.skip(f"no container engine answers: {error}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def postgres(docker_client: docker.DockerClient) -> Iterator[PostgresServer]:
    with postgres_server(docker_client) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """Lend an empty database on PostgreSQL."""
    with postgres.database() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.engine)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Lend an empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'poligon.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url
