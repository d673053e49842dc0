"""One range for all attacks; and where the fuzzer is not built for the machine, no test of it."""

import platform
import sys
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from tests.security.attacked_range import Range, a_launched_range, ordinary

collect_ignore = (
    [] if (sys.platform, platform.machine()) == ("linux", "x86_64") else ["test_loader_fuzzing.py"]
)


@pytest.fixture(scope="session")
def attacked(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Range]:
    """Lend a launched exercise of two teams; all attacks of a process share it."""
    del docker_client  # without an engine there is no range
    with a_launched_range(tmp_path_factory.mktemp("siege")) as standing:
        yield standing


@pytest.fixture(scope="session")
def neighbour(docker_client: docker.DockerClient) -> Iterator[Container]:
    """Lend a container as Docker makes it by default, beside the range: the control of many."""
    with ordinary(docker_client, "sleep", "7200") as container:
        yield container
