"""What processes have used so far, from /proc."""

import os
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_ENGINE_PID = Path("/var/run/docker.pid")
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the processor seconds of processes and of their children that have ended."""
    return sum(sum(int(n) for n in _stat(pid)[11:15]) for pid in pids) / _TICKS


def peak_mib(pids: Iterable[int]) -> float:
    """Return the most memory that processes held at once, each by itself, added up."""
    return sum(_status(pid, "VmHWM") for pid in pids) / 1024


def resident_mib(pid: int) -> float:
    """Return how much memory a process holds now; zero when it is gone."""
    try:
        return _status(pid, "VmRSS") / 1024
    except OSError:
        return 0.0


def engine_pids() -> tuple[int, ...]:
    """Return this machine's dockerd and its containerd.

    The shims that stand beside each container are not among them.
    """
    engine = int(_ENGINE_PID.read_text())
    return (engine, *(p for p in children_of(engine) if _comm(p) == "containerd"))


def children_of(pid: int) -> tuple[int, ...]:
    """Return the processes that a process has started and that live still."""
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]
    return tuple(child for child in pids if _parent(child) == pid)


def _parent(pid: int) -> int:
    try:
        return int(_stat(pid)[1])
    except OSError:  # it has ended meanwhile
        return 0


def _comm(pid: int) -> str:
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """Return the fields after the name, which may hold blanks: the first is the state."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _status(pid: int, field: str) -> int:
    lines = (_PROC / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
