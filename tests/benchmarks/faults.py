"""Does an exercise survive everything? A full one a seed, under that seed's schedule of faults.

Each seed has a home and an installation of its own; API, workers and gateway run as processes and
are started again when they die, as a supervisor does. Meanwhile processes are killed, messages
lost and doubled, the database locked, disks filled, the wall clock set, the engine cut off, killed
or reset, and PostgreSQL and Redis killed where a site has them. Afterwards the exercise is closed,
nothing of it stands, nothing stood twice at any look, and what people were told, the facts, the
ledger and the board say the same.

With `--engine private` (the default for root) the engine is a `dockerd` of our own. With `detour`
it is this machine's, which is put out of reach at most. Kinds that this machine does not allow are
left out and named. The same seed gives the same schedule, timing aside.

With `--site embedded` (the default) a site has SQLite, the embedded queue and one worker, with
`servers` PostgreSQL, Redis and two workers; `--workers` sets another number.

Usage: ./dev bench faults [--seeds 20] [--first 1] [--site embedded|servers] [--workers N]
       [--engine private|detour] [--json FILE]
"""

import argparse
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NoReturn

import docker

from core.settings import read_settings
from tests.benchmarks.faulting.backing import Template
from tests.benchmarks.faulting.embedded import embedded_template
from tests.benchmarks.faulting.engines import Engine, SharedEngine, private_engine
from tests.benchmarks.faulting.report import as_json, line, table
from tests.benchmarks.faulting.seed import Outcome, run_seed
from tests.benchmarks.faulting.servers import servers_template
from tests.benchmarks.faulting.small_disk import may_mount

_WORKERS = {"embedded": 1, "servers": 2}


@contextmanager
def engine_for(which: str, folder: Path) -> Iterator[Engine]:
    """Lend the engine that was asked for."""
    if which == "private":
        (folder / "engine").mkdir()
        with private_engine(folder / "engine") as engine:
            yield engine
    else:
        yield SharedEngine()


@contextmanager
def template_for(which: str, folder: Path) -> Iterator[Template]:
    """Lend what the sites that were asked for begin with; servers run until the block ends."""
    if which == "servers":
        with (
            closing(docker.DockerClient(read_settings().docker_host)) as client,
            servers_template(client) as template,
        ):
            yield template
    else:
        yield embedded_template(folder)


def run(wanted: argparse.Namespace, outcomes: list[Outcome]) -> None:
    """Run the seeds one after another, telling each and adding it to `outcomes`.

    What is known so far is always in the file that was asked for.
    """
    workers = wanted.workers or _WORKERS[wanted.site]
    with ExitStack() as undo:
        folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="poligon-faults-")))
        template = undo.enter_context(template_for(wanted.site, folder))
        engine = undo.enter_context(engine_for(wanted.engine, folder))
        for seed in range(wanted.first, wanted.first + wanted.seeds):
            place = folder / f"seed-{seed}"
            place.mkdir()
            outcomes.append(run_seed(seed, place, engine, template, workers=workers))
            shutil.rmtree(place)
            print(line(outcomes[-1]), flush=True)
            if wanted.json is not None:
                wanted.json.write_text(json.dumps(as_json(outcomes), indent=1) + "\n")


def main() -> None:
    """Run, print the table, and exit with 1 when a seed failed."""
    parser = argparse.ArgumentParser(description="Faults: does an exercise survive everything?")
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--site", choices=sorted(_WORKERS), default="embedded")
    parser.add_argument("--workers", type=int, help="how many")
    parser.add_argument("--engine", choices=["private", "detour"], default=_default_engine())
    parser.add_argument("--json", type=Path, help="also write every seed to this file")
    wanted = parser.parse_args()
    signal.signal(signal.SIGTERM, _interrupted)
    outcomes: list[Outcome] = []
    try:
        run(wanted, outcomes)
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
