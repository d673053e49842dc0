"""Every scenario that is shipped proves itself on a real engine: `poligon scenario rehearse`."""

import json
import subprocess
import sys
from pathlib import Path

import docker
import pytest

from api.engine import open_engine
from api.rehearsal.site import settings_of
from core.ids import new_id
from core.scenario.load import load
from core.scenario.schema_tasks import FlagTask, QuestionTask, RubricTask
from core.settings import read_settings
from tests.addresses import fresh_subnet

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

SCENARIOS = Path(__file__).parents[2] / "scenarios"


@pytest.mark.parametrize(
    "name",
    [file.parent.name for file in sorted(SCENARIOS.glob("*/scenario.yaml"))],
)
def test_a_shipped_scenario_rehearses_and_leaves_nothing(
    docker_client: docker.DockerClient, tmp_path: Path, name: str
) -> None:
    installation, addresses = f"test-{new_id(8)}", [str(fresh_subnet())]
    environment = {
        "PATH": "/usr/bin:/bin",
        "POLIGON_HOME": str(tmp_path),
        "POLIGON_INSTALLATION": installation,
        "POLIGON_DOCKER_HOST": read_settings().docker_host,
        "POLIGON_ADDRESS_POOL": json.dumps(addresses),
    }
    done = subprocess.run(
        [sys.executable, "-m", "api.cli.main", "scenario", "rehearse", SCENARIOS / name, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=SCENARIOS.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told, scenario = json.loads(done.stdout), load(SCENARIOS / name).scenario
    assert told["passed"]
    asked = [t for t in scenario.tasks.values() if isinstance(t, QuestionTask | FlagTask)]
    assert told["proven"]["answers"] == len(asked)
    files = [t for t in scenario.tasks.values() if isinstance(t, RubricTask) and t.submit]
    assert told["proven"]["files"] == len(files)
    assert told["proven"]["injects"] == len(scenario.injects)
    assert told["proven"]["services"] == len(scenario.services)
    assert len(told["use"]) == (2 if scenario.hosts else 0)
    assert all(use["peak_memory"] > 2**18 and use["cpu_seconds"] > 0 for use in told["use"])
    assert all(image["bytes"] > 2**24 for image in told["images"])
    site = read_settings().model_copy(update={"home": tmp_path, "installation": installation})
    assert open_engine(settings_of(site)).remaining() == ()
    assert not settings_of(site).home.exists()
