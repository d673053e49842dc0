"""What every kind of test may ask for: the container engine, and a database of each kind."""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
import structlog
from argon2 import PasswordHasher
from docker.errors import DockerException
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

import core.security
from tests.contracts.postgres import PostgresServer, postgres_server
from tests.fakes.lrs import FakeLrs, fake_lrs

# Rules are tested for what they say: how long an example takes on a busy machine says nothing.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# The traceback of the default draws every variable, and holds up the loop that it is told in for
# a minute.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=True),
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# A shell without job control starts what runs in its background with Ctrl-C ignored, and whatever
# we start would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Their tests share nothing, and each takes long: any worker may take any of them.
_ALONE = (
    "test_shipped_scenarios.py",
    "test_process_faults.py",
    "test_fault_harness.py",
    "test_check_workers.py",
)
# What takes a worker a minute and more begins first, or the others wait for it at the end.
_LONGEST = (
    "test_compose_deployment.py",
    "rehearses_and_leaves_nothing[harbour-invoice]",
    "test_fault_harness.py",
    "test_scoring_storage.py",
    "test_rehearsal_on_engine.py",
    "test_pages.py",
    "test_shipped_scenarios.py",
    "test_servers_on_engine.py",
    "test_ssh_clients.py",
    "test_process_faults.py",
    "test_check_workers.py",
)


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # it has no types
    """Files as a whole, whose tests share what they start; but those of some files alone."""

    def _split_scope(self, nodeid: str) -> str:
        is_alone = any(file in nodeid for file in _ALONE)
        return nodeid if is_alone else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _ByFile | None:
    """Distribute by file where that is asked for (xdist's groups do nothing with pytest 9.2)."""
    if config.getoption("dist") != "loadfile":
        return None
    config.option.loadscopereorder = False  # a file of many tests is not one that takes long
    return _ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: _place(item.nodeid))


def _place(nodeid: str) -> int:
    found = (place for place, part in enumerate(_LONGEST) if part in nodeid)
    return next(found, len(_LONGEST))


@pytest.fixture(autouse=True)
def _own_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take back how a command that a test ran in this process set its logs up.

    Loggers that keep what they were set up with would write to what that test had as stderr.
    """
    root, before, configure = logging.getLogger(), structlog.get_config(), structlog.configure
    handlers, level = root.handlers[:], root.level
    monkeypatch.setattr(
        structlog,
        "configure",
        lambda **settings: configure(**{**settings, "cache_logger_on_first_use": False}),
    )
    yield
    configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session", autouse=True)
def _hasty_hashes() -> Iterator[None]:
    """Hash passwords in this process as cheaply as can be: those of tests keep nothing safe."""
    hasty = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(core.security, "_HASHER", hasty)
        patch.setattr(core.security, "_NOBODY", hasty.hash("nobody's"))
        yield


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
def lrs() -> Iterator[FakeLrs]:
    """Lend a learning record store over HTTP."""
    with fake_lrs() as lrs:
        yield lrs


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
