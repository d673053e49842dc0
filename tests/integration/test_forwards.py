"""Forwards into real hosts: `-L`, `-D`, `-W`, `-J`, and what three SSH clients make of them."""

import asyncio
import hashlib
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncssh
import docker
import paramiko
import pytest

from orchestrator.engine.labels import KIND, OWNER, Kind
from orchestrator.engine.reach import DockerReach
from orchestrator.gateway.forwarding import Forwarded
from orchestrator.gateway.limits import Limits
from orchestrator.terminal.reach import ForwardBrokenError, ForwardRefusedError
from tests.fakes.broker_stage import a_broker
from tests.fakes.chronicle import FakeChronicle
from tests.fakes.gateway_stage import (
    ACCOUNT,
    PASSWORD,
    Box,
    Stage,
    a_box,
    a_stage,
    a_toolbox,
    an_image,
    an_installation,
    eventually,
)
from tests.fakes.patient_transport import PatientTransport
from tests.ports import free_port

# Their images are built before the first of them.
pytestmark = [pytest.mark.engine, pytest.mark.enable_socket, pytest.mark.timeout(300)]

INSTALLATION = an_installation()
MIB = 1024**2
PORTS = range(7000, 7004)
MOST = 56  # forwards of a connection

# Echoes, counts what comes until its end, floods, and has a page.
SERVE = r"""
use IO::Socket::INET; $SIG{CHLD} = "IGNORE"; $SIG{PIPE} = "DEFAULT";
my %does = (
  7000 => sub { my $c = shift; my $b; while (sysread $c, $b, 65536) {
    my $at = 0; while ($at < length $b) { $at += syswrite $c, $b, length($b) - $at, $at } } },
  7001 => sub { my $c = shift; my $n = 0; my $b; $n += length $b while sysread $c, $b, 65536;
    syswrite $c, "heard $n\n" },
  7002 => sub { my $c = shift; my $n = 0; my $b = "x" x 65536; while (1) {
    my $w = syswrite $c, $b or last; $n += $w;
    open my $f, ">", "/tmp/flooded"; print $f $n } },
  7003 => sub { my $c = shift; sysread $c, my $b, 65536;
    syswrite $c, "HTTP/1.0 200 OK\r\n\r\na page of the range\n" },
);
for my $port (keys %does) {
  next if fork;
  my $place = "127.0.0.1:$port";
  my $l = IO::Socket::INET->new(Listen => 99, LocalAddr => $place, ReuseAddr => 1) or die;
  while (my $c = $l->accept) { next if fork; $does{$port}->($c); exit 0 }
}
sleep;
"""


@pytest.fixture(scope="module")
def toolbox(docker_client: docker.DockerClient) -> Iterator[str]:
    with a_toolbox(INSTALLATION) as image:
        yield image


@pytest.fixture(scope="module")
def desk(toolbox: str) -> Iterator[Box]:
    """Lend a host that serves, and on which an account may log in by SSH with the tests' key."""
    with (
        an_image(INSTALLATION, packages="openssh-server") as image,
        a_box(INSTALLATION, "desk", image) as box,
    ):
        box.container.exec_run(["perl", "-e", SERVE], detach=True)
        eventually(lambda: all(port_is_open(box, port) for port in PORTS), what="the services")
        yield box


@pytest.fixture
def victim() -> Iterator[Box]:
    with a_box(INSTALLATION, "victim") as box:
        box.container.exec_run(["perl", "-e", SERVE], detach=True)
        eventually(lambda: all(port_is_open(box, port) for port in PORTS), what="the services")
        yield box


@pytest.fixture(scope="module")
def told() -> list[Forwarded]:
    return []


