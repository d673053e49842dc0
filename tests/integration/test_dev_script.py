"""`./dev` on machines in every state, with a stand-in for dockerd in namespaces of its own."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]

# Refuses to start for the reasons of the real one, and answers the one question that is asked.
DOCKERD = f"""#!{sys.executable}
import http.server, os, socketserver, sys
for file, reason in (
    ("/var/run/docker.pid", "pid file found, ensure docker is not running"),
    ("/var/run/docker/containerd/containerd.pid", "timeout waiting for containerd to start"),
):
    if os.path.exists(file) and os.path.exists("/proc/" + open(file).read().strip()):
        sys.exit("failed to start daemon: " + reason)
if os.path.exists("/var/run/broken"):
    sys.exit("failed to start daemon: no space left on device")
print(os.getpid(), file=open("/var/run/docker.pid", "w"))

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{{"Version": "20.10.0-standin", "ApiVersion": "1.41"}}')
    def address_string(self):
        return "a client"

if os.path.exists("/var/run/docker.sock"):
    os.unlink("/var/run/docker.sock")
socketserver.UnixStreamServer("/var/run/docker.sock", Answer).serve_forever()
"""
STANDS_BY = "until [ -S /var/run/docker.sock ]; do sleep 0.05; done"
STRANGER = "mkdir -p /var/run/docker/containerd; sleep 300 & echo $! | tee /var/run/docker.pid"
STATES = {
    "stopped": "true",
    "killed": f"dockerd & {STANDS_BY}; kill -9 $!; wait $!",
    "killed, its pid taken by another program": (
        f"{STRANGER} /var/run/docker/containerd/containerd.pid; touch /var/run/docker.sock"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A copy of the checkout's scripts, and a PATH that starts with our stand-ins."""

    root: Path
    stand_ins: Path

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command beside `./dev`, with no engine's address but `environment`'s."""
        inherited = {k: v for k, v in os.environ.items() if "DOCKER_HOST" not in k}
        path = f"{self.stand_ins}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.root,
            env=inherited | {"PATH": path} | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def run_alone(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run as root where no engine runs and no init system is; what it starts ends with it."""
        script = self.root / "alone"
        script.write_text(f"mount -t tmpfs tmpfs /run\ncd {self.root}\n{command}\n")
        sudo = "" if os.geteuid() == 0 else "sudo -n env PATH=$PATH "
        return self.run(f"{sudo}unshare --mount --pid --fork --mount-proc bash {script}")

    def install(self, name: str, text: str) -> None:
        (self.stand_ins / name).write_text(text)
        (self.stand_ins / name).chmod(0o755)


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """Copy what a fresh clone has: nothing is installed for it yet."""
    root = tmp_path / "clone"
    shutil.copytree(CHECKOUT / "deploy/dev", root / "deploy/dev")
    for name in ("dev", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(CHECKOUT / name, root / name)
    stand_ins = tmp_path / "bin"
    stand_ins.mkdir()
    machine = Machine(root=root, stand_ins=stand_ins)
    machine.install("apt-get", f"#!/bin/sh\ntouch {tmp_path}/apt-was-used\nexit 1\n")
    return machine


@pytest.fixture
def machine(bare: Machine) -> Machine:
    """Add a Python environment, and an engine that is stopped."""
    executables = bare.root / ".venv/bin"
    executables.mkdir(parents=True)
    (executables / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (executables / "python").chmod(0o755)
    lock = (bare.root / "requirements-dev.lock").read_bytes()
    stamp = hashlib.sha256(f"{bare.root}\n".encode() + lock).hexdigest()
    (bare.root / ".venv/stamp").write_text(f"{stamp}\n")
    bare.install("dockerd", DOCKERD)
    return bare


def test_help_names_every_command(bare: Machine) -> None:
    told = bare.run("./dev help").stdout
    commands = {line.split()[0] for line in told.splitlines() if line.startswith("  ")}
    defined = set(re.findall(r"^cmd_(\w+)\(\)", (bare.root / "dev").read_text(), re.MULTILINE))
    assert commands == defined | {"help"}


def test_an_unknown_command_is_named_and_fails(bare: Machine) -> None:
    done = bare.run("./dev fly")
    assert done.returncode == 1
    assert done.stderr.endswith("dev: there is no command 'fly'\n")


@pytest.mark.parametrize(
    "command",
    ["--offline demo", "demo --check --offline", "test --offline", "--offline poligon doctor"],
)
def test_offline_names_what_is_missing_and_installs_nothing(bare: Machine, command: str) -> None:
    done = bare.run(f"./dev {command}")
    assert done.returncode == 1
    assert done.stderr.startswith("dev: the environment of requirements")
    assert "run this once without --offline" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (bare.root / ".venv").exists()
    assert not (bare.stand_ins.parent / "apt-was-used").exists()


def test_a_wrong_engine_address_is_one_sentence_and_starts_no_other_engine(
    machine: Machine,
) -> None:
    done = machine.run("./dev engine", DOCKER_HOST="tcp://127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr == (
        "dev: no Docker Engine answers at tcp://127.0.0.1:1; "
        "start that one, or unset DOCKER_HOST to use this machine's\n"
    )
    assert not (machine.root / ".state/dockerd.pid").exists()


@pytest.mark.parametrize("state", STATES)
def test_an_engine_that_is_down_is_started(machine: Machine, state: str) -> None:
    done = machine.run_alone(f"{STATES[state]}\n./dev engine --offline")
    assert done.returncode == 0, done.stderr
    pid = (machine.root / ".state/dockerd.pid").read_text().strip()
    assert f"Docker Engine 20.10.0-standin, started by ./dev, pid {pid}\n" in done.stdout


def test_an_engine_that_runs_is_left_alone(machine: Machine) -> None:
    done = machine.run_alone(f"dockerd & {STANDS_BY}; ./dev engine --offline; kill -0 $!")
    assert done.returncode == 0, done.stderr
    assert "started by this machine, not by ./dev" in done.stdout
    assert "dev: starting" not in done.stderr


def test_an_engine_that_cannot_start_is_told_with_its_own_last_words(machine: Machine) -> None:
    done = machine.run_alone("touch /var/run/broken; ./dev engine --offline")
    assert done.returncode == 1
    assert "no space left on device\ndev: dockerd ended at once" in done.stderr


def test_down_stops_the_engine_that_it_started_and_no_other(machine: Machine) -> None:
    stop = "set -- help; source ./dev; stop_engine"
    done = machine.run_alone(
        f"./dev engine --offline; bash -c '{stop}'; kill -0 $(cat /var/run/docker.pid) || echo gone"
    )
    assert done.stdout.endswith("gone\n"), done.stderr
    other = machine.run_alone(f"dockerd & {STANDS_BY}; bash -c '{stop}'; kill -0 $! && echo runs")
    assert other.stdout.endswith("runs\n"), other.stderr
