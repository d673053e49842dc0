"""Three independent SSH clients behind one face, for the function matrix."""

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncssh
import paramiko

from tests.fakes.gateway_stage import PASSWORD, Stage, askpass

T = TypeVar("T")

_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended; `code` is None when the client was not told one."""

    code: int | None
    out: bytes
    err: bytes


class Terminal:
    """A terminal that somebody types on."""

    def __init__(
        self,
        *,
        send: Callable[[bytes], object],
        receive: Callable[[float], bytes],
        resize: Callable[[int, int], object],
    ) -> None:
        self._receive = receive
        self.send = send
        self.resize = resize

    def shows(self, wanted: str) -> str:
        """Return what is shown up to and with a pattern."""
        seen = ""
        deadline = time.monotonic() + _SECONDS
        while not re.search(wanted, seen):
            seen += self._receive(max(0.01, deadline - time.monotonic())).decode(errors="replace")
            if time.monotonic() > deadline:
                raise AssertionError(f"{wanted!r} never came: {seen!r}")
        return seen


class SshClient(Protocol):
    """What the matrix asks of a client. `name` stands in the table's head."""

    name: str

    def run(self, stage: Stage, command: str, *, stdin: bytes = b"", login: str = "ana") -> Ended:
        """Run a command to its end."""
        ...

    def run_with_password(self, stage: Stage, command: str, folder: Path) -> Ended:
        """Log in with the password instead of the key."""
        ...

    def enrol(self, stage: Stage, command: str, code: str, key: Path) -> bytes:
        """Log in with a code and the public half of a key; return what a command prints."""
        ...

    def run_with_key(self, stage: Stage, command: str, key: Path) -> bytes:
        """Log in with this key; return what a command prints."""
        ...

    def run_together(self, stage: Stage, commands: Sequence[str]) -> list[bytes]:
        """Run commands at once on one connection; return what each prints."""
        ...

    def terminal(self, stage: Stage, *, columns: int, rows: int) -> Any:  # noqa: ANN401  # a context manager
        """Lend a login shell's terminal."""
        ...

    def put(self, stage: Stage, file: Path, path: str, *, login: str) -> None:
        """Bring a file in by SFTP."""
        ...

    def get(self, stage: Stage, path: str, file: Path, *, login: str) -> None:
        """Bring a file out by SFTP."""
        ...

    def names(self, stage: Stage, path: str, *, login: str) -> list[str]:
        """List a folder by SFTP."""
        ...


