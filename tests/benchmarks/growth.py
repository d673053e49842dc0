"""How provisioning grows with the number of teams: time, the engine's work, and ours.

For each size the product raises and removes so many teams of 4 hosts once; then the same containers
and networks are made by bare Engine API calls. A column that grows faster than the teams shows.
The engine's processor time is that of dockerd and its containerd, without the containers' shims.

Usage: ./dev bench growth [--sizes 5,20,50] [--json FILE]
"""

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from tests.benchmarks.ways.bare import Blueprint, EngineApi, raise_bare, remove_bare
from tests.benchmarks.ways.product import HOSTS, Product
from tests.benchmarks.ways.usage import cpu_seconds, engine_pids, peak_mib
from tests.ports import free_port

_PER_TEAM = "cyberpoligon.team"
_AT_ONCE = 4  # what bare calls are fastest with


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One size. Times in seconds, processor times while raising; memory at its peak so far."""

    teams: int
    up: float
    down: float
    bare_up: float
    bare_down: float
    engine_cpu: float
    our_cpu: float
    our_peak_mib: float

    def __str__(self) -> str:
        return (
            f"{self.teams:>3} × {HOSTS} {self.up:8.2f} {self.bare_up:8.2f} {self.down:8.2f}"
            f" {self.bare_down:8.2f} {self.engine_cpu:10.2f} {self.our_cpu:8.2f}"
            f" {self.our_peak_mib:9.0f}"
        )


_HEAD = "teams     raise     bare   remove     bare engine CPU  our CPU  peak MiB"


def measure(product: Product, api: EngineApi, teams: int) -> Row:
    """Measure one size."""
    ours, engine = product.pids(), engine_pids()
    our_cpu, engine_cpu = cpu_seconds(ours), cpu_seconds(engine)
    exercise, up = product.launch(teams)
    our_cpu, engine_cpu = cpu_seconds(ours) - our_cpu, cpu_seconds(engine) - engine_cpu
    label = f"cyberpoligon-bench={uuid4().hex[:8]}"
    try:
        blueprint = Blueprint.of(api, product.owner).relabelled(label, per_team=_PER_TEAM)
    finally:
        down = product.destroy(exercise)
    assert product.left_over(api) == 0, "something was left over"
    with product.frozen():
        bare_up, bare_down = _bare(api, blueprint, label)
    return Row(
        teams=teams,
        up=up,
        down=down,
        bare_up=bare_up,
        bare_down=bare_down,
        engine_cpu=engine_cpu,
        our_cpu=our_cpu,
        our_peak_mib=peak_mib(ours),
    )


def _bare(api: EngineApi, blueprint: Blueprint, label: str) -> tuple[float, float]:
    try:
        up = raise_bare(api, blueprint, concurrency=_AT_ONCE)
    finally:
        down = remove_bare(api, label, concurrency=_AT_ONCE)
    return up, down


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="Provisioning against the number of teams.")
    parser.add_argument("--sizes", default="5,20,50", help="numbers of teams, such as 5,20,50")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    wanted = parser.parse_args()
    api, rows = EngineApi(), list[Row]()
    with tempfile.TemporaryDirectory(prefix="poligon-bench-") as folder:
        tag = f"bench-{uuid4().hex[:6]}"
        product = Product(Path(folder), installation=tag, port=free_port())
        with product.running():
            print(_HEAD)
            for teams in wanted.sizes.split(","):
                rows.append(measure(product, api, int(teams)))
                print(rows[-1], flush=True)
    if wanted.json:
        wanted.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
