"""Does an exercise survive everything? A full one a seed, under that seed's schedule of faults.

Each seed has a home and an installation of its own; API, worker and gateway run as processes and
are started again when they die, as a supervisor does. Meanwhile processes are killed, messages
lost and doubled, the database locked, disks filled, the wall clock set, and the engine cut off,
killed or reset. Afterwards the exercise is closed, nothing of it stands, nothing stood twice at any
look, and what people were told, the facts, the ledger and the board say the same.

With `--engine private` (the default for root) the engine is a `dockerd` of our own. With `detour`
it is this machine's, which is put out of reach at most. Kinds that this machine does not allow are
left out and named. The same seed gives the same schedule, timing aside.

Usage: ./dev bench faults [--seeds 20] [--first 1] [--engine private|detour] [--json FILE]
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from tests.benchmarks.faulting.engines import Engine, SharedEngine, private_engine
from tests.benchmarks.faulting.report import as_json, line, table
from tests.benchmarks.faulting.seed import Outcome, make_template, run_seed
from tests.benchmarks.faulting.small_disk import may_mount


@contextmanager
def engine_for(which: str, folder: Path) -> Iterator[Engine]:
    """Lend the engine that was asked for."""
    if which == "private":
        (folder / "engine").mkdir()
        with private_engine(folder / "engine") as engine:
            yield engine
    else:
        yield SharedEngine()


def run(seeds: range, which: str, file: Path | None, outcomes: list[Outcome]) -> None:
    """Run the seeds one after another, telling each and adding it to `outcomes`.

    What is known so far is always in `file`.
    """
    with tempfile.TemporaryDirectory(prefix="poligon-faults-") as temporary:
        folder = Path(temporary)
        template = make_template(folder)
        with engine_for(which, folder) as engine:
            for seed in seeds:
                place = folder / f"seed-{seed}"
                place.mkdir()
                outcomes.append(run_seed(seed, place, engine, template))
                shutil.rmtree(place)
                print(line(outcomes[-1]), flush=True)
                if file is not None:
                    file.write_text(json.dumps(as_json(outcomes), indent=1) + "\n")


def main() -> None:
    """Run, print the table, and exit with 1 when a seed failed."""
    parser = argparse.ArgumentParser(description="Faults: does an exercise survive everything?")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--engine", choices=["private", "detour"], default=_default_engine())
    parser.add_argument("--json", type=Path, help="also write every seed to this file")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupted)
    seeds = range(wanted.first, wanted.first + wanted.seeds)
    outcomes: list[Outcome] = []
    try:
        run(seeds, wanted.engine, wanted.json, outcomes)
    except KeyboardInterrupt:
        sys.exit("interrupted; everything is cleaned up")
    finally:
        print(table(outcomes))
    sys.exit(any(outcome.wrong for outcome in outcomes))


def _default_engine() -> str:
    return "private" if may_mount() and shutil.which("dockerd") else "detour"


def _interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt  # so that everything is cleaned up


if __name__ == "__main__":
    main()