class OpenSsh:
    """The OpenSSH programs of this machine."""

    name = "OpenSSH"

    def run(self, stage: Stage, command: str, *, stdin: bytes = b"", login: str = "ana") -> Ended:
        ended = stage.ssh(command, login=login, stdin=stdin)
        return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def run_with_password(self, stage: Stage, command: str, folder: Path) -> Ended:
        options = ["-o", "PubkeyAuthentication=no", "-o", "BatchMode=no"]
        ended = subprocess.run(
            ["ssh", *options, *stage.ssh_line(command)[1:]], env=askpass(folder, PASSWORD),
            capture_output=True, check=False, timeout=_SECONDS,
        )  # fmt: skip
        return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def enrol(self, stage: Stage, command: str, code: str, key: Path) -> bytes:
        script = key.parent / "answers"
        public = key.with_suffix(".pub")
        script.write_text(
            f"#!/bin/sh\ncase $1 in *code:*) echo {code} ;; *) cat {public} ;; esac\n"
        )
        script.chmod(0o700)
        talk = ["-o", "PreferredAuthentications=keyboard-interactive", "-o", "BatchMode=no"]
        return subprocess.run(
            ["ssh", *talk, *stage.ssh_line(command)[1:]],
            env={**os.environ, "SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"},
            stdout=subprocess.PIPE, check=True, timeout=_SECONDS,
        ).stdout  # fmt: skip

    def run_with_key(self, stage: Stage, command: str, key: Path) -> bytes:
        line = [str(key) if p == str(stage.folder / "id") else p for p in stage.ssh_line(command)]
        return subprocess.run(
            line, stdout=subprocess.PIPE, check=True, timeout=_SECONDS
        ).stdout  # fmt: skip

    def run_together(self, stage: Stage, commands: Sequence[str]) -> list[bytes]:
        shared = ["-o", f"ControlPath={stage.folder / 'shared'}"]
        with subprocess.Popen(
            ["ssh", *shared, "-o", "ControlMaster=yes", *stage.ssh_line("echo in; exec cat")[1:]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as master:  # fmt: skip
            assert master.stdin
            assert master.stdout
            assert master.stdout.readline() == b"in\n"
            lines = [["ssh", *shared, *stage.ssh_line(command)[1:]] for command in commands]
            running = [subprocess.Popen(line, stdout=subprocess.PIPE) for line in lines]
            shown = [process.communicate(timeout=_SECONDS)[0] for process in running]
            master.stdin.close()
        return shown

    @contextmanager
    def terminal(self, stage: Stage, *, columns: int, rows: int) -> Iterator[Terminal]:
        ours, theirs = pty.openpty()
        _set_size(ours, columns, rows)
        # A session of its own: only then is this terminal the client's own.
        with subprocess.Popen(
            ["ssh", "-t", *stage.ssh_line()[1:]], stdin=theirs, stdout=theirs, stderr=theirs,
            env={**os.environ, "TERM": "xterm"}, start_new_session=True,
        ) as client:  # fmt: skip
            os.close(theirs)

            def resize(columns: int, rows: int) -> None:
                _set_size(ours, columns, rows)
                client.send_signal(signal.SIGWINCH)

            def receive(seconds: float) -> bytes:
                ready, _, _ = select.select([ours], [], [], seconds)
                return os.read(ours, 4096) if ready else b""

            try:
                yield Terminal(
                    send=lambda data: os.write(ours, data), receive=receive, resize=resize
                )
            finally:
                client.kill()
                os.close(ours)

    def put(self, stage: Stage, file: Path, path: str, *, login: str) -> None:
        self.sftp(stage, f"put {file} {path}\n", login=login)

    def get(self, stage: Stage, path: str, file: Path, *, login: str) -> None:
        self.sftp(stage, f"get {path} {file}\n", login=login)

    def names(self, stage: Stage, path: str, *, login: str) -> list[str]:
        shown = self.sftp(stage, f"ls -1 {path}\n", login=login).splitlines()
        return [line.rpartition("/")[2] for line in shown if not line.startswith("sftp>")]

    def sftp(self, stage: Stage, batch: str, *, login: str) -> str:
        """Return what a batch of SFTP commands prints."""
        line = ["sftp", "-b", "-", *stage.options(), "-P", str(stage.gateway.port)]
        return subprocess.run(
            [*line, f"{login}@127.0.0.1"], input=batch, capture_output=True, text=True,
            check=True, timeout=60,
        ).stdout  # fmt: skip

    def scp(self, stage: Stage, *arguments: str) -> None:
        """Run scp; `HOST:` in its arguments is the gateway's address."""
        line = ["scp", "-q", *stage.options(), "-P", str(stage.gateway.port)]
        placed = [argument.replace("HOST:", "127.0.0.1:") for argument in arguments]
        subprocess.run([*line, *placed], check=True, timeout=60)

    def rsync(self, stage: Stage, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run rsync over ssh; `HOST:` in its arguments is the gateway's address."""
        shell = " ".join(["ssh", *stage.options(), "-p", str(stage.gateway.port)])
        placed = [argument.replace("HOST:", "127.0.0.1:") for argument in arguments]
        return subprocess.run(
            ["rsync", "-a", "-e", shell, *placed], capture_output=True, check=False, timeout=60
        )


class Paramiko:
    """Paramiko, in this process."""

    name = "Paramiko"

    def run(self, stage: Stage, command: str, *, stdin: bytes = b"", login: str = "ana") -> Ended:
        with self.connected(stage, login) as client:
            return self._run(client, command, stdin)

    def run_with_password(self, stage: Stage, command: str, _folder: Path) -> Ended:
        with self.connected(stage, password=PASSWORD) as client:
            return self._run(client, command, b"")

    def enrol(self, stage: Stage, command: str, code: str, key: Path) -> bytes:
        line = key.with_suffix(".pub").read_text().strip()

        def answer(_title: str, _told: str, prompts: list[tuple[str, bool]]) -> list[str]:
            return [code if "code:" in prompt else line for prompt, _ in prompts]

        with paramiko.Transport(("127.0.0.1", stage.gateway.port)) as transport:
            transport.banner_timeout = transport.handshake_timeout = _SECONDS
            transport.auth_timeout = _SECONDS
            transport.start_client(timeout=_SECONDS)
            transport.auth_interactive("ana", answer)
            channel = transport.open_session()
            channel.exec_command(command)
            return channel.makefile().read()

    def run_with_key(self, stage: Stage, command: str, key: Path) -> bytes:
        with self.connected(stage, key=key) as client:
            return self._run(client, command, b"").out

    def run_together(self, stage: Stage, commands: Sequence[str]) -> list[bytes]:
        with self.connected(stage) as client:
            running = [client.exec_command(command)[1] for command in commands]
            return [output.read() for output in running]

    @contextmanager
    def terminal(self, stage: Stage, *, columns: int, rows: int) -> Iterator[Terminal]:
        with self.connected(stage) as client:
            channel = client.invoke_shell(term="xterm", width=columns, height=rows)

            def receive(seconds: float) -> bytes:
                channel.settimeout(seconds)
                return channel.recv(4096)

            yield Terminal(
                send=channel.sendall,
                receive=receive,
                resize=lambda columns, rows: channel.resize_pty(width=columns, height=rows),
            )

    def put(self, stage: Stage, file: Path, path: str, *, login: str) -> None:
        with self.connected(stage, login) as client, client.open_sftp() as sftp:
            sftp.put(file, path)

    def get(self, stage: Stage, path: str, file: Path, *, login: str) -> None:
        with self.connected(stage, login) as client, client.open_sftp() as sftp:
            sftp.get(path, file)

    def names(self, stage: Stage, path: str, *, login: str) -> list[str]:
        with self.connected(stage, login) as client, client.open_sftp() as sftp:
            return sftp.listdir(path)

    @contextmanager
    def connected(
        self,
        stage: Stage,
        login: str = "ana",
        *,
        password: str | None = None,
        key: Path | None = None,
    ) -> Iterator[paramiko.SSHClient]:
        """Lend a client that is logged in, with the key unless a password is given."""
        with paramiko.SSHClient() as client:
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            client.connect(
                "127.0.0.1", stage.gateway.port, login, password,
                key_filename=None if password else str(key or stage.folder / "id"),
                allow_agent=False, look_for_keys=False, banner_timeout=60, auth_timeout=60,
            )  # fmt: skip
            yield client

    def _run(self, client: paramiko.SSHClient, command: str, stdin: bytes) -> Ended:
        typed, out, err = client.exec_command(command, timeout=_SECONDS)
        # Its calls block: who writes all before reading waits for a command that does as well.
        typing = threading.Thread(target=_typed, args=(typed, stdin))
        typing.start()
        printed = out.read()
        typing.join()
        return Ended(code=out.channel.recv_exit_status(), out=printed, err=err.read())


class AsyncSsh:
    """asyncssh as a client, on a loop of its own for each thing it does."""

    name = "asyncssh"

    def run(self, stage: Stage, command: str, *, stdin: bytes = b"", login: str = "ana") -> Ended:
        return self.on_connection(stage, lambda one: _ran(one, command, stdin), login=login)

    def run_with_password(self, stage: Stage, command: str, _folder: Path) -> Ended:
        return self.on_connection(
            stage, lambda one: _ran(one, command, b""), client_keys=None, password=PASSWORD
        )

    def enrol(self, stage: Stage, command: str, code: str, key: Path) -> bytes:
        line = key.with_suffix(".pub").read_text().strip()

        class Talking(asyncssh.SSHClient):
            def kbdint_auth_requested(self) -> str:
                return ""

            def kbdint_challenge_received(
                self, _name: str, _told: str, _lang: str, prompts: Sequence[tuple[str, bool]]
            ) -> list[str]:
                return [code if "code:" in prompt else line for prompt, _ in prompts]

        return self.on_connection(
            stage, lambda one: self.ran(one, command), client_keys=None, client_factory=Talking
        )

    def run_with_key(self, stage: Stage, command: str, key: Path) -> bytes:
        return self.on_connection(stage, lambda one: self.ran(one, command), client_keys=[str(key)])

    def run_together(self, stage: Stage, commands: Sequence[str]) -> list[bytes]:
        async def together(one: asyncssh.SSHClientConnection) -> list[bytes]:
            ended = await asyncio.gather(*(_ran(one, command, b"") for command in commands))
            return [each.out for each in ended]

        return self.on_connection(stage, together)

    @contextmanager
    def terminal(self, stage: Stage, *, columns: int, rows: int) -> Iterator[Terminal]:
        with asyncio.Runner() as runner:
            one = runner.run(_connected(stage, "ana"))
            process = runner.run(_on_a_terminal(one, columns, rows))

            async def receive(seconds: float) -> bytes:
                async with asyncio.timeout(seconds):
                    return bytes(await process.stdout.read(4096))

            async def send(data: bytes) -> None:
                process.stdin.write(data)

            async def resize(columns: int, rows: int) -> None:
                process.change_terminal_size(columns, rows)

            yield Terminal(
                send=lambda data: runner.run(send(data)),
                receive=lambda seconds: runner.run(receive(seconds)),
                resize=lambda columns, rows: runner.run(resize(columns, rows)),
            )
            runner.run(_closed(one))

    def put(self, stage: Stage, file: Path, path: str, *, login: str) -> None:
        async def put(one: asyncssh.SSHClientConnection) -> None:
            async with one.start_sftp_client() as sftp:
                await sftp.put(file, path)

        self.on_connection(stage, put, login=login)

    def get(self, stage: Stage, path: str, file: Path, *, login: str) -> None:
        async def get(one: asyncssh.SSHClientConnection) -> None:
            async with one.start_sftp_client() as sftp:
                await sftp.get(path, file)

        self.on_connection(stage, get, login=login)

    def names(self, stage: Stage, path: str, *, login: str) -> list[str]:
        async def names(one: asyncssh.SSHClientConnection) -> list[str]:
            async with one.start_sftp_client() as sftp:
                return [str(name) for name in await sftp.listdir(path)]

        return self.on_connection(stage, names, login=login)

    async def ran(self, one: asyncssh.SSHClientConnection, command: str) -> bytes:
        """Return what a command prints."""
        return (await _ran(one, command, b"")).out

    def on_connection(
        self,
        stage: Stage,
        act: Callable[[asyncssh.SSHClientConnection], Coroutine[Any, Any, T]],
        *,
        login: str = "ana",
        **options: Any,  # noqa: ANN401  # asyncssh's own
    ) -> T:
        """Return what `act` returns for a connection that is logged in."""

        async def on_one() -> T:
            one = await _connected(stage, login, **options)
            try:
                return await act(one)
            finally:
                await _closed(one)

        return asyncio.run(on_one())


def _typed(stdin: paramiko.channel.ChannelStdinFile, data: bytes) -> None:
    stdin.write(data)
    stdin.channel.shutdown_write()


async def _connected(
    stage: Stage,
    login: str,
    **options: Any,  # noqa: ANN401  # asyncssh's own
) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        "127.0.0.1", stage.gateway.port, username=login, known_hosts=None, config=None,
        agent_path=None, **{"client_keys": [str(stage.folder / "id")], **options},
    )  # fmt: skip


async def _on_a_terminal(
    one: asyncssh.SSHClientConnection, columns: int, rows: int
) -> "asyncssh.SSHClientProcess[bytes]":
    return await one.create_process(
        term_type="xterm", term_size=(columns, rows), encoding=None
    )  # fmt: skip


async def _closed(one: asyncssh.SSHClientConnection) -> None:
    one.close()
    await one.wait_closed()


async def _ran(one: asyncssh.SSHClientConnection, command: str, stdin: bytes) -> Ended:
    ended = await one.run(command, input=stdin, encoding=None)
    assert isinstance(ended.stdout, bytes)
    assert isinstance(ended.stderr, bytes)
    return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)


def _set_size(terminal: int, columns: int, rows: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
