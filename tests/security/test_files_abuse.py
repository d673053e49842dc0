"""What a trainee may try with sftp and scp, in a host whose files the gateway serves itself.

The gateway's process runs on the engine's machine: nothing of that machine may be reachable.
"""

import asyncio
import io
import resource
import struct
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import asyncssh
import docker
import paramiko
import pytest
from asyncssh.sftp import SFTPServer

from orchestrator.gateway.sftp import HostSftp
from tests.fakes.gateway_stage import (
    ACCOUNT,
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
SECRET = b"of the engine's machine"
MOST_HELD = 24 * 1024**2
_OPENDIR, _READ, _STATVFS = 11, 5, 200


@pytest.fixture(scope="module")
def box(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as made:
        yield made


@pytest.fixture(scope="module")
def stage(box: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with a_stage(folder, installation=OWNER, hosts={"ana": box.key}) as made:
        yield made


@pytest.fixture
def ssh(stage: Stage) -> Iterator[paramiko.SSHClient]:
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
        client.connect(
            "127.0.0.1", stage.gateway.port, "ana", PASSWORD,
            allow_agent=False, look_for_keys=False, banner_timeout=60, auth_timeout=60,
        )  # fmt: skip
        yield client


@pytest.fixture
def sftp(ssh: paramiko.SSHClient) -> Iterator[paramiko.SFTPClient]:
    with ssh.open_sftp() as made:
        yield made


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """Lend a file of the engine's machine; the gateway's process may read and write it."""
    folder = tmp_path / "canary"
    folder.mkdir()
    file = folder / "file"
    file.write_bytes(SECRET)
    return file


Try = Callable[[paramiko.SFTPClient, str], object]

# Every request of SFTP that takes a path, and the one that takes a handle to copy from.
TRIES: dict[str, Try] = {
    "open": lambda sftp, path: sftp.open(path, "r").close(),
    "open to write": lambda sftp, path: sftp.open(path, "r+").close(),
    "stat": lambda sftp, path: sftp.stat(path),
    "lstat": lambda sftp, path: sftp.lstat(path),
    "chmod": lambda sftp, path: sftp.chmod(path, 0o600),
    "utime": lambda sftp, path: sftp.utime(path, (1, 1)),
    "truncate": lambda sftp, path: sftp.truncate(path, 1),
    "list its folder": lambda sftp, path: sftp.listdir(str(PurePosixPath(path).parent)),
    "make a folder beside": lambda sftp, path: sftp.mkdir(path + ".made"),
    "rename": lambda sftp, path: sftp.rename(path, path + ".renamed"),
    "remove": lambda sftp, path: sftp.remove(path),
}


def at(path: Path, way: str) -> str:
    """Return a way to name an absolute path."""
    return {"absolute": str(path), "climbing": "../" * 40 + str(path)[1:]}[way]


@pytest.mark.parametrize("way", ["absolute", "climbing"])
def test_no_request_reaches_a_file_of_the_engines_machine(
    sftp: paramiko.SFTPClient, canary: Path, way: str
) -> None:
    before = canary.stat()
    for name, attempt in TRIES.items():
        with pytest.raises(OSError):  # noqa: PT011  # whichever the host gives
            attempt(sftp, at(canary, way))
            pytest.fail(f"{name} reached it")
    after = canary.stat()
    assert (after.st_mtime_ns, after.st_mode) == (before.st_mtime_ns, before.st_mode)
    assert canary.read_bytes() == SECRET
    assert [found.name for found in canary.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("way", ["absolute", "climbing"])
def test_the_same_requests_reach_the_same_path_in_the_host(
    sftp: paramiko.SFTPClient, box: Box, canary: Path, way: str
) -> None:
    """Show that the requests of the test above work where there is something to reach."""
    box.run(f"mkdir -p -m 777 {canary.parent}")
    for name, attempt in TRIES.items():
        box.run(f"rm -rf {canary}*; echo inside >{canary}; chown {ACCOUNT} {canary}")
        attempt(sftp, at(canary, way))
        assert name
    box.run(f"rm -rf {canary.parent}")


def test_a_link_leads_within_the_host_with_the_accounts_rights(
    sftp: paramiko.SFTPClient, box: Box, canary: Path
) -> None:
    for name, target in {
        "shadow": "/etc/shadow",
        "away": str(canary),
        "name": "/etc/hostname",
    }.items():
        sftp.symlink(target, name)
    with pytest.raises(PermissionError):
        sftp.open("shadow").close()
    with pytest.raises(FileNotFoundError):
        sftp.open("away").close()
    with sftp.open("name") as file:
        assert file.read() == box.run("cat /etc/hostname").encode()
    # A link that is there already cannot make writing go elsewhere than the account may write.
    sftp.symlink("/etc/passwd", "target")
    with pytest.raises(PermissionError):
        sftp.open("target", "w").close()
    for name in ("shadow", "away", "name", "target"):
        sftp.remove(name)


def test_a_hard_link_to_what_the_account_does_not_own_is_refused(
    ssh: paramiko.SSHClient, box: Box
) -> None:
    box.run("echo mine >/home/trainee/own; chown trainee /home/trainee/own")
    line = "ln /etc/shadow /home/trainee/hard"
    assert box.run(line, account=ACCOUNT)  # the kernel says so to a shell too
    assert _linked(ssh, b"own", b"second") == 0
    assert _linked(ssh, b"/etc/shadow", b"hard") != 0
    assert box.run("ls /home/trainee/hard /home/trainee/second 2>/dev/null") == (
        "/home/trainee/second\n"
    )


def _linked(ssh: paramiko.SSHClient, old: bytes, new: bytes) -> int:
    """Return the status of `hardlink@openssh.com`."""
    with _a_raw_channel(ssh) as channel:
        extension = _text(b"hardlink@openssh.com") + _text(old) + _text(new)
        _send(channel, _STATVFS, extension)
        answer = _receive(channel)
        status: int = struct.unpack(">I", answer[5:9])[0]
        return status


def test_every_operation_of_the_library_on_its_own_machine_is_closed() -> None:
    """What a later version of the library adds asks `map_path`, or is seen here."""
    touching = {
        name
        for name, method in vars(SFTPServer).items()
        if callable(method) and not name.startswith("_") and "map_path" in method.__code__.co_names
    }
    refused = {"statvfs", "open56", "lsetstat", "map_path"}
    assert touching >= {"open", "stat", "lstat", "setstat", "remove", "rename", "statvfs"}
    assert touching - set(vars(HostSftp)) <= refused
    with pytest.raises(asyncssh.SFTPOpUnsupported):
        HostSftp.map_path(HostSftp.__new__(HostSftp), b"/etc/passwd")


def test_the_size_of_the_engines_disk_is_not_told(ssh: paramiko.SSHClient) -> None:
    with _a_raw_channel(ssh) as channel:
        _send(channel, _STATVFS, _text(b"statvfs@openssh.com") + _text(b"/"))
        assert struct.unpack(">I", _receive(channel)[5:9])[0] == 8  # SSH_FX_OP_UNSUPPORTED


NAMES = [
    b"plain", b"-rf", b"--help", b"two words", b"'", b'"', b"$(touch evil)", b"`touch evil`",
    b"x;touch evil", b"*", b"\\0101", b"new\nline", b"81a4 1 0 0 0 0 x\nremove precious\n",
    b"\x1b]0;title\x07", b"\x01\x02\x7f", b"\xff\xfe\x80", b"n" * 255, b"~", b"|cat", b"%s%n",
]  # fmt: skip


def test_names_are_names_and_nothing_else(stage: Stage, box: Box) -> None:

    async def act() -> list[bytes]:
        async with (
            asyncssh.connect(
                "127.0.0.1", stage.gateway.port, username="ana", password=PASSWORD,
                known_hosts=None, client_keys=None, config=None, agent_path=None,
            ) as one,
            one.start_sftp_client(path_encoding=None) as sftp,
        ):  # fmt: skip
            await sftp.chdir(b"/names")
            for name in NAMES:
                async with sftp.open(name, "wb") as file:
                    await file.write(name)
                async with sftp.open(name, "rb") as file:
                    content: Any = await file.read()
                    assert content == name
            listed: Any = await sftp.listdir(b".")  # bytes, as the paths are
            found = list(listed)
            for name in NAMES:
                await sftp.rename(name, name[:200] + b".")
                await sftp.remove(name[:200] + b".")
            return found

    box.run("rm -rf /names; mkdir -m 777 /names; touch /names/precious")
    assert sorted(asyncio.run(act())) == sorted([*NAMES, b"precious"])
    assert box.run("ls -A /names; find / -xdev -name evil") == "precious\n"


def test_what_is_written_is_never_taken_for_a_request(sftp: paramiko.SFTPClient, box: Box) -> None:
    box.run("touch /home/trainee/precious; chown trainee /home/trainee/precious")
    order = b"remove ./precious\nremove /home/trainee/precious\n" * 5000
    with sftp.open("orders", "w") as file:
        file.write(order)
    for nowhere in ("/dev/full", "/etc/passwd", "none/orders"):
        with pytest.raises(OSError):  # noqa: PT011  # whichever the host gives
            sftp.putfo(io.BytesIO(order), nowhere)
    assert sftp.stat("orders").st_size == len(order)
    assert sftp.stat("precious").st_size == 0
    sftp.remove("precious")  # the request itself would have worked


def test_a_packet_that_is_too_large_ends_its_session_only(
    stage: Stage, ssh: paramiko.SSHClient
) -> None:
    with _a_raw_channel(ssh) as channel:
        channel.sendall(struct.pack(">I", 2**31) + bytes(1024))
        channel.settimeout(60)
        assert channel.recv(1) == b""
    assert ssh.exec_command("echo in")[1].read() == b"in\n"
    eventually(lambda: not list(stage.gateway.live), what="no session left")


def test_a_read_returns_no_more_than_a_block(ssh: paramiko.SSHClient, box: Box) -> None:
    box.run("head -c 3000000 /dev/zero >/home/trainee/big; chmod 644 /home/trainee/big")
    with _a_raw_channel(ssh) as channel:
        handle = _opened(channel, b"big")
        _send(channel, _READ, _text(handle) + struct.pack(">QI", 0, 2**32 - 1))
        assert len(_receive(channel)) == 256 * 1024 + 9


def test_folders_opened_without_end_are_refused(ssh: paramiko.SSHClient) -> None:
    with _a_raw_channel(ssh) as channel:
        kinds = []
        for _ in range(10):
            _send(channel, _OPENDIR, _text(b"/"))
            kinds.append(_receive(channel)[0])
        assert kinds == [102] * 8 + [101] * 2


def test_answers_that_nobody_reads_cost_no_memory(stage: Stage, box: Box) -> None:
    """The boundless window is the trick, as with commands: and 4000 reads are asked for at once."""
    box.run("head -c 300000 /dev/zero >/home/trainee/big; chmod 644 /home/trainee/big")

    async def stare() -> int:
        one = await asyncssh.connect(
            "127.0.0.1", stage.gateway.port, username="ana", password=PASSWORD,
            known_hosts=None, client_keys=None, config=None, agent_path=None,
        )  # fmt: skip
        writer, reader, _ = await one.open_session(
            subsystem="sftp", encoding=None, window=2**31 - 1
        )
        writer.write(_packet(1, struct.pack(">I", 3), number=None))
        writer.write(_packet(3, _text(b"big") + struct.pack(">II", 1, 0)))
        await reader.readexactly(4)
        handle = struct.pack(">I", 0)
        wanted = _packet(_READ, _text(handle) + struct.pack(">QI", 0, 262144))
        transport = one._transport
        assert transport
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        transport.pause_reading()
        writer.write(wanted * 4000)
        await asyncio.sleep(3)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        one.abort()
        await one.wait_closed()
        return grown * 1024

    assert asyncio.run(stare()) < MOST_HELD
    eventually(lambda: not box.processes(), what="nothing left")


def test_a_trainee_who_ends_the_hosts_side_ends_the_session(
    ssh: paramiko.SSHClient, box: Box
) -> None:
    with ssh.open_sftp() as sftp:
        assert sftp.listdir("/")
        box.run("kill -9 -1", account=ACCOUNT)
        with pytest.raises((OSError, EOFError, paramiko.SSHException)):
            sftp.listdir("/")
            sftp.listdir("/")
    assert ssh.exec_command("echo in")[1].read() == b"in\n"


class _a_raw_channel:  # noqa: N801  # reads as the function it stands for
    """An SFTP session in which a client may send what it likes."""

    def __init__(self, ssh: paramiko.SSHClient) -> None:
        transport = ssh.get_transport()
        assert transport
        self._channel = transport.open_session()

    def __enter__(self) -> paramiko.Channel:
        self._channel.invoke_subsystem("sftp")
        self._channel.sendall(_packet(1, struct.pack(">I", 3), number=None))
        assert _receive(self._channel)[0] == 2
        return self._channel

    def __exit__(self, *_: object) -> None:
        self._channel.close()


def _text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _packet(kind: int, body: bytes, *, number: int | None = 7) -> bytes:
    head = b"" if number is None else struct.pack(">I", number)
    return _text(bytes([kind]) + head + body)


def _send(channel: paramiko.Channel, kind: int, body: bytes) -> None:
    channel.sendall(_packet(kind, body))


def _receive(channel: paramiko.Channel) -> bytes:
    """Return the next packet without its length: kind, number, body."""
    size = struct.unpack(">I", _exactly(channel, 4))[0]
    return _exactly(channel, size)


def _exactly(channel: paramiko.Channel, size: int) -> bytes:
    channel.settimeout(60)
    got = b""
    while len(got) < size:
        piece = channel.recv(size - len(got))
        assert piece, "the session ended"
        got += piece
    return got


def _opened(channel: paramiko.Channel, path: bytes) -> bytes:
    _send(channel, 3, _text(path) + struct.pack(">II", 1, 0))
    answer = _receive(channel)
    assert answer[0] == 102
    return answer[9:]
