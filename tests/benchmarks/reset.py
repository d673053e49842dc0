"""P5: how long it takes until a host is as at the start, beside bare remove, create and start.

The product runs as it does for a user, API and worker as processes; the clock runs from the request
over HTTP to the moment that the world is noted as ready again. The bare calls replay what the
engine tells of the product's own container, and ask nothing in it. The two take turns, and the
product's processes stand still meanwhile.

Usage: ./dev bench reset [--rounds 10] [--json FILE]
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

from tests.benchmarks.ways.bare import Blueprint, Body, EngineApi, create_and_start
from tests.benchmarks.ways.product import Product
from tests.ports import free_port

_LIMIT = 1.5
_HOST = "one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Seconds of one turn each."""

    product: float
    bare: float


def measure(rounds: int) -> list[Turn]:
    """Let both take turns on one host of one team."""
    api = EngineApi()
    with tempfile.TemporaryDirectory(prefix="poligon-bench-") as folder:
        product = Product(Path(folder), installation=f"bench-{uuid4().hex[:6]}", port=free_port())
        with product.running():
            exercise, _ = product.launch(1)
            bodies = Blueprint.of(api, product.owner).containers
            body = next(b for b in bodies if b["Labels"]["cyberpoligon.host"] == _HOST)
            turns = [_turn(product, exercise, api, body) for _ in range(rounds)]
            product.destroy(exercise)
    return turns


def _turn(product: Product, exercise: str, api: EngineApi, body: Body) -> Turn:
    by_product = product.reset(exercise, team="team-1", host=_HOST)
    with product.frozen():
        began = time.perf_counter()
        api.call("DELETE", f"/containers/{body['Name']}?force=1&v=1")
        create_and_start(api, dict(body))
        return Turn(product=by_product, bare=time.perf_counter() - began)


def main() -> None:
    """Measure, and print the ratio."""
    parser = argparse.ArgumentParser(description="Reset of one host: P5.")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    wanted = parser.parse_args()
    turns = measure(wanted.rounds)
    for way in ("product", "bare"):
        seconds = [getattr(turn, way) for turn in turns]
        print(f"  {way:<8} {median(seconds):.3f} s ({min(seconds):.3f}-{max(seconds):.3f})")
    ratio = median(t.product for t in turns) / median(t.bare for t in turns)
    verdict = "met" if ratio <= _LIMIT else "MISSED"
    print(f"  P5 reset / bare remove, create, start: {ratio:.2f}   wanted ≤ {_LIMIT}: {verdict}")
    if wanted.json:
        wanted.json.write_text(json.dumps([asdict(t) for t in turns], indent=2) + "\n")


if __name__ == "__main__":
    main()
