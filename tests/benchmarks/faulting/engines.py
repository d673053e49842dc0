"""The engine under a run: this machine's, or one of our own that may be killed.

This machine's engine is never touched; it can only be put out of reach (`tests.fakes.detour`).
"""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from core.settings import read_settings
from core.waiting import until
from tests.benchmarks.faulting.processes import end_all, pids_with
from tests.benchmarks.faulting.small_disk import SmallDisk, small_disk

_ROOT = Path(__file__).parents[3]
_BASE = "debian:bookworm-slim"
_TOOLBOX = _ROOT / "deploy" / "toolbox"
_START = timedelta(seconds=60)
_DISK_MB = 1500


class SharedEngine:
    """This machine's engine."""

    def __init__(self) -> None:
        address = read_settings().docker_host
        assert address.startswith("unix://"), "a detour leads to an engine of this machine only"
        self.socket = Path(address.removeprefix("unix://"))


class PrivateEngine:
    """A `dockerd` of our own in a network namespace of its own, on a small disk.

    It keeps its containers when it is killed (`--live-restore`), as a careful site sets it.
    """

    def __init__(self, folder: Path, disk: SmallDisk, namespace: str) -> None:
        self.socket = folder / "engine.sock"
        self.disk = disk
        self._folder = folder
        self._namespace = namespace
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it (again) and wait until it answers."""
        for stale in ("engine.pid", "exec/containerd/containerd.pid", "engine.sock"):
            (self._folder / stale).unlink(missing_ok=True)
        for socket in (self._folder / "exec" / "containerd").glob("containerd*.sock*"):
            socket.unlink()
        with (self._folder / "engine.log").open("ab") as log:
            self._process = subprocess.Popen(self._command(), stdout=log, stderr=log)
        until(self.answers, what="our own engine to answer", within=_START)

    def kill(self) -> None:
        """Kill it as `kill -9` does; its containers run on."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def kill_with_containers(self) -> None:
        """Kill it and everything that it started, as when its machine loses power."""
        self.kill()
        end_all(pids_with(str(self._folder / "exec")), signal.SIGKILL)

    def stop(self) -> None:
        """End it and all of its containers."""
        if not self.answers():
            self.start()
        listed = self.docker("ps", "--all", "--quiet").split()
        if listed:
            self.docker("rm", "--force", *listed)
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        end_all(pids_with(str(self._folder / "exec")), signal.SIGKILL)

    def answers(self) -> bool:
        """Tell whether it answers now."""
        asked = ["docker", "--host", f"unix://{self.socket}", "version"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def docker(self, *arguments: str, stdin: bytes = b"") -> str:
        """Run a command of Docker's client on it; return what it printed."""
        done = subprocess.run(
            ["docker", "--host", f"unix://{self.socket}", *arguments],
            input=stdin,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode()

    def _command(self) -> list[str]:
        return [
            "nsenter", f"--net=/var/run/netns/{self._namespace}",
            "dockerd", "--live-restore",
            "--data-root", str(self.disk.place),
            "--exec-root", str(self._folder / "exec"),
            "--host", f"unix://{self.socket}",
            "--pidfile", str(self._folder / "engine.pid"),
        ]  # fmt: skip


Engine = SharedEngine | PrivateEngine


@contextmanager
def private_engine(folder: Path) -> Iterator[PrivateEngine]:
    """Lend an engine of our own with the base image; nothing of it is left afterwards.

    It has no way out, so it gets the toolbox's layers, too, and finds them when it builds.
    """
    namespace = f"poligon-{uuid4().hex[:8]}"
    with ExitStack() as undo:
        _run("ip", "netns", "add", namespace)
        undo.callback(_run, "ip", "netns", "del", namespace)
        _run("ip", "-n", namespace, "link", "set", "lo", "up")
        disk = undo.enter_context(small_disk(folder / "data", megabytes=_DISK_MB))
        undo.callback(_unmount_below, folder)
        engine = PrivateEngine(folder, disk, namespace)
        undo.callback(engine.stop)
        engine.start()
        engine.docker("load", stdin=_images())
        yield engine


def _images() -> bytes:
    """Return the base image and the toolbox, from this machine's engine, as one archive."""
    name = f"cyberpoligon-faults-{uuid4().hex[:8]}:latest"
    _run("docker", "build", "--tag", name, str(_TOOLBOX))
    try:
        saved = subprocess.run(["docker", "save", _BASE, name], capture_output=True, check=True)
    finally:
        _run("docker", "rmi", name)
    return saved.stdout


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def _unmount_below(folder: Path) -> None:
    """Take away what a killed engine leaves mounted, the innermost first."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    inside = [place for place in mounts if place.startswith(f"{folder}{os.sep}")]
    for place in sorted(inside, reverse=True):
        if place != str(folder / "data"):
            _run("umount", "--lazy", place)
    # The engine mounts its own folder over itself; that one goes before the disk below it.
    while _mounted(folder / "data") > 1:
        _run("umount", "--lazy", str(folder / "data"))


def _mounted(place: Path) -> int:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return sum(line.split()[1] == str(place) for line in lines)
