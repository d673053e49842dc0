"""What is measured of a way to a shell, each by real clients in processes of their own."""

import hashlib
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from select import select
from statistics import median, quantiles
from typing import IO, Any

from tests.benchmarks.shells.range import Way

_TYPISTS = Path(__file__).with_name("typists.py")
_MIB = 1024 * 1024
_LONGEST_S = 300


def to_prompt(way: Way) -> float:
    """Return the seconds from the start of an OpenSSH client to a shell's prompt."""
    leader, follower = pty.openpty()
    began = time.perf_counter()
    client = subprocess.Popen(
        way.ssh("-tt"), stdin=follower, stdout=follower, stderr=follower, start_new_session=True
    )
    os.close(follower)
    seen = b""
    try:
        while b"$ " not in seen:
            assert select([leader], [], [], 30)[0], seen
            seen += os.read(leader, 4096)
        return time.perf_counter() - began
    finally:
        os.write(leader, b"exit\n")
        client.wait(timeout=30)
        os.close(leader)


def to_end(way: Way) -> float:
    """Return the seconds of an OpenSSH client that runs `true`."""
    began = time.perf_counter()
    subprocess.run(way.ssh("true"), check=True, timeout=60)
    return time.perf_counter() - began


def down(way: Way, mib: int) -> float:
    """Return the MiB/s of a command's output."""
    return _rate(way.ssh(f"head -c {mib * _MIB} /dev/zero"), mib, output=subprocess.DEVNULL)


def up(way: Way, mib: int, source: Path) -> float:
    """Return the MiB/s of a command's input."""
    with source.open("rb") as file:
        return _rate(way.ssh("cat >/dev/null"), mib, stdin=file)


def taken(way: Way, mib: int, folder: Path) -> float:
    """Return the MiB/s of sftp from a host."""
    return _sftp(way, mib, f"get /tmp/bulk {folder / 'taken'}")


def put(way: Way, mib: int, source: Path) -> float:
    """Return the MiB/s of sftp to a host."""
    return _sftp(way, mib, f"put {source} /tmp/bulk")


def same(source: Path, copy: Path) -> bool:
    """Tell whether two files are the same."""
    return _digest(source) == _digest(copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What typists saw: seconds until the last prompt and of each, milliseconds of each key."""

    open_s: float
    prompt_s: Sequence[float]
    echo_ms: Sequence[float]

    @property
    def p50(self) -> float:
        """The median echo, in milliseconds."""
        return median(self.echo_ms)

    @property
    def p95(self) -> float:
        """The slowest echo but one in twenty, in milliseconds."""
        return quantiles(self.echo_ms, n=20)[-1]


@contextmanager
def typists(
    way: Way, count: int, *, seconds: float = 0, floods: int = 0, at_once: int = 6
) -> Iterator[Typed]:
    """Open so many terminals, type at all but the floods, and keep them open for the block."""
    logins = [way.logins[number % len(way.logins)] for number in range(count)]
    plan = {
        "logins": logins,
        "seconds": seconds,
        "floods": floods,
        "at_once": at_once,
        "hold": True,
    }
    line = [sys.executable, str(_TYPISTS), str(way.port), str(way.key), json.dumps(plan)]
    process = subprocess.Popen(
        [*way.before, *line], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        told: dict[str, Any] = json.loads(process.stdout.readline())
        yield Typed(**told)
    finally:
        process.communicate("\n", timeout=60)


def memory_kib(pids: Sequence[int]) -> int:
    """Return the memory of processes, what they share counted once (PSS), in KiB."""
    found = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                found += int(line.split()[1])
    return found


def _sftp(way: Way, mib: int, command: str) -> float:
    *ssh, place = way.ssh()
    at = ssh.index("ssh")
    options = [word if word != "-p" else "-P" for word in ssh[at + 1 :]]
    began = time.perf_counter()
    subprocess.run(
        [*ssh[:at], "sftp", "-q", *options, place],
        input=command.encode(),
        check=True,
        capture_output=True,
        timeout=_LONGEST_S,
    )
    return mib / (time.perf_counter() - began)


def _rate(
    line: Sequence[str], mib: int, *, stdin: IO[bytes] | None = None, output: int | None = None
) -> float:
    began = time.perf_counter()
    subprocess.run(line, check=True, stdin=stdin, stdout=output, timeout=_LONGEST_S)
    return mib / (time.perf_counter() - began)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
