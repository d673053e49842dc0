"""Looks of checks by processes: two that look at each other's failures, and one that is killed."""

import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container
from sqlalchemy import func, select

from api.bootstrap import Services
from core.settings import Settings
from core.waiting import until
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase
from orchestrator.domain.world import WorldKey
from orchestrator.engine.names import container_name
from scoring.domain.verdicts import Verdict
from scoring.round_repository import Why
from scoring.tables import CheckLookRow, CheckRoundRow, CheckRunRow, CheckWorkerRow
from tests.fakes.worker_site import (
    SOON,
    await_phase,
    cli_after,
    launch,
    opened,
    site_of,
    worker,
)

pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("docker_client"),
]

# Two that look in turns are there for each other however seldom they come to say so.
PATIENT = cli_after(
    "from datetime import timedelta; from scoring import sending; "
    "sending._GONE = timedelta(hours=1)"
)

# The web server is down. Each look takes a while, and the first says that it has begun and ends
# with its time: a process can be killed meanwhile.
LOOK = "test -e /tmp/looking && sleep 2 && exit 1; touch /tmp/looking; sleep 60"
SCENARIO = """\
language: 1
scenario: {id: watched, version: 1.0.0, title: Watched, kind: investigation, duration: 1h}
roles: {analyst: {side: blue}}
networks: {one: {size: /28}}
hosts:
  desk:
    image: "debian:bookworm-slim"
    networks: {one: {}}
    accounts: [{name: ana, roles: [analyst]}]
access: [{roles: [analyst], host: desk, as: ana, default: true}]
checks:
  site: {host: desk, run: [sh, -c, "LOOK"], every: 5s, timeout: 5s}
tasks: {up: {availability: site, title: Stay up, points: 10}}
""".replace("LOOK", LOOK)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return site_of(tmp_path, SCENARIO)


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with opened(settings) as services:
        yield services


def runs(services: Services) -> Sequence[CheckRunRow]:
    """Return what became of the rounds that are closed, in their order."""
    with services.database.reading() as session:
        return session.scalars(select(CheckRunRow).order_by(CheckRunRow.round)).all()


def first_looks(services: Services) -> dict[int, str]:
    """Return round → whose look was the first, of rounds that another look decided."""
    with services.database.reading() as session:
        found = session.scalars(select(CheckLookRow).where(CheckLookRow.why == Why.FIRST))
        return {look.round: look.worker for look in found}


def last_round(services: Services) -> int:
    """Return the newest round that is open or closed; -1 before the first."""
    with services.database.reading() as session:
        newest = [session.scalar(select(func.max(t.round))) for t in (CheckRoundRow, CheckRunRow)]
    return max((number for number in newest if number is not None), default=-1)


def workers(services: Services) -> int:
    with services.database.reading() as session:
        return len(session.scalars(select(CheckWorkerRow)).all())


def begun(services: Services) -> Exercise:
    exercise = launch(services, teams=1)
    await_phase(services, exercise, Phase.READY)
    return services.exercises.start(exercise.id)


def desk_of(client: docker.DockerClient, settings: Settings, exercise: Exercise) -> Container:
    desk = WorldKey(exercise=exercise.id, team="team-1").host("desk")
    return client.containers.get(container_name(settings.installation, desk))


def test_a_failure_that_one_process_saw_is_looked_at_by_the_other(
    services: Services, settings: Settings
) -> None:
    with worker(settings, PATIENT), worker(settings, PATIENT):
        begun(services)
        until(lambda: workers(services) == 2, what="both to look", within=SOON)
        alone = last_round(services)
        until(
            lambda: any(run.round > alone + 1 for run in runs(services)),
            what="rounds that both were there for",
            within=SOON,
        )
    both = [run for run in runs(services) if run.round > alone]
    first = first_looks(services)
    assert {run.verdict for run in both} == {Verdict.DOWN}
    for run in both:
        assert first[run.round] != run.worker, "another process decided"


def test_a_process_killed_in_its_look_costs_no_team_anything(
    services: Services, settings: Settings, docker_client: docker.DockerClient
) -> None:
    with worker(settings) as first:
        exercise = begun(services)
        desk = desk_of(docker_client, settings, exercise)
        until(
            lambda: desk.exec_run(["test", "-e", "/tmp/looking"]).exit_code == 0,
            what="the first look to begin",
            within=SOON,
        )
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert not runs(services)
    with worker(settings):
        until(lambda: len(runs(services)) > 1, what="rounds to be closed", within=2 * SOON)
    lost, *later = runs(services)
    assert (lost.verdict, lost.worker) == (Verdict.MISSING, "")
    assert lost.output == "nobody looked in time"
    assert {run.verdict for run in later} == {Verdict.DOWN}
    assert len({run.round for run in (lost, *later)}) == 1 + len(later), "each round once"
