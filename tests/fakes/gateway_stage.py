"""A gateway in front of real hosts, for tests: image, hosts, doorkeeper, and the OpenSSH client."""

import asyncio
import io
import os
import subprocess
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
from core.users.codes import SHORTEST_PASSWORD
from core.users.keys import parse_public_key
from core.users.model import CodeRefusedError, PasswordTooShortError
from orchestrator.domain.record import NOTHING, Record
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.doorkeeper import Entry, EntryRefusedError, HostNotChosenError
from orchestrator.engine.exec_stream import DockerTerminals
from orchestrator.engine.labels import EXERCISE, HOST, KIND, OWNER, TEAM, Kind
from orchestrator.engine.names import container_name
from orchestrator.engine.reach import DockerReach
from orchestrator.engine.toolbox_name import toolbox_reference
from orchestrator.gateway.chronicle import Chronicle
from orchestrator.gateway.limits import Limits
from orchestrator.gateway.over_redis.place import RedisPlace
from orchestrator.gateway.server import Gateway
from orchestrator.terminal.limits import TerminalLimits
from tests.fakes.broker_stage import DOCKER_HOST, a_broker, a_loop
from tests.fakes.chronicle import FakeChronicle

T = TypeVar("T")

ACCOUNT = "trainee"
UID = 4242  # of nobody else on the machine
PASSWORD = "correct-horse"
WORLD = WorldKey(exercise=ExerciseId("exercise"), team="team-1")
GREETING = "Cyberpoligon · night-shift · team-1 · desk"
NOTHING_KEPT = TerminalLimits(keep=timedelta())
_MANY = Limits(sessions_per_person=1000, sessions_per_team=1000)  # one test opens as many
_DOCKERFILE = """
FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends {packages} \
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
    record: Record = NOTHING
    closed: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    old_codes: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    staff: dict[str, str] = field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    acts: int = 0

    def password_fits(self, login: str, password: str) -> bool:
        self.asked.append(login)
        return login in self.hosts and password == self.passwords.get(login, PASSWORD)

    def key_fits(self, login: str, public_key: str) -> bool:
        self.asked.append(login)
        return (login, public_key) in self.keys

    def staff_login(self, login: str, public_key: str) -> str | None:
        return f"{self.staff[public_key]}.{login}" if public_key in self.staff else None

    def code_fits(self, login: str, code: str) -> bool:
        self.asked.append(login)
        return self.codes.get(login) == code

    def code_expired(self, login: str, code: str) -> bool:
        return self.old_codes.get(login) == code

    def enrol_key(self, login: str, code: str, public_key: str) -> None:
        key, _ = parse_public_key(public_key)
        self._use(login, code)
        self.keys.add((login, key))

    def enrol_password(self, login: str, code: str, password: str) -> None:
        if len(password) < SHORTEST_PASSWORD:
            raise PasswordTooShortError("a password has at least 10 characters")
        self._use(login, code)
        self.passwords[login] = password

    def _use(self, login: str, code: str) -> None:
        if self.codes.pop(login, None) != code:
            raise CodeRefusedError("this code is wrong, was used or has expired")

    def enter(self, login: str) -> Entry:
        if self.closed:
            raise EntryRefusedError(self.closed)
        if login in self.choices:
            raise HostNotChosenError(title=GREETING, hosts=self.choices[login])
        return Entry(host=self.hosts[login], account=ACCOUNT, greeting=GREETING, record=self.record)

    def why_leave(self, login: str, entry: Entry) -> str:
        return self.closed

    def edition(self) -> int:
        return self.acts


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
def an_image(
    installation: str, *, packages: str = "openssh-sftp-server openssh-client"
) -> Iterator[str]:
    """Build the hosts' image with some packages in it; it is removed at the end."""
    client = docker.DockerClient(base_url=DOCKER_HOST)
    tag = f"gateway-test:{installation}"
    try:
        client.images.build(
            fileobj=io.BytesIO(_DOCKERFILE.format(packages=packages).encode()),
            tag=tag,
            rm=True,
            forcerm=True,
            labels={"cyberpoligon": installation},
        )
        yield tag
    finally:
        client.images.remove(tag, force=True)
        client.close()


