"""Teams are apart, and so is the outside; nobody in a host takes another one's place on a network.

Whoever attacks is root in a host of a launched exercise. Each attack has a control: the same try
where it must work, so that a broken one cannot pass for a good defence.
"""

from collections.abc import Iterator
from functools import partial

import docker
import pytest
from docker.models.containers import Container

from core.waiting import pause, until
from orchestrator.engine.hardening import CAPABILITIES
from tests.security.attacked_range import (
    BLUE,
    RED,
    SOON,
    Range,
    address_of,
    connecting,
    ordinary,
    said_by,
)
from tests.security.probes import CHANGE, LISTEN, PORT, RESOLVER, SEND, SPOOF, arp_frame

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

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
    "NET_RAW": 13,
    "SYS_CHROOT": 18,
    "AUDIT_WRITE": 29,
}
PACKET_SOCKET = 'socket(my $s, 17, 3, 0x0300) or die "$!\\n"'
# The engine's resolver answers for its containers within milliseconds, unless it is busy.
ASKING = ("env", "RES_OPTIONS=timeout:3 attempts:1", "getent")
RAW_SOCKET = 'socket(my $s, 2, 3, 1) or die "$!\\n"'


@pytest.fixture(scope="module")
def served(attacked: Range) -> Range:
    """Lend the range with a service in a host of each team."""
    for team in (RED, BLUE):
        serving = f"perl -e '{LISTEN}' >/dev/null 2>&1 &"
        attacked.attempt("sh", "-c", serving, host="small", team=team)
        key = attacked.host("small", team)
        until(partial(attacked.engine.accepts_tcp, key, PORT), what="it", within=SOON)
    return attacked


def test_another_teams_host_is_out_of_reach(served: Range) -> None:
    theirs = served.address("small", BLUE)
    for team in (BLUE, RED):
        reaches = partial(served.reaches, served.address("small", team), PORT, team=team)
        until(reaches, what=f"the control: a peer of {team}", within=SOON)
    assert not served.reaches(theirs, PORT)


def test_another_teams_hosts_have_no_names_here(attacked: Range) -> None:
    theirs = (attacked.container("peer", BLUE), f"peer.{BLUE}")

    def finds_its_own() -> bool:
        found = attacked.said(*ASKING, "ahostsv4", attacked.container("peer"), *theirs)
        assert str(attacked.address("peer", BLUE)) not in found
        return str(attacked.address("peer")) in found.split()

    until(finds_its_own, what="the control", within=SOON)


@pytest.mark.parametrize("team", [RED, BLUE])
def test_names_are_the_own_teams(attacked: Range, team: str) -> None:
    """Both teams have hosts of the same names."""

    def is_found() -> bool:
        found = attacked.said("getent", "hosts", "peer.siege.test", team=team).split()
        assert found[:1] in ([], [str(attacked.address("peer", team))])
        return bool(found)

    until(is_found, what="the name", within=SOON)


def test_nothing_outside_is_reached(
    attacked: Range, neighbour: Container, docker_client: docker.DockerClient
) -> None:
    with ordinary(docker_client, "perl", "-e", LISTEN) as outside:
        connect = connecting(address_of(outside), PORT)
        until(
            lambda: neighbour.exec_run(connect).exit_code == 0,
            what="the control: an ordinary container reaches it",
            within=SOON,
        )
        assert not attacked.reaches(address_of(outside), PORT)


def test_no_question_tunnels_out_by_the_resolver(
    attacked: Range, docker_client: docker.DockerClient
) -> None:
    """What the engine's resolver does not know it hands on to the host that asked, and nowhere.

    Newer engines hand nothing on from an internal network; which it is, another container shows.
    """
    network, listening = attacked.network(), ("sh", "-c", 'perl -e "$0" > /asked 2>&1 &', RESOLVER)
    assert attacked.attempt(*listening) == "done"
    until(lambda: "ready" in attacked.said("cat", "/asked"), what="a listener", within=SOON)
    with ordinary(docker_client, "perl", "-e", RESOLVER, network=network) as resolver:
        address = address_of(resolver, network)
        until(lambda: b"ready" in resolver.logs(), what="the resolver", within=SOON)
        attacked.said("bash", "-c", f"echo direct > /dev/udp/{address}/53")
        until(lambda: b"direct" in resolver.logs(), what="the control: it listens", within=SOON)
        with ordinary(docker_client, "sleep", "7200", network=network, dns=[address]) as careless:

            def leaks() -> bool:
                careless.exec_run(["timeout", "3", *ASKING, "ahostsv4", "leaks.test"])
                pause(1)  # until the engine has what the resolver said in its log
                return b"leaks" in resolver.logs()

            # Asked again: a question's time may be over before a busy engine hands it on.
            hands_on = any(leaks() for _ in range(3))

        def tunnels() -> bool:
            tunnelled = ("timeout", "3", *ASKING, "ahostsv4", "c3RvbGVu.stolen-flag.test")
            assert attacked.attempt(*tunnelled) != "done"
            assert b"stolen" not in resolver.logs()
            return "stolen" in attacked.said("cat", "/asked")

        if hands_on:
            until(tunnels, what="the question to be handed to the host itself", within=SOON)
        else:
            assert not tunnels()


