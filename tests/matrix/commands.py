"""Logins, terminals and commands."""

import asyncio
import hashlib
import os
import signal
import subprocess

import asyncssh

from tests.fakes.gateway_stage import GREETING
from tests.fakes.ssh_clients import AsyncSsh, SshClient
from tests.matrix.rows import Scene, feature

_CODE = "h7kd-92mf-xq4r"
LARGE = 20 * 1024**2


@feature("login with a key")
def _key(client: SshClient, scene: Scene) -> None:
    assert client.run(scene.stage, "id -un").out == b"trainee\n"


@feature("login with a password")
def _password(client: SshClient, scene: Scene) -> None:
    ended = client.run_with_password(scene.stage, "id -un", scene.folder)
    assert ended.out == b"trainee\n"


@feature("first login with a one-time code that enrols a key, then with that key")
def _enrolment(client: SshClient, scene: Scene) -> None:
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(scene.folder / "own")]
    subprocess.run(make, check=True)
    scene.stage.door.codes["ana"] = _CODE
    first = client.enrol(scene.stage, "id -un", _CODE, scene.folder / "own")
    again = client.run_with_key(scene.stage, "id -un", scene.folder / "own")
    assert (first, again) == (b"trainee\n", b"trainee\n")
    assert not scene.stage.door.codes, "it works once"


@feature("shell on a terminal, with a prompt")
def _prompt(client: SshClient, scene: Scene) -> None:
    with client.terminal(scene.stage, columns=80, rows=24) as terminal:
        assert GREETING in terminal.shows(r"trainee@\w+:~\$ ")
        terminal.send(b"tty\n")
        terminal.shows(r"/dev/pts/\d+")


@feature("the terminal's size, from the start and after a change")
def _resize(client: SshClient, scene: Scene) -> None:
    with client.terminal(scene.stage, columns=123, rows=45) as terminal:
        terminal.shows(r"\$ ")
        terminal.send(b"stty size\n")
        terminal.shows(r"45 123\r\n")
        terminal.resize(99, 33)
        terminal.send(
            b"until [ \"$(stty size)\" = '33 99' ]; do sleep 0.1; done; echo it $((1+1))\n"
        )
        terminal.shows(r"it 2\r\n")


@feature("Ctrl-C to the foreground process")
def _interrupt(client: SshClient, scene: Scene) -> None:
    with client.terminal(scene.stage, columns=80, rows=24) as terminal:
        terminal.shows(r"\$ ")
        # Said by the process itself: what is typed before it has the foreground is the shell's.
        terminal.send(b"sh -c \"echo rea''dy; exec sleep 1000\"\n")
        terminal.shows("ready")
        terminal.send(b"\x03")
        terminal.shows(r"\^C[^$]*\$ ")
        terminal.send(b"echo code=$?\n")
        terminal.shows(r"code=130\r\n")


@feature("command with its exit code")
def _exit_code(client: SshClient, scene: Scene) -> None:
    assert [client.run(scene.stage, f"exit {code}").code for code in (0, 7)] == [0, 7]


@feature("stderr apart from stdout")
def _stderr(client: SshClient, scene: Scene) -> None:
    ended = client.run(scene.stage, "echo out; echo err >&2")
    assert (ended.out, ended.err) == (b"out\n", b"err\n")


@feature("end of stdin")
def _stdin(client: SshClient, scene: Scene) -> None:
    assert client.run(scene.stage, "tr a-z A-Z; echo ended", stdin=b"x").out == b"Xended\n"


@feature(
    "signal to a command",
    OpenSSH="the program sends none; Ctrl-C on a terminal does",
    Paramiko="it has no call for it",
)
def _signal(client: SshClient, scene: Scene) -> None:
    async def terminate(one: asyncssh.SSHClientConnection) -> int | None:
        process = await one.create_process("echo in; exec sleep 1000", encoding=None)
        assert await process.stdout.readline() == b"in\n"
        process.terminate()
        await process.wait()
        return process.returncode

    assert isinstance(client, AsyncSsh)
    assert client.on_connection(scene.stage, terminate) == 128 + signal.SIGTERM


@feature("several sessions on one connection")
def _together(client: SshClient, scene: Scene) -> None:
    shown = client.run_together(scene.stage, [f"sleep 0.2; echo {number}" for number in range(4)])
    assert shown == [f"{number}\n".encode() for number in range(4)]


@feature("20 MB through a command and back")
def _large(client: SshClient, scene: Scene) -> None:
    sent = os.urandom(LARGE)
    came = client.run(scene.stage, "cat", stdin=sent).out
    assert hashlib.sha256(came).digest() == hashlib.sha256(sent).digest()


@feature("keepalive is answered", Paramiko="it sends them and waits for no answer")
def _keepalive(client: SshClient, scene: Scene) -> None:
    if isinstance(client, AsyncSsh):

        async def wait(one: asyncssh.SSHClientConnection) -> str:
            one.set_keepalive(0.5, 8)
            await asyncio.sleep(6)
            return str((await one.run("echo in")).stdout)

        assert client.on_connection(scene.stage, wait) == "in\n"
    else:
        alive = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=4"]
        assert scene.stage.ssh("sleep 7; exit 3", options=alive).returncode == 3
