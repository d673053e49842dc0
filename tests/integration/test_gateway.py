"""The gateway in front of real hosts; what clients do with it is in the function matrix."""

import asyncio
import re
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import asyncssh
import docker
import paramiko
import pytest

from core.ids import new_id
from orchestrator.domain.world import HostKey
from orchestrator.engine.exec_stream import DockerTerminals
from orchestrator.gateway.server import Gateway, GatewayAddressUnusableError
from orchestrator.ports import EngineUnavailableError
from orchestrator.terminal.reaper import Reaper
from orchestrator.terminal.stream import ExecStream, TerminalSize
from tests.fakes.broker_stage import DOCKER_HOST, a_broker
from tests.fakes.chronicle import FakeChronicle
from tests.fakes.gateway_stage import (
    ACCOUNT,
    GREETING,
    PASSWORD,
    Box,
    Stage,
    a_box,
    a_stage,
    an_installation,
    askpass,
    eventually,
)
from tests.fakes.patient_transport import PatientTransport
from tests.fakes.terminal_stage import FakeClient, a_visit, sessions

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

OWNER = an_installation()
ABORTED = 50


@pytest.fixture(scope="module")
def desk(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as box:
        yield box


@pytest.fixture(scope="module")
def office() -> Iterator[Box]:
    with a_box(OWNER, "office") as box:
        yield box


@pytest.fixture
def victim() -> Iterator[Box]:
    """Lend a host to destroy."""
    with a_box(OWNER, "victim") as box:
        yield box


@pytest.fixture(scope="module")
def stage(desk: Box, office: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    hosts = {"ana": desk.key, "ana.office": office.key, "ana.nowhere": desk.key}
    with a_stage(tmp_path_factory.mktemp("stage"), installation=OWNER, hosts=hosts) as made:
        yield made


def slots(box: Box) -> int:
    """Return how many of a host's process slots are taken, seen from the engine's machine."""
    return len(box.container.top()["Processes"])


def test_a_known_key_enters_as_the_hosts_account_in_its_home(stage: Stage) -> None:
    ended = stage.ssh('echo "$(id -un) $(pwd) $HOME $SHELL $LANG"')
    assert ended.stdout == b"trainee /home/trainee /home/trainee /bin/bash C.UTF-8\n"


def test_a_key_that_nobody_enrolled_is_refused(stage: Stage, tmp_path: Path) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True
    )
    line = [
        str(tmp_path / "id") if part == str(stage.folder / "id") else part
        for part in stage.ssh_line("true")
    ]
    ended = subprocess.run(line, capture_output=True, check=False, timeout=60)
    assert ended.returncode == 255
    assert b"Permission denied" in ended.stderr


@pytest.mark.parametrize(("password", "code"), [(PASSWORD, 0), ("battery-staple", 255)])
def test_only_the_right_password_enters(
    stage: Stage, tmp_path: Path, password: str, code: int
) -> None:
    line = ["ssh", "-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1"]
    ended = subprocess.run(
        [*line, "-o", "BatchMode=no", *stage.ssh_line("true")[1:]],
        env=askpass(tmp_path, password),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == code, ended.stderr


@pytest.mark.parametrize(("command", "code"), [("true", 0), ("exit 7", 7), ("no-such-thing", 127)])
def test_a_commands_exit_code_comes_back(stage: Stage, command: str, code: int) -> None:
    assert stage.ssh(command).returncode == code


def test_no_packet_is_sent_that_the_client_is_to_ignore(stage: Stage) -> None:
    received = re.findall(
        rb"receive packet: type (\d+)", stage.ssh("true", options=["-vvv"]).stderr
    )
    assert b"91" in received  # the channel was opened
    assert b"2" not in received


def test_opensshs_first_choice_of_ciphers_is_none_that_is_slow_here(stage: Stage) -> None:
    told = stage.ssh("true", options=["-v"]).stderr
    assert re.search(rb"kex: server->client cipher: aes(128|256)-(ctr|gcm@)", told), told


def test_a_command_may_close_its_output_long_before_it_exits(stage: Stage) -> None:
    assert stage.ssh("exec >&- 2>&-; sleep 0.5; exit 4").returncode == 4


def test_the_greeting_is_shown_on_a_shells_terminal_only(stage: Stage) -> None:
    shell = stage.ssh(options=["-tt"], stdin=b"exit 3\n")
    assert shell.stdout.decode().startswith(GREETING)
    assert shell.returncode == 3
    assert stage.ssh("true").stdout == b""


def test_a_login_that_names_a_host_lands_there(stage: Stage, office: Box) -> None:
    landed = stage.ssh("hostname", login="ana.office").stdout.decode().strip()
    assert office.container.id
    assert landed == office.container.id[:12]


def test_what_was_left_running_on_purpose_stays_after_a_clean_exit(stage: Stage, desk: Box) -> None:
    assert stage.ssh("nohup sleep 2000 >/dev/null 2>&1 </dev/null & exit 0").returncode == 0
    eventually(lambda: "sleep 2000" in desk.processes(), what="sleep to run")
    desk.run("kill $(pidof sleep)", account="trainee")


def test_fifty_aborted_sessions_leave_no_process_within_five_seconds(
    stage: Stage, desk: Box
) -> None:
    command = "nohup setsid sleep 3000 & sleep 3001 & exec sleep 3002"

    async def abort_many() -> None:
        connections = [
            await asyncssh.connect(
                "127.0.0.1",
                stage.gateway.port,
                username="ana",
                password=PASSWORD,
                known_hosts=None,
                client_keys=None,
                config=None,
                agent_path=None,
            )
            for _ in range(5)
        ]
        for connection in connections:
            for _ in range(ABORTED // len(connections)):
                await connection.create_process(command)
        await asyncio.to_thread(
            eventually,
            lambda: sum("300" in line for line in desk.processes()) == 3 * ABORTED,
            what="all processes running",
        )
        for connection in connections:
            connection.abort()
            await connection.wait_closed()

    asyncio.run(abort_many())
    eventually(
        lambda: not any("300" in p for p in desk.processes()), what="nothing left", seconds=20
    )


def test_the_processes_of_five_hundred_sessions_are_gone_within_five_seconds(
    desk: Box, tmp_path: Path
) -> None:
    """A busy machine may hold one of three sweeps up, or two."""
    with a_broker(tmp_path, installation=OWNER) as broker:
        assert any(seconds_to_end_most(desk, broker) < 5 for _ in range(3))


def seconds_to_end_most(desk: Box, broker: str) -> float:
    """Begin 501 sessions; return how long it takes to end all of them but one."""
    sessions = [new_id() for _ in range(501)]
    start = "for s; do POLIGON_SESSION=$s setsid sh -c 'sleep 6000 & exec sleep 6001' & done"
    desk.container.exec_run(["sh", "-c", start, "sh", *sessions], user=ACCOUNT)

    async def sweep() -> float:
        reaper = Reaper(DockerTerminals(broker, installation=OWNER))
        began = time.monotonic()
        for session in sessions[1:]:
            reaper.reap(desk.key, ACCOUNT, session)
        await reaper.finish()
        return time.monotonic() - began

    eventually(lambda: len(desk.processes()) == 2 * len(sessions), what="all of them")
    seconds = asyncio.run(sweep())
    assert sorted(desk.processes()) == ["sleep 6000", "sleep 6001"], "another session goes on"
    desk.run("kill $(pidof sleep)", account=ACCOUNT)
    eventually(lambda: not desk.processes(), what="nothing left")
    return seconds


def test_an_aborted_terminal_leaves_no_process(stage: Stage, desk: Box) -> None:
    with subprocess.Popen(
        ["ssh", "-tt", *stage.ssh_line("setsid sleep 4000 & exec sleep 4001")[1:]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as client:  # fmt: skip
        eventually(lambda: "sleep 4001" in desk.processes(), what="the terminal's process")
        client.kill()
    eventually(lambda: not any("400" in p for p in desk.processes()), what="nothing left")


def test_a_session_whose_end_is_not_known_leaves_no_process(desk: Box, tmp_path: Path) -> None:
    """Its pipe breaks, and the broker that knew the process has started anew."""
    visit = replace(a_visit(host=desk.key), command=("sh", "-c", "sleep 7000 & exec sleep 7001"))

    async def story() -> None:
        with a_broker(tmp_path, installation=OWNER) as broker:
            engine = Breakable(broker, installation=OWNER)
            live = sessions(engine)
            live.join(visit, client := FakeClient())
            await asyncio.to_thread(
                eventually,
                lambda: bool(engine.opened) and len(desk.processes()) == 2,
                what="both processes",
            )
        with a_broker(tmp_path, installation=OWNER):
            engine.opened[0].close()
            await asyncio.to_thread(eventually, lambda: not desk.processes(), what="nothing left")
            await live.close("over")
        assert client.codes == [255]

    asyncio.run(story())


class Breakable(DockerTerminals):
    """An engine whose pipes a test can break."""

    def __init__(self, broker: str, *, installation: str) -> None:
        super().__init__(broker, installation=installation)
        self.opened: list[ExecStream] = []

    async def open(
        self,
        host: HostKey,
        command: Sequence[str],
        *,
        account: str,
        environment: Mapping[str, str],
        size: TerminalSize | None = None,
    ) -> ExecStream:
        stream = await super().open(
            host, command, account=account, environment=environment, size=size
        )
        self.opened.append(stream)
        return stream


def test_reaping_works_in_a_host_that_is_out_of_process_slots(victim: Box, tmp_path: Path) -> None:
    subprocess.run(
        ["docker", "update", "--pids-limit", "10", str(victim.container.id)],
        check=True, capture_output=True,
    )  # fmt: skip
    with a_stage(tmp_path, installation=OWNER, hosts={"ana": victim.key}) as stage:
        bomb = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5000 & done; wait"
        with subprocess.Popen(
            stage.ssh_line(bomb), stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
        ) as client:
            eventually(lambda: slots(victim) >= 10, what="no slot left")
            client.kill()
        eventually(lambda: not victim.processes(), what="nothing left")


@pytest.mark.parametrize("how", ["killed", "removed"])
def test_a_host_that_goes_under_a_session_ends_it_with_a_sentence(
    victim: Box, tmp_path: Path, how: str
) -> None:
    with (
        a_stage(tmp_path, installation=OWNER, hosts={"ana": victim.key}) as stage,
        subprocess.Popen(
            stage.ssh_line("echo in; exec sleep 1000"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as client,
    ):  # fmt: skip
        assert client.stdout
        assert client.stderr
        assert client.stdout.readline() == b"in\n"
        if how == "killed":
            victim.container.kill()
        else:
            victim.container.remove(force=True)
        assert client.wait(timeout=60) == 255
        assert b"host victim of team-1 is not running" in client.stderr.read()


def test_a_session_is_cut_with_the_reason_when_the_door_closes(stage: Stage, desk: Box) -> None:
    with subprocess.Popen(
        stage.ssh_line("echo in; exec sleep 6000"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as client:  # fmt: skip
        assert client.stdout
        assert client.stderr
        assert client.stdout.readline() == b"in\n"
        stage.door.closed = "the exercise is paused"
        try:
            assert client.wait(timeout=60) == 255
            assert b"the exercise is paused" in client.stderr.read()
            late = stage.ssh("true")
        finally:
            stage.door.closed = ""
    assert late.returncode == 255
    assert b"the exercise is paused" in late.stderr
    eventually(lambda: "sleep 6000" not in desk.processes(), what="nothing left")


def test_an_engine_that_is_away_is_told_in_a_sentence(desk: Box, tmp_path: Path) -> None:
    away = f"unix://{tmp_path / 'nothing.sock'}"
    chronicle, hosts = FakeChronicle(), {"ana": desk.key}
    with a_stage(
        tmp_path, installation=OWNER, hosts=hosts, docker_host=away, chronicle=chronicle
    ) as stage:
        ended = stage.ssh("true")
    assert [type(fault) for fault in chronicle.faults] == [EngineUnavailableError]
    assert ended.returncode == 255
    assert b"the range's engine does not answer" in ended.stderr


def test_closing_the_gateway_ends_sessions_and_leaves_no_process(desk: Box, tmp_path: Path) -> None:
    with a_stage(tmp_path, installation=OWNER, hosts={"ana": desk.key}) as stage:
        client = subprocess.Popen(
            stage.ssh_line("echo in; exec sleep 7000"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert client.stdout
        assert client.stdout.readline() == b"in\n"
    with client:
        assert client.stderr
        assert b"The gateway is going down" in client.stderr.read()
        assert client.wait(timeout=60) == 255
    eventually(lambda: "sleep 7000" not in desk.processes(), what="nothing left")


def test_a_port_in_use_is_told_in_a_sentence(stage: Stage, tmp_path: Path) -> None:
    async def second() -> None:
        await Gateway(
            doorkeeper=stage.door,
            terminals=DockerTerminals(DOCKER_HOST, installation=OWNER),
            host_key=tmp_path / "host_key",
            address="127.0.0.1",
            port=stage.gateway.port,
            chronicle=FakeChronicle(),
        ).start()

    with pytest.raises(GatewayAddressUnusableError, match="is in use already"):
        asyncio.run(second())


def test_paramiko_may_try_a_key_first_and_then_a_password(stage: Stage) -> None:
    """It asks for the login service anew with every try, which OpenSSH's server takes too."""
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(
            "127.0.0.1", stage.gateway.port, "ana", PASSWORD, pkey=paramiko.RSAKey.generate(2048),
            allow_agent=False, look_for_keys=False, transport_factory=PatientTransport,
        )  # fmt: skip
        assert client.exec_command("echo in")[1].read() == b"in\n"
