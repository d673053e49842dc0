"""Does a site grow while it works? One exercise after another, and the memory of each process.

The same three processes play whole exercises (launch, SSH, answers, checks, pause, removal) for so
many minutes, without faults. Memory is looked at after each exercise; the first few are left out,
because caches fill in them. Told is by how much each process grew an hour, as a straight line
through all looks.

Usage: ./dev bench soak [--minutes 120] [--json FILE]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import linear_regression

from tests.benchmarks.faulting.backing import Template
from tests.benchmarks.faulting.embedded import embedded_template
from tests.benchmarks.faulting.engines import SharedEngine
from tests.benchmarks.faulting.play import Play
from tests.benchmarks.faulting.seed import remove_everything
from tests.benchmarks.faulting.site import Site
from tests.benchmarks.faulting.wall_clock import WallClock
from tests.benchmarks.ways.usage import resident_mib

_WARM = 3
_HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """After how many seconds, and what each process holds in MiB."""

    seconds: float
    mib: dict[str, float]


def growth_an_hour(looks: Sequence[Look], process: str) -> float:
    """Return MiB an hour, by a straight line through the looks."""
    line = linear_regression([n.seconds for n in looks], [n.mib[process] for n in looks])
    return line.slope * _HOUR_S


def soak(folder: Path, minutes: float) -> list[Look]:
    """Play until the time is over; tell each exercise, and return the looks after the first few."""
    engine, template = SharedEngine(), embedded_template(folder)
    home, clock = folder / "home", WallClock(folder / "clock")
    home.mkdir()
    with template.lend(home) as backing:
        site = Site(home, engine.socket, backing, clock.environment())
        try:
            with site.running():
                return _exercises(site, template, folder, minutes)[_WARM:]
        finally:
            left = remove_everything(site, engine)
            assert not left, left


def _exercises(site: Site, template: Template, folder: Path, minutes: float) -> list[Look]:
    looks: list[Look] = []
    began = time.monotonic()
    while len(looks) < _WARM + 2 or looks[-1].seconds < minutes * 60:
        _play(site, template, folder / f"exercise-{len(looks)}")
        looks.append(_look(site, time.monotonic() - began))
        told = "  ".join(f"{name} {mib:.1f} MiB" for name, mib in looks[-1].mib.items())
        print(f"{looks[-1].seconds:7.0f} s  {told}", flush=True)
    return looks


def _play(site: Site, template: Template, folder: Path) -> None:
    folder.mkdir()
    play = Play(site.base_url, template.instructor, folder, lambda _: None)
    try:
        play.play()
        play.destroy()
    finally:
        play.close()


def _look(site: Site, seconds: float) -> Look:
    mib = {name: resident_mib(site.pid(name)) for name in site.processes}
    return Look(seconds=seconds, mib=mib)


def main() -> None:
    """Soak, and print the growth."""
    parser = argparse.ArgumentParser(description="Soak: does a site grow while it works?")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--json", type=Path, help="also write every look to this file")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="poligon-soak-") as folder:
        looks = soak(Path(folder), wanted.minutes)
    for name in looks[0].mib:
        first, last = looks[0].mib[name], looks[-1].mib[name]
        grown = growth_an_hour(looks, name)
        print(f"  {name:<8} {first:6.1f} → {last:6.1f} MiB   {grown:+.1f} MiB an hour")
    print(f"  over {len(looks)} exercises")
    if wanted.json:
        wanted.json.write_text(json.dumps([asdict(look) for look in looks], indent=1) + "\n")


if __name__ == "__main__":
    main()
