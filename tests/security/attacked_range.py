"""A launched exercise to attack from within, and containers without our walls as the control.

Two teams with four hosts each, launched as `poligon exercise launch` does. Whoever attacks is root
in a host; `scan` has raw sockets, which the site's policy permits it, and `small` has tight limits.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import docker
from docker.models.containers import Container

from api.bootstrap import Services, assemble
from core.clock import SystemClock
from core.ids import ExerciseId, new_id
from core.scenario.load import load
from core.settings import Settings, read_settings
from orchestrator.domain.phases import Phase
from orchestrator.domain.world import HostKey, HostPlan, WorldKey
from orchestrator.engine.names import container_name, network_name
from orchestrator.engine.runtime import DockerEngine
from orchestrator.service import TeamSpec
from tests.addresses import fresh_subnet
from tests.fakes.jobs import acts_of, do
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables

IMAGE = "debian:bookworm-slim"
SOON = timedelta(seconds=60)
RED, BLUE = "team-1", "team-2"
MIB = 1024**2

SCENARIO = f"""\
language: 1
scenario: {{id: siege, version: 1.0.0, title: Siege, kind: investigation, duration: 1h}}
roles: {{analyst: {{side: blue}}}}
values: {{mark: {{type: flag, format: "SG{{%s}}"}}}}
networks: {{office: {{size: /28}}}}
hosts:
  box:
    image: "{IMAGE}"
    networks: {{office: {{}}}}
    accounts: [{{name: ana, roles: [analyst]}}]
    files: [{{to: /root/mark, text: "{{{{ values.mark }}}}"}}]
  peer:
    image: "{IMAGE}"
    networks: {{office: {{alias: peer.siege.test}}}}
    accounts: [{{name: bob, sudo: true, roles: [analyst]}}]
  scan: {{image: "{IMAGE}", networks: {{office: {{}}}}, cap_add: [NET_RAW]}}
  small:
    image: "{IMAGE}"
    networks: {{office: {{}}}}
    limits: {{memory: 64m, pids: 40, disk: 32m}}
access: [{{roles: [analyst], host: box, as: ana, default: true}}]
tasks: {{one: {{ask: Which?, answer: this, points: 1}}}}
"""
POLICY = "policy: 1\nallow: [{host: siege/scan, cap_add: [NET_RAW]}]\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The exercise that stands. Whoever does something is root in `box` of the first team."""

    services: Services
    engine: DockerEngine
    exercise: ExerciseId

    @property
    def installation(self) -> str:
        """Whose everything is on the engine."""
        return self.services.settings.installation

    def host(self, host: str, team: str = RED) -> HostKey:
        return HostKey(world=WorldKey(exercise=self.exercise, team=team), host=host)

    def container(self, host: str, team: str = RED) -> str:
        return container_name(self.installation, self.host(host, team))

    def network(self, team: str = RED) -> str:
        return network_name(self.installation, self.host("box", team).world, "office")

    def plan(self, host: str, team: str = RED) -> HostPlan:
        """Return what stands for a host."""
        exercise = self.services.exercises.get(self.exercise)
        world = self.services.worlds.plan(exercise, exercise.teams[int(team[-1]) - 1])
        return next(plan for plan in world.hosts if plan.host == host)

    def address(self, host: str, team: str = RED) -> IPv4Address:
        return self.plan(host, team).attachments[0].address

    def gateway(self, team: str = RED) -> IPv4Address:
        """Return the machine's own address on a team's network."""
        exercise = self.services.exercises.get(self.exercise)
        places = self.services.exercises.places(exercise, exercise.teams[int(team[-1]) - 1])
        return places.subnets["office"][1]

    def said(self, *command: str, host: str = "box", team: str = RED) -> str:
        """Return what a command of root prints."""
        return self.engine.run(self.host(host, team), command, timeout=SOON).output

    def attempt(self, *command: str, host: str = "box", team: str = RED) -> str:
        """Run a command as root; return `done`, or how it failed."""
        result = self.engine.run(self.host(host, team), command, timeout=SOON)
        return "done" if result.ok else f"{result.exit_code} {result.output.strip()}"

    def reaches(self, address: object, port: int, *, host: str = "box", team: str = RED) -> bool:
        """Tell whether a host gets a TCP connection."""
        return self.attempt(*connecting(address, port), host=host, team=team) == "done"


def connecting(address: object, port: int) -> list[str]:
    """Return the command that succeeds when it gets a TCP connection."""
    return ["timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"]


@contextmanager
def a_launched_range(folder: Path, scenario: str = SCENARIO) -> Iterator[Range]:
    """Launch the exercise on the real engine; nothing of it is left at the end."""
    (folder / "siege").mkdir()
    (folder / "siege" / "scenario.yaml").write_text(scenario)
    (folder / "policy.yaml").write_text(POLICY)
    settings = Settings(
        home=folder / "home",
        installation=f"siege-{new_id(6)}",
        address_pool=(fresh_subnet(),),
        policy=folder / "policy.yaml",
    )
    settings.home.mkdir()
    queue = RecordingQueue()
    engine = DockerEngine(read_settings().docker_host, installation=settings.installation)
    services = assemble(settings, clock=SystemClock(), queue=queue, engine=engine)
    create_tables(services.database)
    try:
        yield Range(
            services=services, engine=engine, exercise=_launched(services, queue, folder / "siege")
        )
    finally:
        engine.remove_everything()
        services.close()


def _launched(services: Services, queue: RecordingQueue, scenario: Path) -> ExerciseId:
    teams = [TeamSpec(name="Team 1"), TeamSpec(name="Team 2")]
    loaded = load(scenario, services.policy)
    exercise = services.exercises.launch(loaded, teams=teams, by=None).id
    while jobs := queue.take():
        for job in jobs:
            do(acts_of(services), job)
    launched = services.exercises.get(exercise)
    assert launched.phase is Phase.READY, [team.problem for team in launched.teams]
    return exercise


@contextmanager
def ordinary(
    client: docker.DockerClient,
    *command: str,
    network: str = "bridge",
    dns: Sequence[str] = (),
    ports: Sequence[int] = (),
    **options: object,
) -> Iterator[Container]:
    """Lend a container as Docker makes it by default: the control.

    `options` are of the Engine API's HostConfig.
    """
    usual = {"NetworkMode": network, "Dns": list(dns), "Init": True}
    made = client.api.create_container(
        IMAGE, list(command), ports=list(ports), host_config=usual | options
    )
    container = client.containers.get(made["Id"])
    try:
        container.start()
        container.reload()
        yield container
    finally:
        container.remove(force=True, v=True)


def address_of(container: Container, network: str = "bridge") -> str:
    """Return a container's address on a network."""
    found: Mapping[str, str] = container.attrs["NetworkSettings"]["Networks"][network]
    return found["IPAddress"]


def said_by(container: Container, *command: str) -> str:
    """Return what a command of root prints in a container."""
    output = container.exec_run(list(command)).output
    assert isinstance(output, bytes)
    return output.decode()
