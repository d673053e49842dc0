"""S-3: 1,200 checks a minute, 40 % of whose targets never answer.

30 teams with 20 checks each, every 30 s, on worker processes as `poligon worker` makes them: a
sweep every 2 s, second looks every second, 128 places. One worker on SQLite, which is what
`serve --all` has, four on PostgreSQL. Targets are a stand-in for the engine that takes 50 ms to
answer, or the whole `timeout` of 5 s to say nothing. What the engine can do is not measured here.

A round is as long as it takes from a check's look to its next one. The baseline is the same without
targets that do not answer; there must be nothing down among the checks whose target does.
"""

import argparse
import multiprocessing
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from ipaddress import IPv4Network
from itertools import pairwise
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty

import docker
from sqlalchemy import select

from core.clock import SystemClock
from core.db import Database
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from core.queue import Ticker
from core.scenario.load import load
from core.users.service import Users
from core.waiting import pause
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.domain.world import Attachment, HostKey, HostPlan, NetworkPlan, WorldKey
from orchestrator.library import Library
from orchestrator.ports import RunResult
from orchestrator.repository import ExerciseRepository
from orchestrator.service import Exercises, TeamSpec
from scoring.look_pool import LookPool
from scoring.service import Scoring
from scoring.tables import CheckRunRow
from tests.benchmarks.scoring.line import Line
from tests.contracts.postgres import postgres_server
from tests.fakes.fake_engine import BASE_IMAGE, FakeEngine
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables

_TEAMS, _CHECKS, _SILENT = 30, 20, 8
_PLACES = 128
_EVERY, _TIMEOUT = 30, 5
_ANSWERS_IN = 0.05
_MOST_LONGER = 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What became of all rounds: seconds between looks, and verdicts of who answers and who not."""

    lengths: Sequence[float]
    answering: Sequence[str]
    silent: Sequence[str]


def measure(wanted: argparse.Namespace) -> Iterator[Line]:
    """Yield a line for each database."""
    with tempfile.TemporaryDirectory() as folder:
        for name, workers, url in _databases(Path(folder)):
            play = partial(_played, workers=workers, seconds=wanted.play)
            calm = play(url("calm"), Path(folder) / f"{name}-calm", 0)
            holed = play(url("holed"), Path(folder) / f"{name}-holed", _SILENT)
            ours, baseline = map(statistics.mean, (holed.lengths, calm.lengths))
            false = sum(verdict not in {"up", "missing"} for verdict in holed.answering)
            missing = sum(v == "missing" for v in (*holed.answering, *holed.silent))
            rounds = len(holed.answering) + len(holed.silent)
            yield Line(
                number="S-3",
                what=f"{rounds} rounds, {false} falsely down, {missing} missing, {name}",
                ours=ours,
                baseline=baseline,
                unit="s",
                wanted=f"≤ {_MOST_LONGER - 1:.0%} longer, 0 falsely down",
                met=ours <= baseline * _MOST_LONGER and not false and not _wrong(holed),
            )


def _wrong(seen: _Seen) -> bool:
    """Tell whether nobody was found down, or somebody up who is silent: then nothing is shown."""
    return "down" not in seen.silent or "up" in seen.silent


class _Addresses:
    """Gives an empty database for each play."""

    def __init__(self, base: str) -> None:
        self._base = base

    def __call__(self, play: str) -> str:
        return self._base.format(play=play)


def _databases(folder: Path) -> Iterator[tuple[str, int, _Addresses]]:
    yield "SQLite", 1, _Addresses(f"sqlite:///{folder}/{{play}}.db")
    with (
        postgres_server(docker.DockerClient.from_env()) as server,
        server.database() as calm,
        server.database() as holed,
    ):
        base = calm.rpartition("/")[0]
        names = {"calm": calm.rpartition("/")[2], "holed": holed.rpartition("/")[2]}

        class Two(_Addresses):
            def __call__(self, play: str) -> str:
                return f"{base}/{names[play]}"

        yield "PostgreSQL", 4, Two(base)


# One play


def _played(url: str, folder: Path, silent: int, *, workers: int, seconds: float) -> _Seen:
    context = multiprocessing.get_context("spawn")
    jobs: Queue[tuple[str, tuple[str, ...]]] = context.Queue()
    exercise = _launched(url, folder)
    working = [
        context.Process(target=_work, args=(url, str(folder), exercise, silent, jobs, seconds))
        for _ in range(workers)
    ]
    for worker in working:
        worker.start()
    for worker in working:
        worker.join()
        assert worker.exitcode == 0, f"a worker ended with {worker.exitcode}"
    return _read(url, silent)


def _launched(url: str, folder: Path) -> str:
    source = folder / "checked"
    source.mkdir(parents=True)
    (source / "scenario.yaml").write_text(_scenario())
    with _site(url, folder, RecordingQueue()) as (database, exercises):
        create_tables(database)
        specs = [TeamSpec(name=f"team {number}") for number in range(1, _TEAMS + 1)]
        exercise = exercises.launch(load(source), teams=specs, by=None)
        with database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            repository.move(exercise.id, before=Phase.PROVISIONING, after=Phase.READY)
            for team in exercise.teams:
                repository.hold_subnets(team.id, {"office": _subnet(team.number)})
                repository.move_world(
                    team.id,
                    before=tuple(WorldPhase),
                    after=WorldPhase.READY,
                    at=SystemClock().now(),
                    problem=None,
                )
        exercises.start(exercise.id)
    return exercise.id


def _scenario() -> str:
    checks = "\n".join(
        f"  c{n}: {{host: desk, run: [see, '{n}'], every: {_EVERY}s, timeout: {_TIMEOUT}s}}"
        for n in range(_CHECKS)
    )
    tasks = "\n".join(
        f"  t{n}: {{title: Keep {n}, availability: c{n}, points: 5}}" for n in range(_CHECKS)
    )
    return f"""\
