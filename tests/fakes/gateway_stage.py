"""A gateway in front of real hosts, for tests: image, hosts, doorkeeper, and the OpenSSH client."""

import asyncio
import io
import os
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import docker
from docker.errors import NotFound
from docker.models.containers import Container

from core import waiting
from core.ids import ExerciseId, new_id
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.doorkeeper import Entry, EntryRefusedError
from orchestrator.engine.exec_stream import DockerTerminals
from orchestrator.engine.names import container_name
from orchestrator.gateway.limits import Limits
from orchestrator.gateway.server import Gateway

T = TypeVar("T")

DOCKER_HOST = "unix:///var/run/docker.sock"
ACCOUNT = "trainee"
UID = 4242  # of nobody else on the machine
PASSWORD = "correct-horse"
GREETING = "Cyberpoligon · night-shift · team-1 · desk"
_DOCKERFILE = b"""
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends openssh-sftp-server openssh-client \
 && rm -rf /var/lib/apt/lists/*
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A running container that stands for a host."""

    key: HostKey
    container: Container

    def run(self, command: str, *, account: str = "root") -> str:
        """Return what a shell command prints inside."""
        output = self.container.exec_run(["sh", "-c", command], user=account).output
        assert isinstance(output, bytes)
        return output.decode()

    def processes(self) -> list[str]:
        """Return the command lines of the trainee's living processes."""
        listed = self.container.top(ps_args="-eo pid,uid,stat,args")["Processes"]
        return [
            args
            for _pid, uid, state, args in listed
            if uid == str(UID) and not state.startswith("Z")
        ]


@dataclass(kw_only=True)
class OpenDoor:
    """A doorkeeper over two dictionaries; tests change them while it is asked."""

    hosts: dict[str, HostKey]
    keys: set[tuple[str, str]] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    closed: str = ""

    def password_fits(self, login: str, password: str) -> bool:
        self.asked.append(login)
        return login in self.hosts and password == PASSWORD

    def key_fits(self, login: str, public_key: str) -> bool:
        self.asked.append(login)
        return (login, public_key) in self.keys

    def enter(self, login: str) -> Entry:
        if self.closed:
            raise EntryRefusedError(self.closed)
        return Entry(host=self.hosts[login], account=ACCOUNT, greeting=GREETING)

    def may_stay(self, login: str, entry: Entry) -> bool:
        return not self.closed


@dataclass(kw_only=True)
class Stage:
    """A gateway that runs in a thread of its own, and clients for it."""

    gateway: Gateway
    door: OpenDoor
    folder: Path
    loop: asyncio.AbstractEventLoop

    def ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Return what a coroutine returns on the gateway's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=60)

    def options(self) -> list[str]:
        """Return the OpenSSH options that reach the gateway with its key known."""
        key = (self.folder / "id").as_posix()
        return [
            *("-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i", key),
            *("-o", "StrictHostKeyChecking=accept-new", "-o", "LogLevel=ERROR"),
            *("-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}"),
        ]

    def ssh_line(self, *arguments: str, login: str = "ana") -> list[str]:
        """Return an OpenSSH command line; `arguments` follow the destination."""
        place = ["-p", str(self.gateway.port), f"{login}@127.0.0.1"]
        return ["ssh", *self.options(), *place, *arguments]

    def ssh(
        self, *arguments: str, login: str = "ana", stdin: bytes = b"", options: Sequence[str] = ()
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run the OpenSSH client to its end."""
        line = self.ssh_line(*arguments, login=login)
        return subprocess.run(
            [line[0], *options, *line[1:]],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=60,
        )


@contextmanager
def an_image(installation: str) -> Iterator[str]:
    """Build the hosts' image with an sftp-server in it; it is removed at the end."""
    client = docker.DockerClient(base_url=DOCKER_HOST)
    tag = f"gateway-test:{installation}"
    try:
        client.images.build(
            fileobj=io.BytesIO(_DOCKERFILE),
            tag=tag,
            rm=True,
            forcerm=True,
            labels={"cyberpoligon": installation},
        )
        yield tag
    finally:
        client.images.remove(tag, force=True)
        client.close()


@contextmanager
def a_box(installation: str, host: str, image: str = "debian:bookworm-slim") -> Iterator[Box]:
    """Run a host with the account `trainee`; it is removed at the end."""
    world = WorldKey(exercise=ExerciseId("exercise"), team="team-1")
    key = HostKey(world=world, host=host)
    client = docker.DockerClient(base_url=DOCKER_HOST)
    container = client.containers.run(
        image,
        ["sleep", "infinity"],
        detach=True,
        init=True,
        name=container_name(installation, key),
        labels={"cyberpoligon": installation, "cyberpoligon.host": host},
        network_mode="none",
    )
    try:
        box = Box(key=key, container=container)
        box.run(f"useradd --uid {UID} --create-home --shell /bin/bash {ACCOUNT}")
        yield box
    finally:
        with suppress(NotFound):  # the test may have removed it
            container.remove(force=True)
        client.close()


@contextmanager
def a_stage(
    folder: Path,
    *,
    installation: str,
    hosts: dict[str, HostKey],
    limits: Limits | None = None,
    docker_host: str = DOCKER_HOST,
) -> Iterator[Stage]:
    """Run a gateway for `hosts` (login to host); the key in `folder` is that of every login."""
    door = OpenDoor(hosts=hosts)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / "id"], check=True
    )
    public = " ".join((folder / "id.pub").read_text().split()[:2])
    door.keys |= {(login, public) for login in hosts}
    with _a_loop() as loop:
        made = _made(
            lambda: Gateway(
                doorkeeper=door,
                terminals=DockerTerminals(docker_host, installation=installation),
                host_key=folder / "host_key",
                address="127.0.0.1",
                port=0,
                limits=limits,
                look_every=timedelta(milliseconds=200),
            )
        )
        gateway = asyncio.run_coroutine_threadsafe(made, loop).result(timeout=10)
        stage = Stage(gateway=gateway, door=door, folder=folder, loop=loop)
        try:
            yield stage
        finally:
            stage.ask(gateway.close())


async def _made(make: Callable[[], Gateway]) -> Gateway:
    gateway = make()
    await gateway.start()
    return gateway


@contextmanager
def _a_loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="gateway")
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_settle(), loop).result(timeout=30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _settle() -> None:
    """Let the last connections and threads end, so that nothing is destroyed half-way."""
    me = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not me]
    if others:
        await asyncio.wait(others, timeout=10)
    await asyncio.get_running_loop().shutdown_default_executor()


def an_installation() -> str:
    """Return a fresh owner for everything that a test puts on the engine."""
    return f"gw-{new_id(8)}"


def eventually(is_true: Callable[[], bool], *, what: str, seconds: float = 5) -> None:
    """Return when it is true; fails after `seconds`."""
    waiting.until(is_true, what=what, within=timedelta(seconds=seconds))


def askpass(folder: Path, password: str) -> dict[str, str]:
    """Return the environment in which the OpenSSH client answers with `password`."""
    script = folder / "askpass"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' '{password}'\n")
    script.chmod(0o700)
    return {**os.environ, "SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}
