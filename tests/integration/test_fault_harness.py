"""A bounded sample of `./dev bench faults`: whole exercises, each under its seed's faults.

Here on this machine's engine, which can be put out of reach; the benchmark breaks one of its own.
"""

from pathlib import Path

import docker
import pytest

from tests.benchmarks.faulting.embedded import embedded_template
from tests.benchmarks.faulting.engines import SharedEngine
from tests.benchmarks.faulting.report import line
from tests.benchmarks.faulting.seed import run_seed
from tests.benchmarks.faulting.servers import servers_template

pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(600),
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("docker_client"),
]


@pytest.mark.parametrize("seed", [15, 16])
def test_an_exercise_survives_the_faults_of_a_seed(seed: int, tmp_path: Path) -> None:
    outcome = run_seed(seed, tmp_path, SharedEngine(), embedded_template(tmp_path))
    assert not outcome.wrong, line(outcome)
    assert len(outcome.struck) == len(outcome.faults)


def test_a_site_with_servers_and_two_workers_survives_the_faults_of_a_seed(
    tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    with servers_template(docker_client) as template:
        outcome = run_seed(21, tmp_path, SharedEngine(), template, workers=2)
    assert not outcome.wrong, line(outcome)
    assert len(outcome.struck) == len(outcome.faults)
