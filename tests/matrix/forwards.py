"""Forwards, into the landing host and out of it."""

import asyncio
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh
import paramiko
import pytest

from tests.fakes.gateway_stage import ACCOUNT, eventually
from tests.fakes.patient_transport import PatientTransport
from tests.fakes.ssh_clients import AsyncSsh, Paramiko, SshClient
from tests.matrix.rows import Scene, feature
from tests.ports import free_port

_NO_SOCKS = "it has no SOCKS server"
_AS_ABOVE = "an option of a program; its channels are those of -L"
SHOUTING = 7000  # a service on 127.0.0.1 of the full host: it answers in capitals
INSIDE = 2022  # an SSH server on 127.0.0.1 of the full host


@feature("-L, a port of the landing host's network")
def _local_forward(client: SshClient, scene: Scene) -> None:
    if isinstance(client, Paramiko):
        with client.connected(scene.stage) as one:
            transport = one.get_transport()
            assert transport
            channel = transport.open_channel(
                "direct-tcpip", ("127.0.0.1", SHOUTING), ("127.0.0.1", 1)
            )
            channel.sendall(b"hello\n")
            assert channel.recv(64) == b"HELLO\n"
    elif isinstance(client, AsyncSsh):

        async def forward(one: asyncssh.SSHClientConnection) -> bytes:
            listener = await one.forward_local_port("127.0.0.1", 0, "localhost", SHOUTING)
            return await asyncio.to_thread(_shouted, listener.get_port())

        assert client.on_connection(scene.stage, forward) == b"HELLO\n"
    else:
        with _forwarding(scene, "-L", "{port}:localhost:7000") as port:
            assert _shouted(port) == b"HELLO\n"


@feature("-D, SOCKS", Paramiko=_NO_SOCKS)
def _socks(client: SshClient, scene: Scene) -> None:
    if isinstance(client, AsyncSsh):

        async def forward(one: asyncssh.SSHClientConnection) -> bytes:
            listener = await one.forward_socks("127.0.0.1", 0)
            return await asyncio.to_thread(_shouted, listener.get_port(), by_socks=True)

        assert client.on_connection(scene.stage, forward) == b"HELLO\n"
    else:
        with _forwarding(scene, "-D", "127.0.0.1:{port}") as port:
            assert _shouted(port, by_socks=True) == b"HELLO\n"


@feature("-W, a connection as stdin and stdout", Paramiko=_AS_ABOVE, asyncssh=_AS_ABOVE)
def _stdio_forward(_client: SshClient, scene: Scene) -> None:
    ended = scene.stage.ssh(options=["-W", f"localhost:{SHOUTING}"], stdin=b"hello\n")
    assert (ended.returncode, ended.stdout) == (0, b"HELLO\n")


@feature("-J, to an SSH server inside")
def _jump(client: SshClient, scene: Scene) -> None:
    stage = scene.stage
    key = (stage.folder / "id.pub").read_text().strip()
    place = f"/home/{ACCOUNT}/.ssh"
    scene.hosts.full.run(f"mkdir -p {place}; echo '{key}' >{place}/authorized_keys")
    if isinstance(client, Paramiko):
        with client.connected(stage) as outer, paramiko.SSHClient() as inner:
            transport = outer.get_transport()
            assert transport
            through = transport.open_channel(
                "direct-tcpip", ("127.0.0.1", INSIDE), ("127.0.0.1", 1)
            )
            inner.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            inner.connect(
                "inside", username=ACCOUNT, sock=through, key_filename=str(stage.folder / "id"),
                allow_agent=False, look_for_keys=False, transport_factory=PatientTransport,
            )  # fmt: skip
            shown = inner.exec_command(_WHO)[1].read()
    elif isinstance(client, AsyncSsh):

        async def jump(outer: asyncssh.SSHClientConnection) -> bytes:
            async with asyncssh.connect(
                "127.0.0.1", INSIDE, tunnel=outer, username=ACCOUNT, known_hosts=None, config=None,
                client_keys=[str(stage.folder / "id")], agent_path=None,
            ) as inner:  # fmt: skip
                return str((await inner.run(_WHO)).stdout).encode()

        shown = client.on_connection(stage, jump)
    else:
        through_it = subprocess.list2cmdline(stage.ssh_line("-W", "%h:%p"))
        line = ["ssh", *stage.options(), "-o", f"ProxyCommand={through_it}", "-p", str(INSIDE)]
        shown = subprocess.run(
            [*line, f"{ACCOUNT}@localhost", _WHO], capture_output=True, check=True, timeout=60
        ).stdout
    assert shown == f"{ACCOUNT} 127.0.0.1\n".encode()


@feature("-R, refused")
def _remote_forward(client: SshClient, scene: Scene) -> None:
    if isinstance(client, Paramiko):
        with client.connected(scene.stage) as one:
            transport = one.get_transport()
            assert transport
            with pytest.raises(paramiko.SSHException, match="denied"):
                transport.request_port_forward("127.0.0.1", 0)
    elif isinstance(client, AsyncSsh):

        async def listen(one: asyncssh.SSHClientConnection) -> None:
            with pytest.raises(asyncssh.ChannelListenError):
                await one.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 80)

        client.on_connection(scene.stage, listen)
    else:
        back = ["-v", "-R", "0:127.0.0.1:80", "-o", "ExitOnForwardFailure=yes"]
        ended = scene.stage.ssh("true", options=[*back, "-o", "LogLevel=DEBUG1"])
        assert ended.returncode == 255
        assert b"no host of a range may listen on your machine" in ended.stderr


@feature("agent forwarding, not taken")
def _agent(client: SshClient, scene: Scene) -> None:
    asked = "echo ${SSH_AUTH_SOCK-none}"
    if isinstance(client, Paramiko):
        with client.connected(scene.stage) as one:
            transport = one.get_transport()
            assert transport
            channel = transport.open_session()
            channel.request_forward_agent(lambda _channel: None)
            channel.exec_command(asked)
            shown = channel.makefile("rb").read()
    elif isinstance(client, AsyncSsh):
        shown = client.on_connection(
            scene.stage,
            lambda one: client.ran(one, asked),
            agent_forwarding=str(scene.folder / "agent"),
        )
    else:
        shown = scene.stage.ssh(asked, options=["-A"]).stdout
    assert shown == b"none\n"


_WHO = "echo $(id -un) ${SSH_CONNECTION%% *}"


@contextmanager
def _forwarding(scene: Scene, option: str, what: str) -> Iterator[int]:
    """Run `ssh -N` with a forward of a free local port; return the port once it answers."""
    port = free_port()
    line = scene.stage.ssh_line()
    with subprocess.Popen([line[0], "-N", option, what.format(port=port), *line[1:]]) as client:
        try:
            eventually(lambda: _answers(port), what="the forwarded port")
            yield port
        finally:
            client.kill()


def _answers(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


def _shouted(port: int, *, by_socks: bool = False) -> bytes:
    """Return what the service in the host answers through a local port."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as end,
        end.makefile("rb") as got,
    ):
        if by_socks:  # RFC 1928: no login; connect to a name; the answer names an IPv4 address
            end.sendall(b"\x05\x01\x00")
            assert got.read(2) == b"\x05\x00"
            name = b"localhost"
            wanted = b"\x05\x01\x00\x03" + bytes([len(name)]) + name
            end.sendall(wanted + SHOUTING.to_bytes(2, "big"))
            assert got.read(10)[:2] == b"\x05\x00"
        end.sendall(b"hello\n")
        return got.readline()
