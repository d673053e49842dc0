"""S-1 to S-4, and growth: what scoring takes, each beside a baseline of only the unavoidable.

Each number is a file of this folder with a function `measure` that yields lines.

Usage: ./dev bench scoring [--only S-4] [--facts 1000000] [--seconds 20] [--play 100] [--teams 1000]
    [--processes 2] [--json FILE]
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.benchmarks.scoring import answering, boards, checks, growth, replaying
from tests.benchmarks.scoring.line import Line

NUMBERS: Mapping[str, Callable[[argparse.Namespace], Iterator[Line]]] = {
    "S-1": answering.measure,
    "S-2": boards.measure,
    "S-3": checks.measure,
    "S-4": replaying.measure,
    "growth": growth.measure,
}


def main() -> None:
    """Measure the numbers asked for, and print each beside its baseline."""
    parser = argparse.ArgumentParser(description="Scoring: S-1 to S-4, and how it grows.")
    parser.add_argument("--only", choices=sorted(NUMBERS), help="one number instead of all")
    parser.add_argument("--facts", type=int, default=1_000_000, help="S-4: facts to replay")
    parser.add_argument("--seconds", type=float, default=20, help="S-1, S-2: how long each runs")
    parser.add_argument("--teams", type=int, default=1000, help="S-2: teams on the board")
    parser.add_argument(
        "--processes", type=int, default=2, help="S-1, S-2: how many serve beside PostgreSQL"
    )
    parser.add_argument("--play", type=float, default=100, help="S-3: seconds of each play")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    wanted = parser.parse_args()
    lines: list[Line] = []
    for number, measure in NUMBERS.items():
        if wanted.only in {None, number}:
            for line in measure(wanted):
                print(line, flush=True)
                lines.append(line)
    if wanted.json:
        wanted.json.write_text(json.dumps([line.data() for line in lines], indent=2) + "\n")


if __name__ == "__main__":
    main()