@pytest.fixture(scope="module")
def stage(
    desk: Box, toolbox: str, told: list[Forwarded], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with a_stage(
        tmp_path_factory.mktemp("stage"),
        installation=INSTALLATION,
        hosts={"ana": desk.key},
        limits=Limits(forwards_per_connection=MOST),
        toolbox=toolbox,
        chronicle=FakeChronicle(forwards=told),
    ) as made:
        yield made


def port_is_open(box: Box, port: int) -> bool:
    return f":{port:04X} " in box.run("cat /proc/net/tcp")


def beside(client: docker.DockerClient) -> int:
    """Return how many toolboxes stand beside hosts."""
    labels = [f"{OWNER}={INSTALLATION}", f"{KIND}={Kind.REACH}"]
    return len(client.containers.list(all=True, sparse=True, filters={"label": labels}))


@contextmanager
def forwarded(stage: Stage, *options: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `ssh -N` with a forward, until the local port answers."""
    line = stage.ssh_line()
    with subprocess.Popen(
        [line[0], "-N", "-o", "LogLevel=INFO", *options, *line[1:]],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as client:
        try:
            eventually(lambda: not is_free(port), what="the forwarded port")
            yield client
        finally:
            client.kill()  # of SIGTERM the client is told only when something comes


def is_free(port: int) -> bool:
    with socket.socket() as trying, suppress(OSError):
        trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trying.bind(("127.0.0.1", port))
        return True
    return False


def connects(place: Path) -> bool:
    """Tell whether somebody listens at a socket, whose file is there a moment earlier."""
    with socket.socket(socket.AF_UNIX) as trying:
        return trying.connect_ex(str(place)) == 0


def dialled(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def heard(end: socket.socket) -> bytes:
    pieces = bytearray()
    while piece := end.recv(65536):
        pieces += piece
    return bytes(pieces)


def test_fifty_megabytes_come_back_unharmed_through_a_local_port(
    stage: Stage, told: list[Forwarded]
) -> None:
    sent = os.urandom(50 * MIB)
    port = free_port()
    with forwarded(stage, "-L", f"{port}:localhost:7000", port=port), dialled(port) as end:

        def say() -> None:
            end.sendall(sent)
            end.shutdown(socket.SHUT_WR)

        saying = threading.Thread(target=say)
        saying.start()
        came = hashlib.sha256(heard(end)).hexdigest()
        saying.join(60)
    assert came == hashlib.sha256(sent).hexdigest()
    eventually(
        lambda: any(over.to_target == len(sent) for over in told), what="the event of so many bytes"
    )
    (over,) = [over for over in told if over.to_target == len(sent)]
    assert (over.goal.login, over.goal.entry.account) == ("ana", ACCOUNT)
    assert (over.goal.address, over.goal.port) == ("localhost", 7000)
    assert (over.to_target, over.from_target) == (len(sent), len(sent))
    assert over.ended > over.began


def test_one_way_may_end_long_before_the_other(stage: Stage) -> None:
    port = free_port()
    with forwarded(stage, "-L", f"{port}:127.0.0.1:7001", port=port), dialled(port) as end:
        end.sendall(b"x" * 1000)
        end.shutdown(socket.SHUT_WR)
        assert heard(end) == b"heard 1000\n"


def test_fifty_connections_at_once_each_hear_their_own(stage: Stage) -> None:
    port = free_port()
    with forwarded(stage, "-L", f"{port}:127.0.0.1:7000", port=port):
        ends = [dialled(port) for _ in range(50)]
        for number, end in enumerate(ends):
            end.sendall(b"%d" % number)
        for number, end in enumerate(ends):
            end.shutdown(socket.SHUT_WR)
            assert heard(end) == b"%d" % number
            end.close()


def test_a_socks_proxy_leads_to_names_of_the_host(stage: Stage, desk: Box) -> None:
    port = free_port()
    name = desk.run("hostname").strip()
    desk.run(f"grep -q {name} /etc/hosts || echo 127.0.0.1 {name} >> /etc/hosts")
    with forwarded(stage, "-D", str(port), port=port):
        proxy = ["--socks5-hostname", f"127.0.0.1:{port}"]
        page = subprocess.run(
            ["curl", "-s", "-m", "60", *proxy, f"http://{name}:7003/"],
            capture_output=True, check=False, timeout=70,
        )  # fmt: skip
    assert page.stdout == b"a page of the range\n"


def test_stdin_and_stdout_can_be_a_connection(stage: Stage) -> None:
    ended = stage.ssh(options=["-W", "localhost:7001"], stdin=b"over stdin")
    assert (ended.returncode, ended.stdout) == (0, b"heard 10\n")


@pytest.mark.parametrize(
    ("goal", "sentence"),
    [
        ("127.0.0.1:7999", b"nothing listens there"),
        ("no-such-host:80", b"the host knows no such name"),
        ("198.51.100.7:80", b"the host's networks do not lead there"),
    ],
)
def test_what_does_not_answer_is_refused_with_a_sentence(
    stage: Stage, goal: str, sentence: bytes
) -> None:
    ended = stage.ssh(options=["-W", goal, "-o", "LogLevel=INFO"])
    assert sentence in ended.stderr
    assert ended.returncode == 255


def test_one_may_jump_through_the_gateway_to_a_server_inside(stage: Stage, desk: Box) -> None:
    key = (stage.folder / "id.pub").read_text()
    desk.run(
        f"mkdir -p /home/{ACCOUNT}/.ssh && echo '{key}' > /home/{ACCOUNT}/.ssh/authorized_keys"
    )
    desk.run("mkdir -p /run/sshd && /usr/sbin/sshd -p 2022 -o ListenAddress=127.0.0.1")
    eventually(lambda: port_is_open(desk, 2022), what="the server inside")
    jump = subprocess.list2cmdline(stage.ssh_line("-W", "%h:%p"))
    line = ["ssh", *stage.options(), "-o", f"ProxyCommand={jump}", "-p", "2022"]
    ended = subprocess.run(
        [*line, f"{ACCOUNT}@localhost", "echo $SSH_CONNECTION; id -un"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert ended.stdout.splitlines()[1:] == [ACCOUNT.encode()], ended.stderr
    assert ended.stdout.startswith(b"127.0.0.1 ")


def test_no_host_listens_on_the_trainees_machine(stage: Stage) -> None:
    options = ["-v", "-R", "0:127.0.0.1:80", "-o", "ExitOnForwardFailure=yes"]
    ended = stage.ssh("true", options=[*options, "-o", "LogLevel=DEBUG1"])
    assert ended.returncode == 255
    assert b"no host of a range may listen on your machine" in ended.stderr
    assert stage.ssh("echo ${SSH_AUTH_SOCK-none}", options=["-A"]).stdout == b"none\n"


def test_a_socket_of_the_host_is_not_forwarded(stage: Stage, tmp_path: Path) -> None:
    local = tmp_path / "socket"
    line = stage.ssh_line()
    with subprocess.Popen(
        [line[0], "-N", "-o", "LogLevel=INFO", "-L", f"{local}:/run/x.sock", *line[1:]],
        stderr=subprocess.PIPE,
    ) as client:
        eventually(lambda: connects(local), what="the local socket")
        with socket.socket(socket.AF_UNIX) as end:
            end.connect(str(local))
            assert end.recv(1) == b""
        client.kill()
        assert client.stderr
        assert b"sockets are not forwarded" in client.stderr.read()


def test_a_remote_editor_starts_its_server_and_speaks_to_it_on_one_connection(
    stage: Stage,
) -> None:
    """As VS Code does: `sh` is fed commands, says a port, and direct-tcpip leads there."""
    server = (
        "use IO::Socket::INET;"
        'my $l = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1:0");'
        '$| = 1; print "listening on ", $l->sockport, "\\n"; my $c = $l->accept;'
        "sysread $c, my $b, 100; syswrite $c, uc $b;"
    )

    async def work() -> tuple[bytes, int | None]:
        async with a_connection(stage) as connection:
            shell = await connection.create_process("sh", encoding=None)
            shell.stdin.write(f"exec perl -e '{server}'\n".encode())
            said = await asyncio.wait_for(shell.stdout.readline(), 60)
            reader, writer = await connection.open_connection(
                "127.0.0.1", int(said.split()[-1]), encoding=None
            )
            writer.write(b"hello")
            answer = await asyncio.wait_for(reader.read(), 60)
            writer.close()
            return answer, (await shell.wait()).returncode

    assert asyncio.run(work()) == (b"HELLO", 0)


def test_paramiko_opens_what_it_calls_a_direct_channel(stage: Stage) -> None:
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(
            "127.0.0.1", stage.gateway.port, "ana", PASSWORD, allow_agent=False,
            look_for_keys=False, transport_factory=PatientTransport,
        )  # fmt: skip
        transport = client.get_transport()
        assert transport
        channel = transport.open_channel("direct-tcpip", ("127.0.0.1", 7001), ("127.0.0.1", 1))
        channel.sendall(b"hello")
        channel.shutdown_write()
        assert channel.makefile("rb").read() == b"heard 5\n"
        with pytest.raises(paramiko.ChannelException, match="Connect failed"):
            transport.open_channel("direct-tcpip", ("127.0.0.1", 7999), ("127.0.0.1", 1))


def test_a_connection_holds_so_many_forwards_and_no_more(stage: Stage) -> None:
    async def work() -> None:
        async with a_connection(stage) as connection:
            held = [await connection.open_connection("127.0.0.1", 7000) for _ in range(MOST)]
            with pytest.raises(asyncssh.ChannelOpenError, match="no more are allowed"):
                await connection.open_connection("127.0.0.1", 7000)
            held[0][1].close()
            await held[0][1].wait_closed()
            for _ in range(600):
                with suppress(asyncssh.ChannelOpenError):
                    await connection.open_connection("127.0.0.1", 7000)
                    return
                await asyncio.sleep(0.1)
            pytest.fail("a place was not given back")

    asyncio.run(work())


def test_a_client_that_does_not_read_holds_the_other_side(stage: Stage, desk: Box) -> None:
    port = free_port()
    with forwarded(stage, "-L", f"{port}:127.0.0.1:7002", port=port), dialled(port) as end:
        assert end.recv(1) == b"x"
        sizes: list[int] = [0]

        def has_stopped() -> bool:
            sizes.append(int(desk.run("cat /tmp/flooded; sleep 0.5") or 0))
            return sizes[-1] == sizes[-2] > 0

        eventually(has_stopped, what="the flood to wait")
        assert sizes[-1] < 40 * MIB
        end.settimeout(60)
        came = 0
        while came <= sizes[-1]:  # and it goes on when it is read again
            came += len(end.recv(65536))


def test_forwards_are_cut_when_the_door_closes_also_without_a_session(stage: Stage) -> None:
    port = free_port()
    with (
        forwarded(stage, "-L", f"{port}:127.0.0.1:7000", port=port) as client,
        dialled(port) as end,
    ):
        end.sendall(b"x")
        assert end.recv(1) == b"x"
        stage.door.closed = "the exercise is paused"
        try:
            end.settimeout(60)
            assert end.recv(1) == b""
            with dialled(port) as late:
                assert late.recv(1) == b""
        finally:
            stage.door.closed = ""
        client.kill()
        assert client.stderr
        assert b"the exercise is paused" in client.stderr.read()


def test_a_host_that_goes_ends_its_forwards_and_leaves_nothing_beside_it(
    stage: Stage, victim: Box, docker_client: docker.DockerClient
) -> None:
    stage.door.hosts["bob"] = victim.key
    stage.door.keys |= {("bob", key) for _, key in stage.door.keys}
    before = beside(docker_client)
    with subprocess.Popen(
        ["ssh", "-W", "127.0.0.1:7000", *stage.ssh_line(login="bob")[1:]],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as client:  # fmt: skip
        assert client.stdin
        assert client.stdout
        client.stdin.write(b"x")
        client.stdin.flush()
        assert client.stdout.read(1) == b"x"
        assert beside(docker_client) == before + 1
        victim.container.remove(force=True)
        client.wait(timeout=60)
    eventually(lambda: beside(docker_client) == before, what="nothing beside the host")
    ended = stage.ssh(options=["-W", "127.0.0.1:7000", "-o", "LogLevel=INFO"], login="bob")
    assert b"host victim of team-1 is not running" in ended.stderr


def test_a_closed_gateway_leaves_nothing_beside_a_host(
    desk: Box, toolbox: str, tmp_path: Path, docker_client: docker.DockerClient
) -> None:
    before = beside(docker_client)
    with a_stage(
        tmp_path, installation=INSTALLATION, hosts={"ana": desk.key}, toolbox=toolbox
    ) as stage:
        assert stage.ssh(options=["-W", "localhost:7001"], stdin=b"x").stdout == b"heard 1\n"
        assert beside(docker_client) == before + 1
    eventually(lambda: beside(docker_client) == before, what="nothing beside the host")


def test_a_host_that_ran_again_is_reached_anew_and_what_carries_nothing_goes(
    victim: Box, toolbox: str, docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    before = beside(docker_client)

    async def work(broker: str) -> None:
        reach = DockerReach(broker, installation=INSTALLATION, idle_seconds=0.5)
        first = await reach.connect(victim.key, "localhost", 7000)
        await asyncio.to_thread(victim.container.restart, timeout=0)
        with pytest.raises(ForwardRefusedError, match="nothing listens there"):
            await reach.connect(victim.key, "localhost", 7000)
        with pytest.raises(ForwardBrokenError, match="host victim of team-1 is not running"):
            await first.write(b"x")
        await asyncio.to_thread(
            eventually,
            lambda: beside(docker_client) == before,
            what="nothing beside the host",
        )
        await reach.close()

    with a_broker(tmp_path, installation=INSTALLATION, toolbox=toolbox) as broker:
        asyncio.run(work(broker))


def test_a_range_without_its_toolbox_is_told_in_a_sentence(desk: Box, tmp_path: Path) -> None:
    with a_stage(
        tmp_path, installation=INSTALLATION, hosts={"ana": desk.key}, toolbox="no-such:image"
    ) as stage:
        ended = stage.ssh(options=["-W", "localhost:7001", "-o", "LogLevel=INFO"])
    assert b"the range's toolbox is not on the engine" in ended.stderr


def a_connection(stage: Stage) -> "asyncssh.misc._ACMWrapper[asyncssh.SSHClientConnection]":
    """Return what connects as asyncssh's client."""
    return asyncssh.connect(
        "127.0.0.1",
        stage.gateway.port,
        username="ana",
        password=PASSWORD,
        known_hosts=None,
        client_keys=None,
        config=None,
        agent_path=None,
    )
