"""What somebody who is root in a host of a range tries, and what comes of it.

One test an attack, on the real engine. Each has a control: the same attempt where it must work, so
that a broken attempt cannot pass for a good defence.
"""

import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import docker
import pytest
from docker.models.containers import Container

from core.ids import ExerciseId, new_id
from core.settings import read_settings
from core.waiting import until
from orchestrator.domain.world import (
    AccountPlan,
    Attachment,
    HostKey,
    HostPlan,
    Limits,
    NetworkPlan,
    WorldKey,
)
from orchestrator.engine.hardening import CAPABILITIES
from orchestrator.engine.names import container_name, network_name
from orchestrator.engine.runtime import DockerEngine

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

IMAGE = "debian:bookworm-slim"
PORT = 8080
SOON = timedelta(seconds=20)
MIB = 1024**2

# Linux's numbers (linux/capability.h).
CAPABILITY_BITS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "NET_BIND_SERVICE": 10,
    "SYS_CHROOT": 18,
    "AUDIT_WRITE": 29,
}

LISTEN = (
    "use IO::Socket::INET; my $s = IO::Socket::INET->new("
    f'Listen => 5, LocalAddr => "0.0.0.0:{PORT}", ReuseAddr => 1) or die; '
    "while (1) { my $c = $s->accept; close $c }"
)
PACKET_SOCKET = 'socket(my $s, 17, 3, 0x0300) or die "$!\\n"'
RAW_SOCKET = 'socket(my $s, 2, 3, 1) or die "$!\\n"'
RESOLVER = (
    "use IO::Socket::INET; $| = 1; my $s = IO::Socket::INET->new("
    'Proto => "udp", LocalAddr => "0.0.0.0:53") or die; print "ready\\n"; '
    "while ($s->recv(my $q, 512)) { $q =~ s/[^a-z-]/./g; print STDOUT $q, chr(10) }"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Two teams of two hosts each, one network a team."""

    engine: DockerEngine
    installation: str
    exercise: ExerciseId
    subnets: dict[str, IPv4Network]

    def host(self, team: str, host: str) -> HostKey:
        return HostKey(world=WorldKey(exercise=self.exercise, team=team), host=host)

    def address(self, team: str, host: str) -> IPv4Address:
        return self.subnets[team][{"box": 10, "peer": 11, "extra": 12}[host]]

    def plan(self, team: str, host: str) -> HostPlan:
        place = Attachment(network="lan", address=self.address(team, host))
        return HostPlan(host=host, image=IMAGE, attachments=(place,))

    def attempt(self, command: Sequence[str], *, team: str = "red", host: str = "box") -> str:
        """Run a command as root in a host; return `done`, or how it failed."""
        result = self.engine.run(self.host(team, host), command, timeout=SOON)
        return "done" if result.ok else f"{result.exit_code} {result.output.strip()}"

    def reaches(self, address: object, port: int, *, team: str = "red", host: str = "box") -> bool:
        """Tell whether a host gets a TCP connection."""
        connect = f"exec 3<>/dev/tcp/{address}/{port}"
        return self.attempt(("timeout", "2", "bash", "-c", connect), team=team, host=host) == "done"


@pytest.fixture(scope="module")
def ground(docker_client: docker.DockerClient) -> Iterator[Range]:
    installation = f"attack-{new_id(6)}"
    engine = DockerEngine(read_settings().docker_host, installation=installation)
    subnets = {team: _some_subnet() for team in ("red", "blue")}
    ground = Range(
        engine=engine,
        installation=installation,
        exercise=ExerciseId(new_id()),
        subnets=subnets,
    )
    try:
        engine.protect_host()
        for team, subnet in subnets.items():
            world = WorldKey(exercise=ground.exercise, team=team)
            engine.raise_network(world, NetworkPlan(network="lan", subnet=subnet))
            for host in ("box", "peer"):
                engine.raise_host(world, ground.plan(team, host))
                _serve(ground, team, host)
        yield ground
    finally:
        engine.remove_everything()


def _some_subnet() -> IPv4Network:
    return IPv4Network((0x0AC00000 | secrets.randbits(14) << 8, 24))


def _serve(ground: Range, team: str, host: str) -> None:
    background = f"perl -e '{LISTEN}' >/dev/null 2>&1 &"
    assert ground.attempt(("sh", "-c", background), team=team, host=host) == "done"
    key = ground.host(team, host)
    until(lambda: ground.engine.accepts_tcp(key, PORT), what="the service", within=SOON)


@pytest.fixture
def host_service() -> Iterator[int]:
    """Lend the port of a service of this machine that listens at every address."""
    with socket.create_server(("0.0.0.0", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def ordinary(
    client: docker.DockerClient, *command: str, network: str = "bridge", dns: Sequence[str] = ()
) -> Iterator[Container]:
    """Lend a container as Docker makes it by default: the control."""
    container = client.containers.run(
        IMAGE, list(command), detach=True, init=True, network=network, dns=list(dns)
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)


def test_a_service_of_the_engines_host_is_out_of_reach(
    ground: Range, docker_client: docker.DockerClient, host_service: int
) -> None:
    gateway = ground.subnets["red"][1]
    default_bridge = docker_client.networks.get("bridge").attrs["IPAM"]["Config"][0]["Subnet"]
    others = [gateway, ground.subnets["blue"][1], IPv4Network(default_bridge)[1]]
    ground.engine._rules.clear()
    try:
        assert ground.reaches(gateway, host_service), "the control: without the rule it is reached"
    finally:
        ground.engine.protect_host()
    assert [address for address in others if ground.reaches(address, host_service)] == []


def test_the_engines_host_still_reaches_a_range(ground: Range) -> None:
    address = (str(ground.address("red", "box")), PORT)
    with socket.create_connection(address, timeout=5) as connection:
        assert connection.getpeername() == address


def test_another_teams_host_is_out_of_reach(ground: Range) -> None:
    theirs = ground.address("blue", "box")
    assert ground.reaches(theirs, PORT, team="blue", host="peer"), "the control: their own peer"
    assert not ground.reaches(theirs, PORT)


def test_nothing_outside_is_reached(ground: Range, docker_client: docker.DockerClient) -> None:
    with ordinary(docker_client, "perl", "-e", LISTEN) as outside:
        outside.reload()
        address = outside.attrs["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
        connect = ["timeout", "2", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{PORT}"]
        with ordinary(docker_client, "sleep", "60") as neighbour:
            until(
                lambda: neighbour.exec_run(connect).exit_code == 0,
                what="the control: an ordinary container reaches it",
                within=SOON,
            )
        assert not ground.reaches(address, PORT)


def test_names_of_peers_resolve_and_no_other_question_leaves(
    ground: Range, docker_client: docker.DockerClient
) -> None:
    world = WorldKey(exercise=ground.exercise, team="red")
    network = network_name(ground.installation, world, "lan")
    with ordinary(docker_client, "perl", "-e", RESOLVER, network=network) as resolver:
        resolver.reload()
        address = resolver.attrs["NetworkSettings"]["Networks"][network]["IPAddress"]
        until(lambda: b"ready" in resolver.logs(), what="the resolver", within=SOON)
        with ordinary(docker_client, "sleep", "60", network=network, dns=[address]) as careless:
            careless.exec_run(["timeout", "3", "getent", "ahostsv4", "leaks.test"])
            assert b"leaks" in resolver.logs(), "the control: another setting forwards"

        assert ground.attempt(("getent", "hosts", "peer")) == "done"
        assert ground.attempt(("timeout", "5", "getent", "ahostsv4", "stolen.test")) != "done"
        assert b"stolen" not in resolver.logs()


@pytest.mark.parametrize(
    ("account", "more", "no_new_privileges"),
    [
        (AccountPlan(name="ann"), (), "1"),
        (AccountPlan(name="ann", sudo=True), ("AUDIT_WRITE",), "0"),
    ],
    ids=["plain", "sudo"],
)
def test_a_host_has_the_planned_privileges_and_no_others(
    ground: Range, account: AccountPlan, more: tuple[str, ...], no_new_privileges: str
) -> None:
    world = WorldKey(exercise=ground.exercise, team="red")
    ground.engine.raise_host(world, replace(ground.plan("red", "extra"), accounts=(account,)))
    status = ground.engine.run(
        ground.host("red", "extra"), ("cat", "/proc/self/status"), timeout=SOON
    ).output
    seen = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    mask = sum(1 << CAPABILITY_BITS[name] for name in (*CAPABILITIES, *more))
    assert int(seen["CapEff"], 16) == mask
    assert int(seen["CapBnd"], 16) == mask
    assert seen["Seccomp"] == "2"
    assert seen["NoNewPrivs"] == no_new_privileges


@pytest.mark.parametrize("attempt", [PACKET_SOCKET, RAW_SOCKET])
def test_raw_sockets_are_forbidden(
    ground: Range, docker_client: docker.DockerClient, attempt: str
) -> None:
    with ordinary(docker_client, "sleep", "60") as default:
        assert default.exec_run(["perl", "-e", attempt]).exit_code == 0, "the control"
    assert "Operation not permitted" in ground.attempt(("perl", "-e", attempt))


def test_a_fork_bomb_ends_at_the_limit(ground: Range, docker_client: docker.DockerClient) -> None:
    bomb = ("bash", "-c", "for i in {1..60}; do sleep 5 & done 2>&1; echo all $(jobs -p | wc -l)")
    assert _with_limits(ground, bomb, Limits(pids=128)).endswith("all 60\n"), "the control"
    bombed = _with_limits(ground, bomb, Limits(pids=32))
    assert "Resource temporarily unavailable" in bombed
    name = container_name(ground.installation, ground.host("red", "extra"))
    running = docker_client.api.top(name)["Processes"]
    assert 1 <= len(running) <= 32
    assert ground.reaches(ground.address("red", "peer"), PORT), "and its neighbours do not notice"


def test_memory_beyond_the_limit_kills_who_asks_for_it(ground: Range) -> None:
    glutton = ("perl", "-e", f'my $x = "a" x {150 * MIB}; print length $x')
    assert _with_limits(ground, glutton, Limits(memory=512 * MIB)) == str(150 * MIB), "the control"
    assert _with_limits(ground, glutton, Limits(memory=64 * MIB)) == ""


def _with_limits(ground: Range, command: Sequence[str], limits: Limits) -> str:
    """Return what a command says in a host with these limits."""
    world = WorldKey(exercise=ground.exercise, team="red")
    ground.engine.raise_host(world, replace(ground.plan("red", "extra"), limits=limits))
    return ground.engine.run(ground.host("red", "extra"), command, timeout=SOON).output


def test_nothing_of_the_engines_host_is_mounted(
    ground: Range, docker_client: docker.DockerClient
) -> None:
    name = container_name(ground.installation, ground.host("red", "box"))
    found = docker_client.api.inspect_container(name)
    assert found["Mounts"] == []
    assert not found["HostConfig"]["Devices"]
    assert not found["HostConfig"]["Privileged"]
    assert not found["NetworkSettings"]["Ports"]
    assert "not permitted" in ground.attempt(
        ("perl", "-e", 'syscall(165, "x", "/mnt", "tmpfs", 0, 0) == 0 or die "$!\\n"')
    ) or "denied" in ground.attempt(("mount", "-t", "tmpfs", "x", "/mnt"))


def test_a_host_has_no_ipv6_but_its_loopback(ground: Range) -> None:
    seen = ground.engine.run(
        ground.host("red", "box"), ("cat", "/proc/net/if_inet6"), timeout=SOON
    ).output
    assert [line for line in seen.splitlines() if not line.endswith(" lo")] == []