def key_of(host: str) -> HostKey:
    """Return a host of the one world that there is here."""
    return HostKey(world=WorldKey(exercise=ExerciseId("exercise"), team="team-1"), host=host)


def labels_of(installation: str, key: HostKey, kind: Kind = Kind.HOST) -> dict[str, str]:
    """Return the labels of a host, or of another thing of its world."""
    world = {EXERCISE: str(key.world.exercise), TEAM: key.world.team, HOST: key.host}
    return {OWNER: installation, KIND: str(kind)} | world


@contextmanager
def a_toolbox(installation: str) -> Iterator[str]:
    """Have the toolbox of an installation on the engine; it is removed at the end."""
    client = docker.DockerClient(base_url=DOCKER_HOST)
    image = toolbox_reference(installation)
    try:
        client.images.build(
            path="deploy/toolbox", tag=image, rm=True, labels={"cyberpoligon": installation}
        )
        yield image
    finally:
        client.images.remove(image, force=True)
        client.close()


@contextmanager
def a_box(
    installation: str,
    host: str,
    image: str = "debian:bookworm-slim",
    *,
    world: WorldKey = WORLD,
    account: str = ACCOUNT,
) -> Iterator[Box]:
    """Run a host with an account; it is removed at the end."""
    key = HostKey(world=world, host=host)
    client = docker.DockerClient(base_url=DOCKER_HOST)
    container = client.containers.run(
        image,
        ["sleep", "infinity"],
        detach=True,
        init=True,
        name=container_name(installation, key),
        labels=labels_of(installation, key),
        network_mode="none",
    )
    try:
        box = Box(key=key, container=container)
        box.run(f"useradd --uid {UID} --create-home --shell /bin/bash {account}")
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
    terminal_limits: TerminalLimits = NOTHING_KEPT,
    chronicle: Chronicle | None = None,
    docker_host: str = DOCKER_HOST,
    address: str = "127.0.0.1",
    toolbox: str = "",
    user_ca: Path | None = None,
    doors: Path | None = None,
    redis: RedisPlace | None = None,
) -> Iterator[Stage]:
    """Run a gateway for `hosts` (login to host); the key in `folder` is that of every login.

    With a toolbox's image it forwards. No shell is kept unless limits say so: a test would get
    that of the one before it.
    """
    door, told = OpenDoor(hosts=hosts), chronicle or FakeChronicle()
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / "id"], check=True
    )
    public = " ".join((folder / "id.pub").read_text().split()[:2])
    door.keys |= {(login, public) for login in hosts}
    with (
        a_broker(
            folder, installation=installation, docker_host=docker_host, toolbox=toolbox
        ) as broker,
        a_loop() as loop,
    ):
        made = _made(
            lambda: Gateway(
                doorkeeper=door,
                terminals=DockerTerminals(broker, installation=installation),
                host_key=folder / "host_key",
                address=address,
                port=0,
                limits=limits or _MANY,
                user_ca=user_ca,
                doors=doors,
                redis=redis,
                terminal_limits=terminal_limits,
                chronicle=told,
                reach=DockerReach(broker, installation=installation) if toolbox else None,
                look_every=timedelta(milliseconds=200),
            )
        )
        gateway = asyncio.run_coroutine_threadsafe(made, loop).result(timeout=60)
        stage = Stage(gateway=gateway, door=door, folder=folder, loop=loop)
        try:
            yield stage
        finally:
            stage.ask(gateway.close())


async def _made(make: Callable[[], Gateway]) -> Gateway:
    gateway = make()
    await gateway.start()
    return gateway


def an_installation() -> str:
    """Return a fresh owner for everything that a test puts on the engine."""
    return f"gw-{new_id(8)}"


def eventually(is_true: Callable[[], bool], *, what: str, seconds: float = 60) -> None:
    """Return when it is true; fails after `seconds`."""
    waiting.until(is_true, what=what, within=timedelta(seconds=seconds))


def askpass(folder: Path, password: str) -> dict[str, str]:
    """Return the environment in which the OpenSSH client answers with `password`."""
    script = folder / "askpass"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' '{password}'\n")
    script.chmod(0o700)
    return {**os.environ, "SSH_ASKPASS": str(script), "SSH_ASKPASS_REQUIRE": "force"}
