"""G-1 and G-2: shells through the gateway, beside an sshd in the same container.

The whole service runs as a site runs it. The sshd is reached from within the container's network,
so that both are loopback; clients are OpenSSH's, and for many terminals one process of ours.

Usage: ./dev bench gateway [--rounds 11] [--mib 100] [--json FILE]
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from tests.benchmarks.shells import measures
from tests.benchmarks.shells.bare_execs import start_all
from tests.benchmarks.shells.measures import memory_kib, typists
from tests.benchmarks.shells.range import Range, Way, a_range

_TEAMS = 20
_MEMBERS = 15
_TYPISTS = 50
_QUIET = 20
_FLOODS = 4
_IDLE = 300
_MASS = 200
_TYPING_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A figure beside its baseline, and what is wanted of it."""

    what: str
    ours: float
    baseline: float
    unit: str
    wanted: str
    value: float
    met: bool

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return (
            f"  {self.what:<44} {self.ours:>9.1f} {self.baseline:>9.1f} {self.unit:<6}"
            f" {self.value:>7.2f}   {self.wanted}: {verdict}"
        )


def at_most(what: str, ours: float, baseline: float, unit: str, limit: float) -> Line:
    """Return the line of a time: ours by the baseline's, at most `limit`."""
    value = ours / baseline
    return Line(
        what=what, ours=ours, baseline=baseline, unit=unit,
        wanted=f"ratio ≤ {limit}", value=value, met=value <= limit,
    )  # fmt: skip


def at_least(what: str, ours: float, baseline: float, unit: str, limit: float) -> Line:
    """Return the line of a rate: ours by the baseline's, at least `limit`."""
    value = ours / baseline
    return Line(
        what=what, ours=ours, baseline=baseline, unit=unit,
        wanted=f"ratio ≥ {limit}", value=value, met=value >= limit,
    )  # fmt: skip


def connecting(gateway: Way, sshd: Way, rounds: int) -> list[Line]:
    """Measure how long it takes until a prompt, and until a command has ended."""
    lines = []
    for what, measure in (
        ("connect to prompt", measures.to_prompt),
        ("connect, run true", measures.to_end),
    ):
        ours, theirs = _in_turn(partial(measure, gateway), partial(measure, sshd), rounds)
        lines.append(at_most(what, ours * 1000, theirs * 1000, "ms", 1.5))
    return lines


def bulk(gateway: Way, sshd: Way, mib: int) -> list[Line]:
    """Measure how fast much data goes each way."""
    with tempfile.TemporaryDirectory(prefix="poligon-bench-") as name:
        folder = Path(name)
        source = folder / "bulk"
        source.write_bytes(bytes(mib * 1024 * 1024))
        lines = []
        for what, measure in (
            ("output of a command", partial(measures.down, mib=mib)),
            ("input of a command", partial(measures.up, mib=mib, source=source)),
            ("sftp put", partial(measures.put, mib=mib, source=source)),
            ("sftp get", partial(measures.taken, mib=mib, folder=folder)),
        ):
            ours, theirs = _in_turn(partial(measure, gateway), partial(measure, sshd), 3)
            lines.append(at_least(what, ours, theirs, "MiB/s", 0.5))
        assert measures.same(source, folder / "taken")
    return lines


def typing(gateway: Way, sshd: Way) -> list[Line]:
    """Measure echo: many typists, and some beside floods of output."""
    with typists(sshd, _TYPISTS, seconds=_TYPING_S) as theirs:
        pass
    with typists(gateway, _TYPISTS, seconds=_TYPING_S) as ours:
        pass
    with typists(gateway, _QUIET, seconds=_TYPING_S) as quiet:
        pass
    with typists(gateway, _QUIET + _FLOODS, seconds=_TYPING_S, floods=_FLOODS) as beside:
        pass
    added = ours.p50 - theirs.p50
    return [
        Line(
            what=f"echo at {_TYPISTS} sessions, median", ours=ours.p50, baseline=theirs.p50,
            unit="ms", wanted="added ≤ 5 ms", value=added, met=added <= 5,
        ),
        Line(
            what=f"echo at {_TYPISTS} sessions, p95", ours=ours.p95, baseline=theirs.p95,
            unit="ms", wanted="told only", value=ours.p95 - theirs.p95, met=True,
        ),
        at_most(
            f"{_QUIET} typists beside {_FLOODS} floods, p95, against quiet",
            beside.p95, quiet.p95, "ms", 2,
        ),
    ]  # fmt: skip


def idling(range_: Range, gateway: Way) -> list[Line]:
    """Measure the memory of idle terminals in the gateway's processes."""
    pids = range_.gateway_pids()
    before = memory_kib(pids)
    with typists(gateway, _IDLE):
        each = (memory_kib(pids) - before) / _IDLE
    return [
        Line(
            what=f"memory of each of {_IDLE} idle sessions", ours=each, baseline=before,
            unit="KiB", wanted="≤ 1024 KiB each", value=each / 1024, met=each <= 1024,
        )
    ]  # fmt: skip


def mass_login(range_: Range, gateway: Way) -> list[Line]:
    """Measure how long a whole class waits that logs in at once, beside the engine's own rate."""
    containers = [str(range_.container(number).id) for number in range(_TEAMS)]
    bare = min(start_all(containers, "trainee", count=_MASS, at_once=n) for n in (4, 8))
    with typists(gateway, _MASS, at_once=_MASS) as ours:
        pass
    return [
        Line(
            what=f"{_MASS} log in at once, until the last prompt", ours=ours.open_s, baseline=bare,
            unit="s", wanted="told only", value=ours.open_s / bare, met=True,
        )
    ]  # fmt: skip


def _in_turn(
    ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> tuple[float, float]:
    """Return the medians of both, measured in turn."""
    turns = [(ours(), theirs()) for _ in range(rounds)]
    return median(one for one, _ in turns), median(other for _, other in turns)


def main() -> None:
    """Measure everything, and print each figure beside its baseline."""
    parser = argparse.ArgumentParser(description="The gateway beside sshd: G-1, G-2.")
    parser.add_argument("--rounds", type=int, default=11, help="logins of each way, in turn")
    parser.add_argument("--mib", type=int, default=100, help="size of what is sent in bulk")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    wanted = parser.parse_args()
    with a_range(teams=_TEAMS, members=_MEMBERS) as range_:
        gateway, sshd = range_.gateway(), range_.sshd()
        lines: list[Line] = []
        for part in (
            partial(connecting, gateway, sshd, wanted.rounds),
            partial(bulk, gateway, sshd, wanted.mib),
            partial(typing, gateway, sshd),
            partial(idling, range_, gateway),
            partial(mass_login, range_, gateway),
        ):
            for line in part():
                print(line, flush=True)
                lines.append(line)
    if wanted.json:
        wanted.json.write_text(json.dumps([_plain(line) for line in lines], indent=2) + "\n")


def _plain(line: Line) -> dict[str, object]:
    return {name: getattr(line, name) for name in Line.__slots__}


if __name__ == "__main__":
    main()
