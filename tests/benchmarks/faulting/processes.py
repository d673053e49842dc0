"""Processes of ours, found by what they were started with; nobody else's are ever ended."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from signal import Signals


def pids_with(text: str) -> tuple[int, ...]:
    """Return the processes with `text` in their command line or environment, and their children."""
    named = [pid for pid in _pids() if _holds(pid, text)]
    children: dict[int, list[int]] = {}
    for pid in _pids():
        children.setdefault(_parent(pid), []).append(pid)
    found: list[int] = []
    while named:
        pid = named.pop()
        if pid not in found:
            found.append(pid)
            named += children.get(pid, [])
    return tuple(pid for pid in found if pid != os.getpid())


def end_all(pids: Iterable[int], number: Signals) -> None:
    """Send a signal to each; one that is gone already is no error."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _holds(pid: int, text: str) -> bool:
    with suppress(OSError):
        place = Path("/proc") / str(pid)
        if _state(place) == "Z":
            return False
        return text.encode() in (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
    return False


def _state(place: Path) -> str:
    return (place / "stat").read_text().rpartition(")")[2].split()[0]


def _parent(pid: int) -> int:
    try:
        stat = (Path("/proc") / str(pid) / "stat").read_text()
    except OSError:
        return 0
    return int(stat.rpartition(")")[2].split()[1])
