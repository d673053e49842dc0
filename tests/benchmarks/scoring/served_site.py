"""A site as `poligon serve` runs it, with an exercise under way, for numbers over HTTP."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import docker
import httpx
from sqlalchemy import insert

from core.clock import SystemClock
from core.db import Database
from core.ids import TeamId
from core.migration import upgrade
from core.scenario.load import load
from core.security import new_token, token_digest
from core.users.service import Users
from core.users.tables import TokenRow
from core.waiting import until
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.library import Library
from orchestrator.repository import ExerciseRepository
from orchestrator.service import Exercises, TeamSpec
from scoring.domain.chain import GENESIS
from scoring.domain.ledger import MILLI, Cause, Fact, solved
from scoring.ledger import link_values
from scoring.proving import Proving
from scoring.tables import ScoreEntryRow
from tests.benchmarks.ways.usage import children_of
from tests.connections import listeners
from tests.contracts.postgres import postgres_server
from tests.fakes.queue import RecordingQueue
from tests.ports import free_port

_ROOT = Path(__file__).parents[3]
_HEAD = """\
language: 1
scenario: {id: answered, version: 1.0.0, title: Answered, kind: investigation, duration: 24h}
competencies: {ASK: {title: Ask}}
roles: {analyst: {title: Analyst}}
networks: {office: {size: /28}}
hosts: {desk: {image: debian:bookworm-slim, networks: {office: {}}}}
objectives: {ask: {competency: ASK, pass: 50%}}
tasks:
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedSite:
    """Where and by which processes it is served, its database, and a token of each team."""

    port: int
    pids: Sequence[int]
    database: Database
    exercise: Exercise
    tokens: Mapping[TeamId, str]


def databases() -> Iterator[tuple[str, str]]:
    """Give each kind of database: its name, and an address of an empty one."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", f"sqlite:///{folder}/poligon.db"
    with postgres_server(docker.DockerClient.from_env()) as server, server.database() as url:
        yield "PostgreSQL", server.near(url)


def processes_beside(database: str, wanted: int) -> int:
    """Return how many processes serve; with SQLite, which has one writer, others add nothing."""
    return 1 if database == "SQLite" else wanted


@contextmanager
def served_site(
    url: str, folder: Path, *, teams: int, tasks: int, processes: int = 1
) -> Iterator[ServedSite]:
    """Lend an exercise that runs; the answer to task `ask_N` is `this N`."""
    upgrade(url)
    clock = SystemClock()
    database = Database(url, queue=RecordingQueue())
    users = Users(database, clock)
    exercises = Exercises(database, clock, users, Library(database, clock, folder / "scenarios"))
    exercise = under_way(exercises, database, folder, teams=teams, tasks=tasks)
    tokens = _tokens(database, exercise)
    try:
        with _served(url, folder, processes) as (port, pids):
            yield ServedSite(
                port=port, pids=pids, database=database, exercise=exercise, tokens=tokens
            )
    finally:
        database.close()


def book_solves(site: ServedSite, *, tasks: int) -> None:
    """Have every team solve so many tasks: in bulk, and then their standings."""
    clock = SystemClock()
    begun = site.exercise.clock[0].at
    with site.database.engine.begin() as connection:
        for number, team in enumerate(site.exercise.teams):
            former, rows = GENESIS, []
            for task in range(tasks):
                at = begun + timedelta(milliseconds=number + 1000 * task)
                fact = Fact(Cause.SUBMISSION, f"{number:05}{task:07}", at)
                entry = solved(team.id, f"ask_{task}", milli_points=10 * MILLI, fact=fact)
                row = link_values(
                    site.exercise.id,
                    entry,
                    position=task + 1,
                    prev_hash=former,
                    reverses=None,
                    recorded_at=at,
                )
                former = row["hash"]
                rows.append(row)
            connection.execute(insert(ScoreEntryRow), rows)
    database = site.database
    with tempfile.TemporaryDirectory() as folder:
        library = Library(database, clock, Path(folder))
        exercises = Exercises(database, clock, Users(database, clock), library)
        Proving(database, clock, exercises, every=timedelta(days=1)).rebuild(site.exercise)


def under_way(
    exercises: Exercises, database: Database, folder: Path, *, teams: int, tasks: int
) -> Exercise:
    source = folder / "answered"
    source.mkdir(parents=True)
    lines = [
        f"  ask_{n}: {{ask: Which?, answer: this {n}, points: 10, objective: ask}}"
        for n in range(tasks)
    ]
    (source / "scenario.yaml").write_text(_HEAD + "\n".join(lines) + "\n")
    specs = [TeamSpec(name=f"team {number}") for number in range(1, teams + 1)]
    exercise = exercises.launch(load(source), teams=specs, by=None)
    with database.transaction() as transaction:
        repository = ExerciseRepository(transaction.session)
        for team in exercise.teams:
            repository.move_world(
                team.id, before=tuple(WorldPhase), after=WorldPhase.READY, at=exercise.created_at
            )
        repository.move(exercise.id, before=Phase.PROVISIONING, after=Phase.READY)
    return exercises.start(exercise.id)


def _tokens(database: Database, exercise: Exercise) -> Mapping[TeamId, str]:
    tokens = {team.id: new_token() for team in exercise.teams}
    now = SystemClock().now()
    rows = [
        {
            "digest": token_digest(tokens[team.id]),
            "user_id": team.members[0].user,
            "created_at": now,
            "expires_at": now + timedelta(hours=12),
        }
        for team in exercise.teams
    ]
    with database.engine.begin() as connection:
        connection.execute(insert(TokenRow), rows)
    return tokens


@contextmanager
def _served(url: str, folder: Path, processes: int) -> Iterator[tuple[int, Sequence[int]]]:
    port = free_port()
    environment = os.environ | {
        "POLIGON_HOME": str(folder / "home"),
        "POLIGON_DATABASE_URL": url,
        "POLIGON_HTTP_PORT": str(port),
        "POLIGON_API_PROCESSES": str(processes),
        "POLIGON_LOG_JSON": "true",
        # One member of each team sends all that it sends.
        "POLIGON_ANSWERS_PER_PERSON": "1000000",
        "POLIGON_ANSWERS_PER_TEAM": "1000000",
    }
    command = [sys.executable, "-m", "api.cli.main", "serve"]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=log, stderr=log)
        try:
            until(
                lambda: listeners(port) == processes and _answers(port),
                what="the service to answer",
                within=timedelta(seconds=120),
                every=timedelta(milliseconds=200),
            )
            yield port, [process.pid, *children_of(process.pid)]
        finally:
            process.terminate()
            process.wait(timeout=60)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
