"""How long worlds take: the product beside bare Engine API calls and beside compose.

P1: raising takes at most 1.15 times as long as the bare calls. P2: at most 0.6 times as long as
compose, team after team. P4: removal at most 1.15 times as long as the bare calls, nothing left.
Only the product asks each host whether it is ready; what that alone costs is measured beside it.
All three ways make the same containers and networks: the other two replay what the engine tells of
the product's own. They take turns, so that a slow moment of the machine harms all alike.

Usage: ./dev bench provisioning [--sizes 5,20] [--rounds 3] [--json FILE]
"""

import argparse
import json
import os
import platform
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from tests.benchmarks.ways.bare import Blueprint, EngineApi, ask_bare, raise_bare, remove_bare
from tests.benchmarks.ways.compose import ComposeTeams, differences
from tests.benchmarks.ways.product import HOSTS, READY, Product
from tests.ports import free_port

_CONCURRENCIES = (1, 2, 4, 8)
_PER_TEAM = "cyberpoligon.team"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Seconds of one turn each."""

    product_up: float
    product_down: float
    left_over: int
    bare_up: float
    bare_ask: float
    bare_down: float
    compose_up: float
    compose_down: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The bare calls' seconds by concurrency, and which of them were best."""

    up: dict[int, float]
    down: dict[int, float]

    @property
    def best_up(self) -> int:
        return min(self.up, key=lambda calls: self.up[calls])

    @property
    def best_down(self) -> int:
        return min(self.down, key=lambda calls: self.down[calls])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A quotient of medians, and the smallest and largest of single rounds."""

    target: str
    limit: float
    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        verdict = "met" if self.median <= self.limit else "MISSED"
        return (
            f"{self.target:<42} {self.median:.2f} ({self.lowest:.2f}-{self.highest:.2f})"
            f"   wanted ≤ {self.limit:.2f}: {verdict}"
        )


class Bench:
    """One run, with labels of its own on everything that it makes."""

    def __init__(self, folder: Path, tag: str) -> None:
        self._folder = folder
        self._tag = tag
        self._label = f"cyberpoligon-bench={tag}"
        self._api = EngineApi()
        self.product = Product(folder, installation=f"bench-{tag}", port=free_port())

    def machine(self) -> dict[str, object]:
        """Return what the figures depend on."""
        engine = self._api.call("GET", "/info")
        return {
            "cpus": os.cpu_count(),
            "kernel": platform.release(),
            "engine": engine["ServerVersion"],
            "runtime": engine["DefaultRuntime"],
            "storage": engine["Driver"],
            "python": platform.python_version(),
            "load": round(os.getloadavg()[0], 2),
        }

    def blueprint(self, teams: int) -> Blueprint:
        """Let the product raise `teams` once, and read back what stands."""
        exercise, _ = self.product.launch(teams)
        try:
            return Blueprint.of(self._api, self.product.owner).relabelled(
                self._label, per_team=_PER_TEAM
            )
        finally:
            self.product.destroy(exercise)

    def floor(self, blueprint: Blueprint) -> Floor:
        """Measure the bare calls at every concurrency."""
        times = {calls: self._bare(blueprint, calls, calls) for calls in _CONCURRENCIES}
        return Floor(
            up={calls: up for calls, (up, _, _) in times.items()},
            down={calls: down for calls, (_, _, down) in times.items()},
        )

    def round(self, teams: int, blueprint: Blueprint, floor: Floor) -> Round:
        """Let each way have its turn."""
        exercise, product_up = self.product.launch(teams)
        product_down = self.product.destroy(exercise)
        left_over = self.product.left_over(self._api)
        with self.product.frozen():
            bare_up, bare_ask, bare_down = self._bare(blueprint, floor.best_up, floor.best_down)
            compose_up, compose_down = self._compose(blueprint)
        return Round(
            product_up=product_up,
            product_down=product_down,
            left_over=left_over,
            bare_up=bare_up,
            bare_ask=bare_ask,
            bare_down=bare_down,
            compose_up=compose_up,
            compose_down=compose_down,
        )

    def _bare(
        self, blueprint: Blueprint, up_calls: int, down_calls: int
    ) -> tuple[float, float, float]:
        try:
            up = raise_bare(self._api, blueprint, concurrency=up_calls)
            ask = ask_bare(self._api, self._label, READY, concurrency=up_calls)
        finally:
            down = remove_bare(self._api, self._label, concurrency=down_calls)
        return up, ask, down

    def _compose(self, blueprint: Blueprint) -> tuple[float, float]:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        projects = ComposeTeams(folder, blueprint, prefix=f"bench-{self._tag}", per_team=_PER_TEAM)
        try:
            up = projects.up()
            apart = differences(blueprint, Blueprint.of(self._api, self._label))
            assert not apart, f"compose made other containers: {apart}"
        finally:
            down = projects.down()
        return up, down


def ratios(rounds: Sequence[Round]) -> list[Ratio]:
    """Return P1, P2 and P4 over the rounds."""

    def over(target: str, limit: float, ours: str, theirs: str) -> Ratio:
        above = [float(getattr(r, ours)) for r in rounds]
        below = [float(getattr(r, theirs)) for r in rounds]
        single = [a / b for a, b in zip(above, below, strict=True)]
        return Ratio(
            target=target,
            limit=limit,
            median=median(above) / median(below),
            lowest=min(single),
            highest=max(single),
        )

    return [
        over("P1 raise to ready / bare calls", 1.15, "product_up", "bare_up"),
        over("P2 raise to ready / compose, one by one", 0.6, "product_up", "compose_up"),
        over("P4 removal / bare calls", 1.15, "product_down", "bare_down"),
    ]


def measure(bench: Bench, teams: int, count: int) -> dict[str, object]:
    """Measure one size, tell it on stdout, and return it."""
    blueprint = bench.blueprint(teams)
    assert len(blueprint.containers) == teams * HOSTS, "the blueprint is not complete"
    with bench.product.frozen():
        floor = bench.floor(blueprint)
    rounds = [bench.round(teams, blueprint, floor) for _ in range(count)]
    found = ratios(rounds)
    left_over = sum(r.left_over for r in rounds)
    _tell(teams, floor, rounds, found, left_over)
    return {
        "teams": teams,
        "hosts_per_team": HOSTS,
        "floor": asdict(floor),
        "rounds": [asdict(r) for r in rounds],
        "ratios": [asdict(r) for r in found],
        "left_over": left_over,
    }


def _tell(
    teams: int,
    floor: Floor,
    rounds: Sequence[Round],
    found: Sequence[Ratio],
    left_over: int,
) -> None:
    def seconds(name: str) -> str:
        values = [float(getattr(r, name)) for r in rounds]
        return f"{median(values):7.2f} ({min(values):.2f}-{max(values):.2f})"

    print(f"\n{teams} teams × {HOSTS} hosts, 2 networks a team; seconds: median (min-max)")
    print(f"  {'':<10} {'raise':<24} remove")
    for way in ("product", "bare", "compose"):
        print(f"  {way:<10} {seconds(f'{way}_up'):<24} {seconds(f'{way}_down')}")
    print(
        f"  bare calls that ask each host once whether it is ready: {seconds('bare_ask').strip()}"
    )
    at = f"raise with {floor.best_up} calls at once, remove with {floor.best_down}"
    print(f"  bare calls at their best: {at}")
    for ratio in found:
        print(f"  {ratio}")
    print(f"  P4 left over: {left_over}   wanted 0: {'met' if left_over == 0 else 'MISSED'}")


def main() -> None:
    """Measure, print the ratios, and write them as JSON when asked to."""
    parser = argparse.ArgumentParser(description="Provisioning: P1, P2 and P4.")
    parser.add_argument("--sizes", default="5,20", help="numbers of teams, such as 5,20")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each way")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="poligon-bench-") as folder:
        bench = Bench(Path(folder), uuid4().hex[:6])
        machine = bench.machine()
        print(" ".join(f"{key}={value}" for key, value in machine.items()))
        with bench.product.running():
            sizes = [measure(bench, int(n), wanted.rounds) for n in wanted.sizes.split(",")]
    if wanted.json:
        wanted.json.write_text(json.dumps({"machine": machine, "sizes": sizes}, indent=2) + "\n")


if __name__ == "__main__":
    main()
