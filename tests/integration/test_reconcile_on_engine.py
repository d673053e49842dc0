"""Hosts that fall on the real engine come back where they were, and their peers go on."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from api.bootstrap import Services, assemble
from core.clock import SystemClock
from core.ids import new_id
from core.scenario.load import load
from core.settings import Settings, read_settings
from core.waiting import until
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import WorldPhase
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.engine.names import container_name, network_name
from orchestrator.engine.runtime import DockerEngine
from orchestrator.service import (
    TeamSpec,
)
from tests.addresses import fresh_subnet
from tests.fakes.jobs import acts_of, do
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

SOON = timedelta(seconds=20)
SCENARIO = """\
language: 1
scenario: {id: pair, version: 1.0.0, title: A pair, kind: investigation, duration: 1h}
roles: {analyst: {side: blue}}
networks: {office: {size: /28}}
hosts:
  desk:
    image: "debian:bookworm-slim"
    networks: {office: {}}
    accounts: [{name: ana, roles: [analyst]}]
  mail:
    image: "debian:bookworm-slim"
    networks: {office: {alias: mail.pair.test}}
    files: [{to: /srv/note, text: here}]
    ready: [{run: [test, -e, /srv/note], within: 20s, every: 1s}]
access: [{roles: [analyst], host: desk, as: ana, default: true}]
tasks: {who: {ask: Who?, answer: me, points: 1}}
"""


class Pair:
    """A launched exercise of one team on the real engine; `work` does the jobs."""

    def __init__(self, services: Services, queue: RecordingQueue, folder: Path) -> None:
        self.services, self.queue = services, queue
        specs = [TeamSpec(name="Team 1")]
        self.name = services.exercises.launch(load(folder), teams=specs, by=None).name
        self.work()

    @property
    def exercise(self) -> Exercise:
        return self.services.exercises.get(self.name)

    @property
    def world(self) -> WorldPhase:
        return self.exercise.teams[0].world

    def host(self, name: str) -> HostKey:
        return HostKey(world=WorldKey(exercise=self.exercise.id, team="team-1"), host=name)

    def container(self, name: str) -> str:
        return container_name(self.services.settings.installation, self.host(name))

    def address(self) -> str:
        """Return the address at which the desk finds the mail host by its alias."""
        ran = self.services.engine.run(
            self.host("desk"), ("getent", "hosts", "mail.pair.test"), timeout=SOON
        )
        return ran.output.split()[0] if ran.ok else ""

    def reconcile(self) -> None:
        self.services.reconciling.sweep()
        self.work()

    def become_ready(self) -> None:
        """Reconcile until the world is ready; a host that fell before has to wait a little."""

        def is_ready() -> bool:
            self.reconcile()
            return self.world is WorldPhase.READY

        until(is_ready, what="the world to be ready again", within=4 * SOON)

    def work(self) -> None:
        while jobs := self.queue.take():
            for job in jobs:
                do(acts_of(self.services), job)


@pytest.fixture(scope="module")
def pair(
    docker_client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "pair").mkdir()
    (folder / "pair" / "scenario.yaml").write_text(SCENARIO)
    settings = Settings(
        home=folder / "home",
        installation=f"test-{new_id(8)}",
        address_pool=(fresh_subnet(),),
    )
    settings.home.mkdir()
    queue = RecordingQueue()
    engine = DockerEngine(read_settings().docker_host, installation=settings.installation)
    services = assemble(settings, clock=SystemClock(), queue=queue, engine=engine)
    create_tables(services.database)
    yield Pair(services, queue, folder / "pair")
    engine.remove_everything()
    services.close()


def test_peers_find_a_host_that_was_made_again_where_it_was(
    pair: Pair, docker_client: docker.DockerClient
) -> None:
    before = pair.address()
    docker_client.api.remove_container(pair.container("mail"), force=True)
    assert not pair.address()
    pair.become_ready()
    assert pair.address() == before
    assert pair.services.engine.run(pair.host("mail"), ("cat", "/srv/note"), timeout=SOON).ok


def test_after_an_outage_hosts_keep_what_was_in_them(
    pair: Pair, docker_client: docker.DockerClient
) -> None:
    before = pair.address()
    pair.services.engine.run(pair.host("desk"), ("touch", "/root/mine"), timeout=SOON)
    for name in ("desk", "mail"):
        docker_client.api.kill(pair.container(name))
        docker_client.api.wait(pair.container(name))
    pair.become_ready()
    assert pair.address() == before
    kept = pair.services.engine.run(pair.host("desk"), ("test", "-e", "/root/mine"), timeout=SOON)
    assert kept.ok


def test_a_reset_host_is_as_at_the_start_and_its_peers_find_it(pair: Pair) -> None:
    before, engine = pair.address(), pair.services.engine
    engine.run(pair.host("mail"), ("rm", "/srv/note"), timeout=SOON)
    engine.run(pair.host("desk"), ("touch", "/root/peer"), timeout=SOON)
    exercise = pair.exercise
    pair.services.resets.reset(exercise, exercise.teams[0], host="mail", by=None)
    pair.work()
    assert pair.world is WorldPhase.READY
    assert pair.address() == before
    assert engine.run(pair.host("mail"), ("cat", "/srv/note"), timeout=SOON).output == "here"
    assert engine.run(pair.host("desk"), ("test", "-e", "/root/peer"), timeout=SOON).ok


def test_a_host_that_was_cut_off_is_reached_again(
    pair: Pair, docker_client: docker.DockerClient
) -> None:
    before = pair.address()
    network = network_name(pair.services.settings.installation, pair.host("mail").world, "office")
    docker_client.api.disconnect_container_from_network(pair.container("mail"), network, force=True)
    pair.become_ready()
    assert pair.address() == before


def test_a_host_that_ended_is_told_and_stays_ended_and_its_peer_goes_on(
    pair: Pair, docker_client: docker.DockerClient
) -> None:
    docker_client.api.kill(pair.container("mail"))
    docker_client.api.wait(pair.container("mail"))
    pair.reconcile()
    team = pair.exercise.teams[0]
    assert team.world is WorldPhase.DEGRADED
    assert team.problem is not None
    assert team.problem.message == "the own process of mail ended with code 137"
    assert pair.services.engine.run(pair.host("desk"), ("true",), timeout=SOON).ok
    docker_client.api.start(pair.container("mail"))
    pair.become_ready()