@pytest.fixture(scope="module")
def free(attacked: Range, docker_client: docker.DockerClient) -> Iterator[Container]:
    """Lend a container on the team's network that may change its own network."""
    with ordinary(
        docker_client, "sleep", "7200", network=attacked.network(), CapAdd=["NET_ADMIN"]
    ) as container:
        yield container


@pytest.mark.parametrize("what", ["route", "neighbour", "hardware", "address"])
def test_nobody_changes_the_hosts_network(attacked: Range, free: Container, what: str) -> None:
    """A static route to another team, a forged neighbour, another hardware or IP address."""
    theirs, via = str(attacked.address("peer", BLUE)), str(attacked.address("peer"))
    goal = theirs if what == "route" else str(attacked.address("peer"))
    change = ("perl", "-e", CHANGE, what, goal, via)
    assert said_by(free, *change) == "done", "the control"
    assert attacked.said(*change) == "Operation not permitted"
    assert attacked.said(*change, host="scan") == "Operation not permitted"


def test_no_datagram_carries_another_ones_address(attacked: Range) -> None:
    """IP_FREEBIND takes no privilege; the kernel still sends from an own address only."""
    to = str(attacked.address("peer"))
    spoof = ("perl", "-e", SPOOF)
    own, other = str(attacked.address("box")), str(attacked.address("small"))
    assert attacked.said(*spoof, own, to, "9") == "sent", "the control"
    assert attacked.said(*spoof, other, to, "9") in {"Invalid argument", "Network is unreachable"}


@pytest.mark.parametrize("attempt", [PACKET_SOCKET, RAW_SOCKET], ids=["packet", "raw"])
def test_raw_sockets_are_forbidden(attacked: Range, attempt: str) -> None:
    assert attacked.attempt("perl", "-e", attempt, host="scan") == "done", "the control"
    assert "Operation not permitted" in attacked.attempt("perl", "-e", attempt)


def test_who_may_send_raw_packets_forges_no_arp(attacked: Range) -> None:
    """A launch sets the guard; every kind of forgery is in `test_privileges.py`."""
    mac = attacked.said("cat", "/sys/class/net/eth0/address", host="scan").strip().replace(":", "")
    own, other = (attacked.address(host).packed.hex() for host in ("scan", "peer"))
    frames = ("0806", arp_frame(mac, mac, own), "0806", arp_frame(mac, mac, other))
    assert attacked.said("perl", "-e", SEND, "eth0", *frames, host="scan") == "sent\nrefused\n"


@pytest.mark.parametrize(
    ("host", "more", "no_new_privileges"),
    [("box", (), "1"), ("scan", ("NET_RAW",), "1"), ("peer", ("AUDIT_WRITE",), "0")],
    ids=["strict", "lab", "sudo"],
)
def test_a_host_has_the_planned_privileges_and_no_others(
    attacked: Range, host: str, more: tuple[str, ...], no_new_privileges: str
) -> None:
    status = attacked.said("cat", "/proc/self/status", host=host)
    seen = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    mask = sum(1 << CAPABILITY_BITS[name] for name in (*CAPABILITIES, *more))
    assert int(seen["CapEff"], 16) == mask
    assert int(seen["CapBnd"], 16) == mask
    assert seen["Seccomp"] == "2"
    assert seen["NoNewPrivs"] == no_new_privileges


def test_nothing_of_the_machine_is_mounted_or_published(
    attacked: Range, docker_client: docker.DockerClient
) -> None:
    for host in ("box", "peer", "scan", "small"):
        found = docker_client.api.inspect_container(attacked.container(host))
        assert found["Mounts"] == []
        assert not found["HostConfig"]["Devices"]
        assert not found["HostConfig"]["Privileged"]
        assert not found["NetworkSettings"]["Ports"]


def test_a_host_has_no_ipv6_but_its_loopback(attacked: Range) -> None:
    seen = attacked.said("cat", "/proc/net/if_inet6")
    assert [line for line in seen.splitlines() if not line.endswith(" lo")] == []
