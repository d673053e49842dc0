"""Processes are killed and engines vanish; the exercise converges and nothing is orphaned."""

import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from api.bootstrap import Services
from core.settings import Settings
from core.waiting import until
from orchestrator.claims import CLAIM_LASTS
from orchestrator.domain.exercise import Exercise, Problem
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.domain.world import WorldKey
from orchestrator.engine.names import container_name
from tests.fakes.detour import Detour, detour
from tests.fakes.worker_site import (
    CLI,
    ROOT,
    SOON,
    await_phase,
    cli_after,
    environment,
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

# A worker that looks at the hosts when it starts, and then only when the engine tells of one.
ONLY_TOLD = cli_after(
    "from datetime import timedelta; from api.cli import worker; "
    "worker._LOOK_EVERY = timedelta(hours=1)"
)

# Each host takes a second or two to become ready, so that there is a half-way to be killed at.
SCENARIO = """\
language: 1
scenario: {id: slow, version: 1.0.0, title: Slow, kind: investigation, duration: 1h}
roles: {analyst: {side: blue}}
networks: {one: {size: /28}, two: {size: /28}}
hosts:
  desk:
    image: "debian:bookworm-slim"
    networks: {one: {}, two: {}}
    accounts: [{name: ana, roles: [analyst]}]
    files: [{to: /srv/note, text: "for {{ team }}"}]
    ready: [{run: [sh, -c, "sleep 1; test -f /srv/note"], within: 30s, every: 1s}]
  mail: {image: "debian:bookworm-slim", networks: {two: {}}}
access: [{roles: [analyst], host: desk, as: ana, default: true}]
values: {note: {type: flag, format: "S{%s}", length: 8}}
tasks: {note: {flag: note, title: Note, points: 1}}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return site_of(tmp_path, SCENARIO)


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    with opened(settings) as services:
        yield services


@contextmanager
def half_way(settings: Settings, exercise: Exercise, folder: Path) -> Iterator[Detour]:
    """Lend a way to the engine on which the last world waits for its desk until the way is cut."""
    last = WorldKey(exercise=exercise.id, team=exercise.teams[-1].slug).host("desk")
    with detour(folder / "engine.sock") as way:
        way.hold(container_name(settings.installation, last).encode())
        yield way


def through(way: Detour, settings: Settings) -> Settings:
    """Return the settings of a process that takes a way to the engine."""
    return settings.model_copy(update={"docker_host": f"unix://{way.place}"})


def await_removed(services: Services, exercise: Exercise) -> None:
    until(
        lambda: (
            {t.world for t in services.exercises.get(exercise.id).teams} == {WorldPhase.REMOVED}
        ),
        what="worlds removed",
        within=SOON,
    )


def test_a_host_that_falls_is_told_by_the_engine_and_one_that_is_removed_comes_back(
    services: Services, settings: Settings, docker_client: docker.DockerClient
) -> None:
    exercise = launch(services, teams=1)
    mail = WorldKey(exercise=exercise.id, team="team-1").host("mail")
    container = container_name(settings.installation, mail)

    def world() -> WorldPhase:
        return services.exercises.get(exercise.id).teams[0].world

    with worker(settings, ONLY_TOLD):
        await_phase(services, exercise, Phase.READY)
        docker_client.api.kill(container)
        until(
            lambda: world() is WorldPhase.DEGRADED,
            what="the host's end to be told",
            within=SOON,
            every=timedelta(milliseconds=50),
        )
    with worker(settings):
        docker_client.api.remove_container(container, force=True)
        until(lambda: world() is WorldPhase.READY, what="the host to be back", within=SOON)
        assert docker_client.api.inspect_container(container)["State"]["Running"]


def test_a_worker_killed_while_it_builds_is_followed_and_leaves_no_orphan(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    exercise = launch(services, teams=3)
    with half_way(settings, exercise, tmp_path) as way, worker(through(way, settings)) as first:
        until(
            lambda: len(services.engine.observe(exercise.id)) > 1,
            what="the first hosts",
            within=SOON,
        )
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert services.exercises.get(exercise.id).phase is Phase.PROVISIONING
    with worker(settings):
        await_phase(services, exercise, Phase.READY)
        hosts = services.engine.observe(exercise.id)
        assert len(hosts) == 6, "every host once"
        assert all(host.running for host in hosts)
        services.exercises.destroy(exercise.id)
        await_removed(services, exercise)
    assert not [thing for thing in services.engine.remaining() if not thing.startswith("image")]


def test_a_worker_killed_while_it_removes_is_followed(
    services: Services, settings: Settings
) -> None:
    exercise = launch(services, teams=2)
    with worker(settings) as first:
        await_phase(services, exercise, Phase.READY)
        services.exercises.destroy(exercise.id)
        until(
            lambda: len(services.engine.observe(exercise.id)) < 4,
            what="the first host to go",
            within=SOON,
        )
        first.send_signal(signal.SIGKILL)
        first.wait()
    with worker(settings):
        await_removed(services, exercise)
    assert not [thing for thing in services.engine.remaining() if not thing.startswith("image")]


def test_a_launch_while_no_worker_runs_is_built_when_one_comes(
    services: Services, settings: Settings
) -> None:
    exercise = launch(services, teams=1)
    for message in (settings.home / "queue").glob("*.msg"):
        message.unlink()  # and its message was lost, too
    with worker(settings):
        until(
            lambda: services.exercises.get(exercise.id).phase is Phase.READY,
            what="the sweep to find the launch",
            within=SOON + CLAIM_LASTS,
        )


@pytest.mark.usefixtures("services")
def test_a_worker_logs_what_it_does(settings: Settings) -> None:
    with worker(settings):
        log = settings.home / "worker.log"
        until(
            lambda: "worker.started" in log.read_text(),
            what="the worker's first line",
            within=SOON,
            last_seen=log.read_text,
        )


def test_an_engine_that_is_down_is_told_and_waited_for(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    nowhere = settings.model_copy(update={"docker_host": f"unix://{tmp_path / 'nobody.sock'}"})
    exercise = launch(services, teams=1)
    with worker(nowhere):
        until(
            lambda: services.exercises.get(exercise.id).teams[0].problem is not None,
            what="the engine's absence to be told",
            within=SOON,
        )
    waiting = services.exercises.get(exercise.id)
    problem = waiting.teams[0].problem
    assert problem is not None
    assert "nobody.sock" in problem.message
    assert problem.next_command == "poligon doctor"
    assert waiting.phase is Phase.PROVISIONING
    with worker(settings):
        await_phase(services, exercise, Phase.READY)


def test_an_engine_that_goes_away_half_way_is_told_and_nothing_is_made_twice(
    services: Services, settings: Settings, tmp_path: Path
) -> None:
    exercise = launch(services, teams=2)
    with half_way(settings, exercise, tmp_path) as way, worker(through(way, settings)):
        until(
            lambda: len(services.engine.observe(exercise.id)) > 1,
            what="the first hosts",
            within=SOON,
        )
        way.cut()
        problems: list[Problem] = []

        def is_told() -> bool:  # until the next try begins
            teams = services.exercises.get(exercise.id).teams
            problems.extend(team.problem for team in teams if team.problem)
            return bool(problems)

        until(is_told, what="the engine's absence to be told", within=SOON)
        assert "does not answer" in problems[0].message
        assert services.exercises.get(exercise.id).phase is Phase.PROVISIONING
        way.mend()
        await_phase(services, exercise, Phase.READY)
    assert len(services.engine.observe(exercise.id)) == 4, "every host once"


def poligon(settings: Settings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLI, *arguments],
        env={**environment(settings), **more},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("command", "setting", "processes"),
    [("serve", "HTTP", "1"), ("serve", "HTTP", "2"), ("gateway", "SSH", "1")],
)
def test_a_port_in_use_is_one_sentence_with_the_setting(
    services: Services, settings: Settings, command: str, setting: str, processes: str
) -> None:

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        here = {f"POLIGON_{setting}_PORT": str(port), "POLIGON_API_PROCESSES": processes}
        done = poligon(settings, command, **here)
    said = one_sentence(done)
    assert str(port) in said
    assert f"POLIGON_{setting}_PORT" in said


def test_a_database_that_cannot_be_opened_is_one_sentence(settings: Settings) -> None:
    settings.home.parent.mkdir(exist_ok=True)
    settings.home.write_text("a file where the folder should be")
    said = one_sentence(poligon(settings, "exercise", "list"))
    assert "POLIGON_HOME" in said


def test_a_postgresql_that_is_not_there_is_one_sentence(settings: Settings) -> None:
    said = one_sentence(
        poligon(
            settings,
            "exercise",
            "list",
            POLIGON_DATABASE_URL="postgresql+psycopg://nobody:secret@127.0.0.1:1/none",
        )
    )
    assert "database" in said
    assert "secret" not in said


def test_wrong_settings_are_all_named_before_anything_starts(settings: Settings) -> None:
    said = one_sentence(
        poligon(
            settings, "exercise", "list", POLIGON_SSH_PORT="99999", POLIGON_ADDRESS_POOL='["here"]'
        )
    )
    assert "POLIGON_SSH_PORT" in said
    assert "POLIGON_ADDRESS_POOL" in said