language: 1
scenario: {{id: checked, version: 1.0.0, title: Checked, kind: incident-response, duration: 8h}}
roles: {{keeper: {{title: Keeper}}}}
networks: {{office: {{size: /28}}}}
hosts: {{desk: {{image: debian:bookworm-slim, networks: {{office: {{}}}}}}}}
checks:
{checks}
tasks:
{tasks}
"""


@contextmanager
def _site(
    url: str, folder: Path, queue: "RecordingQueue | _SharedQueue"
) -> Iterator[tuple[Database, Exercises]]:
    clock, database = SystemClock(), Database(url, queue=queue)
    library = Library(database, clock, folder / "library")
    yield database, Exercises(database, clock, Users(database, clock), library)
    database.close()


# A worker


class _SharedQueue:
    """A queue between processes, in the place of a broker."""

    def __init__(self, jobs: "Queue[tuple[str, tuple[str, ...]]]") -> None:
        self._jobs = jobs

    def send(self, job: Job) -> None:
        self._jobs.put((job.name, job.arguments))


class _Targets(FakeEngine):
    """Hosts whose first `silent` checks never answer; as many looks at once as come."""

    def __init__(self, silent: int) -> None:
        super().__init__()
        self._silent = silent

    def run(
        self, host: HostKey, command: Sequence[str], *, timeout: timedelta, account: str = "root"
    ) -> RunResult:
        del host, account
        silent = int(command[1]) < self._silent
        time.sleep(timeout.total_seconds() if silent else _ANSWERS_IN)
        return RunResult(exit_code=124 if silent else 0, output="")


def _work(
    url: str,
    folder: str,
    exercise: str,
    silent: int,
    jobs: "Queue[tuple[str, tuple[str, ...]]]",
    seconds: float,
) -> None:
    with _site(url, Path(folder), _SharedQueue(jobs)) as (database, exercises):
        engine = _Targets(silent)
        for team in exercises.get(exercise).teams:
            _stand(engine, WorldKey(exercise=ExerciseId(exercise), team=team.slug), team.number)
        scoring = Scoring(database, SystemClock(), exercises, engine, reuse=timedelta(seconds=1))
        looks = LookPool(_PLACES)
        tickers = (
            Ticker((scoring.sweep,), every=timedelta(seconds=2)),
            Ticker((partial(scoring.confirm, looks.start),), every=timedelta(seconds=1)),
        )
        over = threading.Event()
        taking = [threading.Thread(target=_take, args=(jobs, scoring, looks, over)) for _ in "8888"]
        for ticker in tickers:
            ticker.start()
        for thread in taking:
            thread.start()
        pause(seconds, interrupted_by=over)
        over.set()
        for ticker in tickers:
            ticker.stop()
        for thread in taking:
            thread.join()
        looks.close()
        jobs.cancel_join_thread()


def _take(
    jobs: "Queue[tuple[str, tuple[str, ...]]]",
    scoring: Scoring,
    looks: LookPool,
    over: threading.Event,
) -> None:
    while not over.is_set():
        try:
            _, (exercise, team, check, number) = jobs.get(timeout=0.2)
        except Empty:
            continue
        ids = ExerciseId(exercise), TeamId(team), check, int(number)
        looks.start(partial(scoring.run_check, *ids))


def _stand(engine: FakeEngine, world: WorldKey, number: int) -> None:
    subnet = _subnet(number)
    engine.raise_network(world, NetworkPlan(network="office", subnet=subnet))
    place = Attachment(network="office", address=subnet[2])
    engine.raise_host(world, HostPlan(host="desk", image=BASE_IMAGE, attachments=(place,)))


def _subnet(number: int) -> IPv4Network:
    return IPv4Network(f"10.9.{number}.0/28")


# What came of it


def _read(url: str, silent: int) -> _Seen:
    database = Database(url, queue=RecordingQueue())
    row = CheckRunRow
    query = select(row.team_id, row.check, row.verdict, row.started_at)
    looked: dict[tuple[str, str], list[datetime]] = {}
    answering: list[str] = []
    unanswered: list[str] = []
    with database.reading() as session:
        for team, check, verdict, at in session.execute(query.order_by(row.round)):
            is_silent = int(check[1:]) < silent
            (unanswered if is_silent else answering).append(verdict)
            if not is_silent and verdict != "missing":
                looked.setdefault((team, check), []).append(at)
    database.close()
    lengths = [
        (later - earlier).total_seconds()
        for times in looked.values()
        for earlier, later in pairwise(times)
    ]
    return _Seen(lengths=lengths, answering=answering, silent=unanswered)
