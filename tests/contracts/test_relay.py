"""Connections from inside a host's network that end at a socket of ours."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import pytest

from orchestrator.domain.world import Attachment, HostKey, HostPlan, NetworkPlan, WorldKey
from orchestrator.ports import HostGoneError, RelayEnd
from tests.contracts.engine_cases import EngineCase

HERE = IPv4Address("127.0.0.1")
MIB = 1024**2


@dataclass
class Talk:
    """What a client of ours hears of a relay, and how that ended."""

    ours: socket.socket
    ends: list[RelayEnd] = field(default_factory=list)

    def hear(self, size: int) -> bytes:
        pieces = b""
        while len(pieces) < size and (piece := self.ours.recv(size - len(pieces))):
            pieces += piece
        return pieces


@pytest.fixture
def host(case: EngineCase, world: WorldKey, subnet: IPv4Network) -> HostKey:
    case.engine.raise_network(world, NetworkPlan(network="office", subnet=subnet))
    place = Attachment(network="office", address=subnet[2])
    plan = HostPlan(host="office", image=case.image, attachments=(place,))
    case.engine.raise_host(world, plan)
    return world.host("office")


@contextmanager
def relayed(case: EngineCase, host: HostKey, port: int, *, seconds: float = 60) -> Iterator[Talk]:
    ours, end = socket.socketpair()
    talk = Talk(ours=ours)

    def relay() -> None:
        timeout = timedelta(seconds=seconds)
        talk.ends.append(case.engine.relay(host, HERE, port, end, timeout=timeout))

    thread = threading.Thread(target=relay)
    thread.start()
    with ours:
        ours.settimeout(60)
        yield talk
    thread.join(60)


def test_both_sides_hear_each_other_until_one_is_done(case: EngineCase, host: HostKey) -> None:
    case.echo(host, HERE, 4000, greeting=3)
    with relayed(case, host, 4000) as talk:
        assert talk.hear(3) == b"xxx"
        talk.ours.sendall(b"hello\0\xff\r\n")
        assert talk.hear(9) == b"hello\0\xff\r\n"
    assert talk.ends == [RelayEnd.CLOSED]


def test_who_has_heard_enough_may_go(case: EngineCase, host: HostKey) -> None:
    case.echo(host, HERE, 4005, greeting=3 * MIB)
    with relayed(case, host, 4005) as talk:
        assert talk.hear(1) == b"x"
    assert talk.ends == [RelayEnd.CLOSED]


def test_nobody_at_a_port_is_no_answer(case: EngineCase, host: HostKey) -> None:
    with relayed(case, host, 4001) as talk:
        assert talk.hear(1) == b""
    assert talk.ends == [RelayEnd.NO_ANSWER]


def test_a_talk_ends_when_its_time_is_over(case: EngineCase, host: HostKey) -> None:
    case.echo(host, HERE, 4002, greeting=1)

    def heard(seconds: float) -> bytes:
        with relayed(case, host, 4002, seconds=seconds) as talk:
            words = talk.hear(2)
        assert talk.ends == [RelayEnd.LATE if words else RelayEnd.NO_ANSWER]
        return words

    # A busy machine may come to nothing in five seconds.
    assert (heard(5) or heard(40)) == b"x"


def test_who_reads_no_more_holds_nobody(case: EngineCase, host: HostKey) -> None:
    case.echo(host, HERE, 4006, greeting=0)
    with relayed(case, host, 4006, seconds=5) as talk, pytest.raises(ConnectionError):
        talk.ours.sendall(b"x" * 64 * MIB)  # it is said back, and nobody here listens
    assert talk.ends == [RelayEnd.LATE]


def test_who_talks_without_end_is_cut(case: EngineCase, host: HostKey) -> None:
    case.echo(host, HERE, 4003, greeting=5 * MIB)
    with relayed(case, host, 4003) as talk:
        assert len(talk.hear(5 * MIB)) <= 4 * MIB
    assert talk.ends == [RelayEnd.FLOODED]


def test_a_host_that_does_not_run_has_no_network(case: EngineCase, host: HostKey) -> None:
    case.end(host)
    ours, end = socket.socketpair()
    with ours, pytest.raises(HostGoneError):
        case.engine.relay(host, HERE, 4004, end, timeout=timedelta(seconds=5))
