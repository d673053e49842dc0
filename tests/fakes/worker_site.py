"""A site of one scenario, whose workers are processes of their own that a test may kill."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from api.bootstrap import Services, open_services
from core.migration import upgrade
from core.scenario.load import load
from core.settings import Settings
from core.waiting import until
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase
from orchestrator.service import TeamSpec
from tests.addresses import fresh_subnet

ROOT = Path(__file__).parents[2]
CLI = (sys.executable, "-m", "api.cli.main")
SOON = timedelta(seconds=60)


def cli_after(change: str) -> tuple[str, ...]:
    """Return the command line of `poligon` in a process in which a change was made before."""
    return (sys.executable, "-c", f"from api.cli import main; {change}; main.run()")


def site_of(folder: Path, scenario: str) -> Settings:
    """Return the settings of a new site in a folder, with this scenario as its only one."""
    place = folder / "scenarios" / "only"
    place.mkdir(parents=True)
    (place / "scenario.yaml").write_text(scenario)
    return Settings.model_validate(
        {
            "home": folder / "home",
            "installation": f"t{uuid4().hex[:10]}",
            "address_pool": [fresh_subnet()],
            "scenarios": folder / "scenarios",
        }
    )


@contextmanager
def opened(settings: Settings) -> Iterator[Services]:
    """Lend a site's services; nothing of the site is left on the engine."""
    upgrade(settings.effective_database_url())
    services = open_services(settings)
    yield services
    services.engine.remove_everything()
    assert services.engine.remaining() == ()
    services.close()


def environment(settings: Settings) -> dict[str, str]:
    """Return the variables by which a process belongs to a site."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "POLIGON_HOME": str(settings.home),
        "POLIGON_INSTALLATION": settings.installation,
        "POLIGON_DOCKER_HOST": settings.docker_host,
        "POLIGON_ADDRESS_POOL": f'["{settings.address_pool[0]}"]',
        "POLIGON_SCENARIOS": str(settings.scenarios),
    }


@contextmanager
def worker(settings: Settings, program: Sequence[str] = CLI) -> Iterator[subprocess.Popen[bytes]]:
    """Lend a worker of a site; it writes to `worker.log` in the site's home."""
    log = settings.home / "worker.log"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [*program, "worker"], env=environment(settings), stdout=sink, stderr=sink, cwd=ROOT
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def launch(services: Services, teams: int) -> Exercise:
    """Launch the site's scenario for so many teams."""
    scenario = load(services.settings.scenarios / "only")
    specs = [TeamSpec(name=f"Team {number}") for number in range(1, teams + 1)]
    return services.exercises.launch(scenario, teams=specs, by=None)


def await_phase(services: Services, exercise: Exercise, phase: Phase) -> None:
    """Wait until an exercise is in a phase."""
    until(
        lambda: services.exercises.get(exercise.id).phase is phase,
        what=f"{exercise.name} {phase}",
        within=SOON,
        last_seen=lambda: str(services.exercises.get(exercise.id)),
    )
