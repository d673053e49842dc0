"""SSH clients that speak the protocol and mean harm: the gateway stays open to the next one."""

import logging
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import docker
import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_DATA, cMSG_CHANNEL_OPEN, cMSG_GLOBAL_REQUEST

from orchestrator.gateway.limits import Limits
from tests.fakes.gateway_stage import (
    PASSWORD,
    Box,
    Stage,
    a_box,
    a_stage,
    an_installation,
    eventually,
)

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

OWNER = an_installation()
LIMITS = Limits(sessions_per_connection=3)
HASTY = replace(LIMITS, login_time=timedelta(seconds=2))
CHANNELS = 10_000
MOST_HELD = 64 * 1024**2


@pytest.fixture(scope="module")
def box(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as made:
        yield made


@pytest.fixture
def stage(box: Box, tmp_path: Path) -> Iterator[Stage]:
    with a_stage(tmp_path, installation=OWNER, hosts={"ana": box.key}, limits=LIMITS) as made:
        yield made
        assert made.ssh("echo", "next").stdout == b"next\n", "the next one is let in"


@pytest.fixture
def transport(stage: Stage, caplog: pytest.LogCaptureFixture) -> Iterator[paramiko.Transport]:
    """Lend a connection that is logged in."""
    # Every channel that is refused would be a line.
    caplog.set_level(logging.CRITICAL, logger="paramiko.transport")
    with socket.create_connection(("127.0.0.1", stage.gateway.port), timeout=60) as connection:
        made = paramiko.Transport(connection)
        made.banner_timeout = made.handshake_timeout = made.auth_timeout = 60
        made.connect(username="ana", password=PASSWORD)
        try:
            yield made
        finally:
            made.close()


def channel_open(number: int) -> paramiko.Message:
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_OPEN)
    message.add_string("session")
    for word in (number, 2**31 - 1, 2**15):
        message.add_int(word)
    return message


def live(stage: Stage) -> int:
    """Return how many channels are open at the gateway."""
    return sum(len(front.channels) for front in stage.gateway._house.fronts)


def test_ten_thousand_channels_get_no_more_than_their_places(
    stage: Stage, transport: paramiko.Transport
) -> None:
    """All are asked for at once: none waits for the answer to the one before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    most = 0
    for number in range(1000, 1000 + CHANNELS):
        transport._send_user_message(channel_open(number))  # type: ignore[attr-defined]
        if number % 500 == 0:
            most = max(most, live(stage))
    eventually(lambda: live(stage) > 0, what="the control: some are opened")
    with suppress(paramiko.SSHException):
        transport.open_session(timeout=30)  # is answered when all before it are
    assert max(most, live(stage)) <= LIMITS.sessions_per_connection
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < MOST_HELD


def test_a_slow_handshake_ends_in_time(box: Box, tmp_path: Path) -> None:
    """A byte now and then keeps a socket busy, and its place in the lobby no longer than others."""
    with (
        a_stage(tmp_path, installation=OWNER, hosts={"ana": box.key}, limits=HASTY) as stage,
        socket.create_connection(("127.0.0.1", stage.gateway.port), timeout=60) as slow,
    ):
        assert slow.recv(8) == b"SSH-2.0-", "the control: it was taken in"
        began = time.monotonic()
        slow.settimeout(0.2)
        said = b"-"
        while said and time.monotonic() - began < LIMITS.login_time.total_seconds():
            try:
                slow.sendall(b"S")
                said = slow.recv(4096)
            except TimeoutError:
                continue
            except ConnectionError:
                said = b""
    assert said == b"", "it was hung up on"


@pytest.mark.usefixtures("stage")
def test_a_giant_packet_ends_its_connection_alone(transport: paramiko.Transport) -> None:
    session = transport.open_session()
    session.exec_command("cat")
    message = paramiko.Message()
    message.add_byte(cMSG_CHANNEL_DATA)
    message.add_int(session.remote_chanid)
    message.add_string(bytes(2**18))
    transport._send_user_message(message)  # type: ignore[attr-defined]
    eventually(lambda: not transport.is_active(), what="the connection's end")


def test_a_packet_of_the_usual_size_does_not(transport: paramiko.Transport) -> None:
    session = transport.open_session()
    session.exec_command("wc -c")
    session.sendall(bytes(2**15))
    session.shutdown_write()
    assert session.makefile().read().strip() == b"32768"


def test_a_flood_of_requests_is_answered_and_keeps_nobody_out(
    stage: Stage, transport: paramiko.Transport
) -> None:
    for _ in range(2000):
        message = paramiko.Message()
        message.add_byte(cMSG_GLOBAL_REQUEST)
        message.add_string("keepalive@openssh.com")
        message.add_boolean(b=False)
        transport._send_user_message(message)  # type: ignore[attr-defined]
    assert stage.ssh("true").returncode == 0
    assert transport.is_active(), "the control: it was heard to the end"


def test_sessions_that_open_and_vanish_leave_nothing(
    stage: Stage, transport: paramiko.Transport, box: Box
) -> None:
    for _ in range(20):
        session = transport.open_session()
        session.exec_command("exec sleep 8000")
        session.close()
    eventually(lambda: live(stage) == 0, what="all channels to end")
    eventually(lambda: not box.processes(), what="nothing left")
