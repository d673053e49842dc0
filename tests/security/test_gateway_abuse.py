"""What hostile SSH clients try against the gateway. Loopback only."""

import asyncio
import itertools
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncssh
import docker
import paramiko
import pytest

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
LIMITS = Limits(
    strangers=40,
    strangers_per_source=25,
    login_time=timedelta(seconds=60),  # a flood takes a busy machine a while
    sessions_per_connection=3,
)
HASTY = replace(LIMITS, login_time=timedelta(seconds=3))
# The longest wait is longer than a login takes on a busy machine.
SLOWING = replace(LIMITS, first_delay=timedelta(seconds=1), longest_delay=timedelta(seconds=50))
FLOOD = 100
MOST_HELD = 16 * 1024**2


@pytest.fixture(scope="module")
def box(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as made:
        yield made


@pytest.fixture
def limits() -> Limits:
    return LIMITS


@pytest.fixture
def stage(box: Box, tmp_path: Path, limits: Limits) -> Iterator[Stage]:
    with a_stage(tmp_path, installation=OWNER, hosts={"ana": box.key}, limits=limits) as made:
        yield made


def strangers(stage: Stage, source: str, count: int, held: ExitStack) -> int:
    """Open `count` connections that never log in; return how many are let wait."""
    let_in = 0
    for _ in range(count):
        one = held.enter_context(socket.socket())
        one.settimeout(60)
        one.bind((source, 0))
        one.connect(("127.0.0.1", stage.gateway.port))
        try:
            let_in += one.recv(8).startswith(b"SSH-2.0-")
        except ConnectionResetError:
            continue
    return let_in


def connected(stage: Stage, *, login: str = "ana", password: str = PASSWORD) -> paramiko.SSHClient:
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect(
        "127.0.0.1", stage.gateway.port, login, password,
        allow_agent=False, look_for_keys=False, banner_timeout=60, auth_timeout=60,
    )  # fmt: skip
    return client


def test_a_flood_of_strangers_is_bounded_by_source_and_in_total(stage: Stage) -> None:
    with ExitStack() as held:
        assert strangers(stage, "127.0.0.1", FLOOD, held) == LIMITS.strangers_per_source
        assert strangers(stage, "127.0.0.2", FLOOD, held) == (
            LIMITS.strangers - LIMITS.strangers_per_source
        )
    eventually(lambda: stage.ssh("true").returncode == 0, what="a login after the flood")


@pytest.mark.parametrize("limits", [HASTY])
def test_a_half_open_login_is_dropped_in_time(stage: Stage) -> None:
    with ExitStack() as held:
        assert strangers(stage, "127.0.0.1", 5, held) == 5
        waiting = stage.gateway._house.lobby
        eventually(lambda: not waiting._waiting, what="an empty lobby")


def test_somebody_inside_takes_no_strangers_place(stage: Stage) -> None:
    with connected(stage), ExitStack() as held:
        assert strangers(stage, "127.0.0.1", FLOOD, held) == LIMITS.strangers_per_source


@pytest.mark.parametrize(
    "login",
    [
        "../ana",
        "ana/../../root",
        "ana.a.b.c.d",
        "ana." + "b" * 64,
        "a" * 33,
        "ana..desk",
        "ana.desk\x1b[2J",
        "ana\r\nana",
        "ana desk",
        "ana@desk",
        "ana%n",
        "ana.-desk",
        "ana.",
        ".ana",
        "Ana",
        "ana\n",
        "ana\x00",
        "аna",  # the first letter is Cyrillic
        "ana\u202e",
        "ana;id",
        "$(id)",
        "-oProxyCommand=id",
        "ana.-privileged",
        "ana.--user=root",
        "ana.desk.-u0",
        "a" * 10_000,
        "",
    ],
)
def test_a_login_that_cannot_be_is_refused_and_never_looked_up(stage: Stage, login: str) -> None:
    with pytest.raises(paramiko.SSHException):
        connected(stage, login=login).close()
    assert stage.door.asked == []


def test_the_same_probe_with_a_real_login_is_looked_up_and_enters(stage: Stage) -> None:
    connected(stage).close()
    assert stage.door.asked == ["ana"]


class Guesser(asyncssh.SSHClient):
    """Tries wrong passwords on one connection as long as it is let."""

    def __init__(self) -> None:
        self.asked_at: list[float] = []

    def password_auth_requested(self) -> str:
        self.asked_at.append(time.monotonic())
        return "guess"

    def kbdint_auth_requested(self) -> None:
        return None


@pytest.mark.parametrize("limits", [SLOWING])
def test_guessing_gets_slower_and_a_connection_gets_five_tries(stage: Stage) -> None:
    def guessing() -> list[float]:
        """Return how long each try but the last one took."""
        guesser = Guesser()

        async def guess() -> None:
            await asyncssh.connect(
                "127.0.0.1", stage.gateway.port, username="ana", client_factory=lambda: guesser,
                known_hosts=None, client_keys=None, config=None, agent_path=None,
            )  # fmt: skip

        with pytest.raises(asyncssh.DisconnectError):
            asyncio.run(guess())
        assert len(stage.door.asked) == LIMITS.passwords_per_connection
        return [after - before for before, after in itertools.pairwise(guesser.asked_at)]

    first_delay = SLOWING.first_delay.total_seconds()
    fastest = first_delay
    for _ in range(3):  # a busy machine may take as long for the first one
        first, _, third, _ = guessing()
        assert third > 1.8 * first_delay
        fastest = min(fastest, first)
        if fastest < first_delay:
            break
        stage.door.asked.clear()
        stage.gateway._house.guesses.succeeded("ana")
    assert fastest < first_delay


@pytest.mark.parametrize("limits", [SLOWING])
def test_a_key_enters_at_once_while_somebody_guesses_the_password(stage: Stage) -> None:
    for _ in range(10):
        stage.gateway._house.guesses.failed("ana")
    began = time.monotonic()
    assert stage.ssh("true").returncode == 0
    assert time.monotonic() - began < SLOWING.longest_delay.total_seconds()


def test_one_connection_gets_no_more_than_its_sessions(stage: Stage) -> None:
    with connected(stage) as client:
        transport = client.get_transport()
        assert transport
        held = [transport.open_session() for _ in range(LIMITS.sessions_per_connection)]
        with pytest.raises(paramiko.ChannelException, match="Resource shortage"):
            transport.open_session()
        held[0].close()
        eventually(lambda: opens(transport), what="a place after one left")


def opens(transport: paramiko.Transport) -> bool:
    try:
        transport.open_session().close()
    except paramiko.ChannelException:
        return False
    return True


@pytest.mark.parametrize("window", [2 * 1024**2, 2**31 - 1], ids=["honest", "boundless"])
def test_a_client_that_does_not_read_costs_no_memory(stage: Stage, box: Box, window: int) -> None:
    """The boundless window is the trick: the SSH library alone would buffer as much as it says."""

    async def stare() -> int:
        connection = await asyncssh.connect(
            "127.0.0.1", stage.gateway.port, username="ana", password=PASSWORD,
            known_hosts=None, client_keys=None, config=None, agent_path=None,
        )  # fmt: skip
        await connection.create_session(
            asyncssh.SSHClientSession, "yes", window=window, encoding=None
        )
        transport = connection._transport
        assert transport
        transport.pause_reading()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        await asyncio.sleep(2)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        connection.abort()
        await connection.wait_closed()
        return grown * 1024

    assert asyncio.run(stare()) < MOST_HELD
    eventually(lambda: not box.processes(), what="nothing left")


def test_a_process_that_does_not_read_stops_its_client(stage: Stage, box: Box) -> None:
    with connected(stage) as client:
        transport = client.get_transport()
        assert transport
        channel = transport.open_session()
        channel.exec_command("exec sleep 8000")
        channel.settimeout(2)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 2 * MOST_HELD:
                sent += channel.send(bytes(32 * 1024))
        assert 0 < sent < MOST_HELD
    eventually(lambda: not box.processes(), what="nothing left")


def test_a_giant_packet_before_the_login_is_not_awaited(stage: Stage) -> None:
    patience = LIMITS.login_time.total_seconds() - 1
    with socket.create_connection(("127.0.0.1", stage.gateway.port), timeout=patience) as one:
        one.sendall(b"SSH-2.0-probe\r\n" + (2**31).to_bytes(4, "big") + bytes(64))
        received = b"-"
        while received:
            received = one.recv(4096)


@pytest.mark.parametrize(
    "command", ["echo $0 $# ; exit 3", "'; exit 3; #", '"; $(exit 3)', "exit 3"]
)
def test_a_command_stays_one_argument_of_the_accounts_shell(stage: Stage, command: str) -> None:
    """The wrapper must not be broken out of; what bash alone says of the command is expected."""
    ended = stage.ssh(command)
    assert b"enter" not in ended.stderr
    assert ended.returncode in {2, 3, 127}


def test_a_terminal_name_cannot_carry_anything_else(stage: Stage) -> None:
    with connected(stage) as client:
        transport = client.get_transport()
        assert transport
        channel = transport.open_session()
        channel.get_pty("xterm\nLD_PRELOAD=/tmp/x", width=2**31 - 1, height=0)
        channel.exec_command("echo $TERM; stty size; echo ${LD_PRELOAD-none}")
        shown = channel.makefile().read().decode()
    assert shown.split() == ["xterm-256color", "24", "1000", "none"]


def test_no_environment_comes_from_the_client(stage: Stage) -> None:
    ended = stage.ssh(
        "echo ${LC_EVIL-none} ${BASH_ENV-none}",
        options=["-o", "SetEnv=LC_EVIL=1", "-o", "SetEnv=BASH_ENV=/etc/passwd"],
    )
    assert ended.stdout == b"none none\n"
