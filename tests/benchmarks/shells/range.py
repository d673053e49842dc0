"""An exercise whose hosts also run an sshd, and the gateway's processes before it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import docker
from docker.models.containers import Container

from api.bootstrap import Services, open_services
from core.scenario.load import load
from core.settings import read_settings
from core.users.model import Role
from core.waiting import until
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase
from orchestrator.service import TeamSpec
from tests.ports import free_port

_ROOT = Path(__file__).parents[3]
_ACCOUNT = "trainee"
_SSHD_PORT = 2200
_START = timedelta(seconds=60)
_RAISE = timedelta(minutes=5)
_STOP_S = 40

_DOCKERFILE = """\
FROM debian:bookworm-slim
RUN apt-get update \\
 && apt-get install -y --no-install-recommends openssh-server sudo \\
 && apt-get clean && rm -rf /var/lib/apt/lists/*
CMD ["sleep", "infinity"]
"""
# With sudo comes AUDIT_WRITE, without which an sshd ends every session on a terminal.
_SCENARIO = f"""\
language: 1
scenario: {{id: bench, version: 1.0.0, title: Shells, kind: incident-response, duration: 8h}}
roles: {{player: {{side: blue, title: Player}}}}
networks: {{office: {{size: /28}}}}
hosts:
  desk:
    build: {{context: images/desk}}
    networks: {{office: {{}}}}
    limits: {{pids: 4096, memory: 2g}}
    accounts: [{{name: {_ACCOUNT}, roles: [player], sudo: true}}]
access: [{{roles: [player], host: desk, as: {_ACCOUNT}, default: true}}]
tasks: {{done: {{ask: Is it done?, answer: "yes", points: 1}}}}
"""
# As many logins at once, and sessions on a connection, as anybody wants. An account without a
# password counts as locked for sshd; `*` is none that fits.
_SSHD = """
set -e
mkdir -p /run/sshd
ssh-keygen -A >/dev/null
usermod -p '*' {account}
home=$(getent passwd {account} | cut -d: -f6)
install -d -o {account} -m 700 "$home/.ssh"
echo '{key}' >"$home/.ssh/authorized_keys"
chown {account} "$home/.ssh/authorized_keys"
/usr/sbin/sshd -p {port} -o MaxStartups=1000 -o MaxSessions=1000 -o UsePAM=no
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a client reaches a shell: what goes before its command, where to, and as whom."""

    name: str
    before: tuple[str, ...]
    port: int
    logins: tuple[str, ...]
    key: Path

    def ssh(self, *arguments: str, login: str = "") -> list[str]:
        """Return the command line of an OpenSSH client."""
        return [
            *self.before,
            *("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes"),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "LogLevel=ERROR", "-i", str(self.key), "-p", str(self.port)),
            f"{login or self.logins[0]}@127.0.0.1",
            *arguments,
        ]


class Range:
    """Teams with one host each. The gateway is reached as `gateway`, the hosts' sshd as `sshd`."""

    def __init__(self, home: Path, *, services: Services, exercise: Exercise, key: Path) -> None:
        self._home = home
        self._services = services
        self._exercise = exercise
        self._key = key

    def gateway(self) -> Way:
        """Return the way through the gateway; a login for every trainee, team after team."""
        members = [member.name for team in self._exercise.teams for member in team.members]
        port = self._services.settings.ssh_port
        return Way(
            name="gateway", before=(), port=port, logins=tuple(_turns(members)), key=self._key
        )

    def sshd(self) -> Way:
        """Start an sshd in the first team's host; return the way to it, within its network."""
        container = self.container()
        public = self._key.with_suffix(".pub").read_text().strip()
        script = _SSHD.format(account=_ACCOUNT, key=public, port=_SSHD_PORT)
        ended = container.exec_run(["sh", "-c", script], user="root")
        assert ended.exit_code == 0, ended.output
        pid = container.attrs["State"]["Pid"]
        return Way(
            name="sshd",
            before=("nsenter", f"--net=/proc/{pid}/ns/net"),
            port=_SSHD_PORT,
            logins=(_ACCOUNT,),
            key=self._key,
        )

    def container(self, number: int = 0) -> Container:
        """Return a team's host."""
        client = docker.DockerClient.from_env()
        owner = self._services.settings.installation
        labels = [f"cyberpoligon={owner}", "cyberpoligon.host=desk"]
        found = client.containers.list(filters={"label": labels})
        return sorted(found, key=lambda one: str(one.name))[number]

    def gateway_pids(self) -> tuple[int, ...]:
        """Return the processes that carry sessions: the gateway's, and the broker's if any."""
        mark = f"POLIGON_HOME={self._home}\0".encode()
        found = []
        for place in Path("/proc").iterdir():
            with suppress(OSError):
                words = (place / "cmdline").read_bytes().split(b"\0")
                ours = place.name.isdecimal() and mark in (place / "environ").read_bytes()
                if ours and {b"gateway", b"api.cli.broker"} & set(words):
                    found.append(int(place.name))
        return tuple(found)


@contextmanager
def a_range(*, teams: int, members: int) -> Iterator[Range]:
    """Raise it, and leave nothing of it."""
    with tempfile.TemporaryDirectory(prefix="poligon-bench-") as folder, ExitStack() as undo:
        home = Path(folder)
        environment = os.environ | {
            "POLIGON_HOME": str(home),
            "POLIGON_INSTALLATION": f"bench-{uuid4().hex[:6]}",
            "POLIGON_ADDRESS_POOL": '["10.211.0.0/16"]',
            "POLIGON_HTTP_PORT": str(free_port()),
            "POLIGON_SSH_PORT": str(free_port()),
        }
        before = dict(os.environ)
        os.environ.update(environment)
        undo.callback(os.environ.update, before)
        services = open_services(read_settings())
        undo.callback(services.close)
        _poligon("db", "upgrade")
        undo.callback(_poligon, "down")
        everything = _start(home)
        undo.callback(_stop, everything)
        exercise = _play(services, home, teams=teams, members=members)
        key = _a_key(home)
        public = key.with_suffix(".pub").read_text()
        for team in exercise.teams:
            for member in team.members:
                services.users.add_key(member.name, public)
        yield Range(home, services=services, exercise=exercise, key=key)


def _play(services: Services, home: Path, *, teams: int, members: int) -> Exercise:
    source = home / "bench"
    (source / "images" / "desk").mkdir(parents=True)
    (source / "images" / "desk" / "Dockerfile").write_text(_DOCKERFILE)
    (source / "scenario.yaml").write_text(_SCENARIO)
    names = [[f"t{team}-{number}" for number in range(members)] for team in range(teams)]
    for name in (name for team in names for name in team):
        services.users.add(name, role=Role.TRAINEE)
    specs = [TeamSpec(name=f"Team {n}", members=tuple(team)) for n, team in enumerate(names, 1)]
    exercise = services.exercises.launch(load(source), teams=specs, by=None)
    until(
        lambda: services.exercises.get(exercise.id).phase is Phase.READY,
        what="the worlds",
        within=_RAISE,
    )
    return services.exercises.start(exercise.id)


def _turns(names: Sequence[str]) -> Sequence[str]:
    """Return the names so that neighbours are of different teams."""
    return sorted(names, key=lambda name: name.partition("-")[::-1])


def _a_key(home: Path) -> Path:
    key = home / "id"
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
    subprocess.run(made, check=True)
    return key


def _start(home: Path) -> subprocess.Popen[bytes]:
    """Start the whole service, and return when SSH is answered."""
    with (home / "serve.log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "api.cli.main", "serve", "--all"],
            cwd=_ROOT,
            stdout=log,
            stderr=log,
        )
    log_file = home / "serve.log"
    until(lambda: b"gateway.started" in log_file.read_bytes(), what="the gateway", within=_START)
    return started


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _poligon(*arguments: str) -> None:
    line = [sys.executable, "-m", "api.cli.main", *arguments]
    subprocess.run(line, cwd=_ROOT, capture_output=True, check=True)
