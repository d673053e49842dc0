"""Every feature of the function matrix, with every client that has it; and files, on real hosts."""

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import docker
import pytest

from orchestrator.gateway.limits import Limits
from orchestrator.terminal.files.transfers import Transfer
from orchestrator.terminal.limits import TerminalLimits
from tests.fakes.chronicle import FakeChronicle
from tests.fakes.file_hosts import FileHosts, file_hosts
from tests.fakes.gateway_stage import (
    ACCOUNT,
    Stage,
    a_stage,
    a_toolbox,
    an_installation,
    eventually,
)
from tests.fakes.ssh_clients import OpenSsh, SshClient
from tests.matrix import CLIENTS, FEATURES, Feature, Scene
from tests.matrix.forwards import INSIDE, SHOUTING

# Their images are built before the first of them.
pytestmark = [pytest.mark.engine, pytest.mark.enable_socket, pytest.mark.timeout(300)]

OWNER = an_installation()
SERVICE = f"""
use IO::Socket::INET;
my $l = IO::Socket::INET->new(Listen => 9, LocalAddr => "127.0.0.1:{SHOUTING}") or die;
while (my $c = $l->accept) {{ print $c uc(<$c>); close $c }}
"""
CELLS = [
    pytest.param(row, client, id=f"{client.name}: {row.title}")
    for row in FEATURES
    for client in CLIENTS
    if client.name not in row.lacking
]


@pytest.fixture(scope="module")
def hosts(docker_client: docker.DockerClient) -> Iterator[FileHosts]:
    with file_hosts(OWNER) as made:
        made.full.container.exec_run(["perl", "-e", SERVICE], detach=True)
        made.full.run(f"mkdir -p /run/sshd; /usr/sbin/sshd -p {INSIDE} -o ListenAddress=127.0.0.1")
        listening = [f":{port:04X} " for port in (SHOUTING, INSIDE)]
        eventually(
            lambda: all(port in made.full.run("cat /proc/net/tcp") for port in listening),
            what="the services",
        )
        yield made


@pytest.fixture(scope="module")
def chronicle() -> FakeChronicle:
    return FakeChronicle()


@pytest.fixture(scope="module")
def stage(
    hosts: FileHosts, chronicle: FakeChronicle, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    logins = {
        "ana": hosts.full.key,
        "ana.plain": hosts.plain.key,
        "ana.bare": hosts.bare.key,
    }
    with (
        a_toolbox(OWNER) as toolbox,
        a_stage(
            tmp_path_factory.mktemp("stage"), installation=OWNER, hosts=logins,
            terminal_limits=TerminalLimits(keep=timedelta()), toolbox=toolbox, chronicle=chronicle,
        ) as made,
    ):  # fmt: skip
        yield made


@pytest.mark.parametrize(("row", "client"), CELLS)
def test_a_client_has_a_feature(
    row: Feature, client: SshClient, stage: Stage, hosts: FileHosts, tmp_path: Path
) -> None:
    row.shown(client, Scene(stage=stage, hosts=hosts, folder=tmp_path))


@pytest.mark.parametrize("login", ["ana", "ana.plain"])
def test_files_are_written_down_whoever_serves_them(
    stage: Stage, chronicle: FakeChronicle, tmp_path: Path, login: str
) -> None:
    content = os.urandom(400_000)
    (tmp_path / "note").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    client, kept, note = OpenSsh(), f"kept-{login}", f"note-{login}"
    client.put(stage, tmp_path / "note", kept, login=login)
    client.get(stage, kept, tmp_path / "back", login=login)
    client.scp(stage, "-O", str(tmp_path / "note"), f"{login}@HOST:{note}")
    client.scp(stage, "-O", f"{login}@HOST:{note}", str(tmp_path / "again"))
    of_kept, of_note = (moved(chronicle, name, 2) for name in (kept, note))
    for files in (of_kept, of_note):
        assert [file.direction for file in files] == ["to_host", "from_host"]
        assert {(f.size, f.sha256, f.whole) for f in files} == {(len(content), digest, True)}


def moved(chronicle: FakeChronicle, name: str, count: int) -> list[Transfer]:
    """Return what is written down of a file of the home, once it moved so often.

    What other tests moved last may be written down only now.
    """

    def found() -> list[Transfer]:
        return [file for file in chronicle.files if file.path == f"/home/{ACCOUNT}/{name}"]

    eventually(lambda: len(found()) >= count, what=f"{name} written down {count} times")
    files = found()
    assert len(files) == count
    return files


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
@pytest.mark.parametrize("login", ["ana", "ana.bare"])
def test_whole_is_what_was_put_and_what_was_read_to_its_end(
    stage: Stage, chronicle: FakeChronicle, client: SshClient, tmp_path: Path, login: str
) -> None:
    (tmp_path / "note").write_bytes(os.urandom(400_000))
    name = f"of-{client.name}-{login}"
    client.put(stage, tmp_path / "note", name, login=login)
    client.get(stage, name, tmp_path / "back", login=login)
    files = moved(chronicle, name, 2)
    # asyncssh asks for the size and for as many bytes, whatever follows them.
    assert [file.whole for file in files] == [True, client.name != "asyncssh"]


@pytest.mark.parametrize("login", ["ana.plain", "ana.bare"])
def test_rsync_to_a_host_without_it_says_so(stage: Stage, tmp_path: Path, login: str) -> None:
    (tmp_path / "file").touch()
    ended = OpenSsh().rsync(stage, str(tmp_path / "file"), f"{login}@HOST:file")
    assert ended.returncode != 0
    assert b"This host has no rsync; scp and sftp work here." in ended.stderr


@pytest.mark.parametrize("program", ["stat", "dd", "base64"])
def test_a_host_that_lacks_even_the_usual_programs_says_which(
    stage: Stage, hosts: FileHosts, program: str
) -> None:
    hosts.plain.run(f"mv /usr/bin/{program} /usr/bin/gone")
    try:
        place = ["-P", str(stage.gateway.port), "ana.plain@127.0.0.1"]
        ended = subprocess.run(
            ["sftp", "-b", "-", *stage.options(), *place],
            input=b"ls\n", capture_output=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        hosts.plain.run(f"mv /usr/bin/gone /usr/bin/{program}")
    assert ended.returncode != 0
    assert b"nor what could stand in for it: " + program.encode() in ended.stderr


def test_a_client_that_fell_silent_is_given_up(hosts: FileHosts, tmp_path: Path) -> None:
    limits = Limits(keepalive=timedelta(seconds=1), keepalives_unanswered=4)
    with (
        a_stage(
            tmp_path, installation=OWNER, hosts={"ana": hosts.full.key}, limits=limits
        ) as impatient,
        subprocess.Popen(
            impatient.ssh_line("echo in; exec sleep 9000"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as client,
    ):  # fmt: skip
        assert client.stdout
        assert client.stdout.readline() == b"in\n"
        client.send_signal(signal.SIGSTOP)
        try:
            eventually(
                lambda: "sleep 9000" not in hosts.full.processes(),
                what="a session that was given up",
                seconds=60,
            )
        finally:
            client.kill()
