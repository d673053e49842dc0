"""S-4: the replay of a million facts within 10 s, with the same hash on SQLite and PostgreSQL.

200 teams: ten services each that are looked at round after round, of which two fail now and then;
answers, a tenth of them right, and hints. The facts are written in bulk, and so is the ledger that
follows from them: booking it live is S-1 and S-3. Measured is all of `poligon score replay` but the
start of the process: reading facts and entries, deriving, comparing, hashing.

The baseline reads the same rows of facts and entries and does nothing with them.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import docker
from sqlalchemy import insert, select

from core.clock import SystemClock
from core.db import Database
from core.ids import ExerciseId
from core.scenario.load import load
from core.users.service import Users
from orchestrator.library import Library
from orchestrator.service import Exercises, TeamSpec
from scoring.domain.chain import GENESIS
from scoring.domain.ledger import Cause, Entry, Fact
from scoring.domain.replay import replay
from scoring.domain.rules import Rules
from scoring.facts import fact_values
from scoring.ledger import link_values
from scoring.replaying import Replay, Replaying
from scoring.tables import FactRow, ScoreEntryRow
from tests.benchmarks.scoring.line import Line
from tests.contracts.postgres import postgres_server
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables

_WITHIN_S = 10.0
_TEAMS = 200
_SERVICES = 10
_START = datetime(2026, 11, 23, 9, tzinfo=UTC)
_HEAD = """
language: 1
scenario: {id: replayed, version: 1.0.0, title: Replayed, kind: attack-defence, duration: 8h}
competencies: {RUN: {title: Run services}}
roles: {keeper: {title: Keeper}}
networks: {office: {size: /28}}
hosts: {desk: {image: debian:bookworm-slim, networks: {office: {}}}}
objectives: {run: {competency: RUN, pass: 50%}}
"""


def measure(wanted: argparse.Namespace) -> Iterator[Line]:
    """Yield a line for each database; the hashes are equal or this fails."""
    hashes = set()
    with tempfile.TemporaryDirectory() as folder:
        for name, url in _databases(Path(folder)):
            with _exercise(url, Path(folder) / name, wanted.facts) as (database, exercises, id_):
                took, found = _timed(database, exercises, id_)
                bare = _bare(database)
            assert found.holds
            hashes |= {found.ledger_hash, found.replay_hash}
            entries = sum(team.ledger.entries for team in found.teams)
            yield Line(
                number="S-4",
                what=f"{wanted.facts} facts, {entries} entries, {name}",
                ours=took,
                baseline=bare,
                unit="s",
                wanted=f"≤ {_WITHIN_S:.0f} s",
                met=took <= _WITHIN_S,
            )
    assert len(hashes) == 1, hashes


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{folder / 'replayed.db'}"
    with postgres_server(docker.DockerClient.from_env()) as server, server.database() as url:
        yield "PostgreSQL", url


def _timed(database: Database, exercises: Exercises, id_: str) -> tuple[float, Replay]:
    exercise = exercises.get(id_)
    begun = time.process_time()
    found = Replaying(database, exercises).replay(exercise)
    assert found.ledger_hash == found.replay_hash
    return time.process_time() - begun, found


def _bare(database: Database) -> float:
    begun = time.process_time()
    with database.snapshot() as session:
        for table in (FactRow, ScoreEntryRow):
            rows = session.execute(
                select(*table.__table__.columns).execution_options(yield_per=10_000)
            )
            for _ in rows:
                pass
    return time.process_time() - begun


@contextmanager
def _exercise(
    url: str, folder: Path, facts: int
) -> Iterator[tuple[Database, Exercises, ExerciseId]]:
    """Lend a database with an exercise of so many facts, and the ledger of them."""
    clock = SystemClock()
    database = Database(url, queue=RecordingQueue())
    create_tables(database)
    library = Library(database, clock, folder / "library")
    exercises = Exercises(database, clock, Users(database, clock), library)
    source = folder / "replayed"
    source.mkdir(parents=True)
    (source / "scenario.yaml").write_text(_scenario())
    teams = [TeamSpec(name=f"team {number}") for number in range(1, _TEAMS + 1)]
    exercise = exercises.launch(load(source), teams=teams, by=None)
    rules = Rules.of(exercises.scenario(exercise).scenario)
    with database.engine.begin() as connection:
        for team in exercise.teams:
            happened = _history(team.number, facts // _TEAMS)
            rows = [
                {**fact_values(exercise.id, team.id, fact), "position": place}
                for place, fact in enumerate(happened, start=1)
            ]
            connection.execute(insert(FactRow), rows)
            books, _ = replay(team.id, happened, rules)
            connection.execute(insert(ScoreEntryRow), _chained(exercise.id, books.entries.values()))
    yield database, exercises, exercise.id
    database.close()


def _scenario() -> str:
    lines = [_HEAD, "checks:"]
    names = [f"service_{number}" for number in range(_SERVICES)]
    lines += [f"  {name}: {{host: desk, run: [{name}], every: 60s}}" for name in names]
    lines.append("tasks:")
    lines += [f"  keep_{n}: {{ask: Keep it., availability: {n}, points: 100}}" for n in names]
    lines += [
        f"  ask_{number}: {{ask: Which?, answer: this, points: 10,"
        " hints: [{text: This., cost: 2}]}"
        for number in range(20)
    ]
    return "\n".join(lines) + "\n"


def _history(team: int, facts: int) -> list[Fact]:
    """Return what happens to a team: of 25 facts one is an answer or a hint; always the same."""
    chance = random.Random(team)  # a workload, no secret
    happened = []
    for place in range(facts):
        at = _START + timedelta(seconds=5 * place)
        id_ = f"{team:04}{place:08}"
        if place % 25:
            happened.append(_look(chance, id_, at, place))
        else:
            happened.append(_act(chance, id_, at))
    return happened


def _look(chance: random.Random, id_: str, at: datetime, place: int) -> Fact:
    service = place % _SERVICES
    fails = service < 2 and chance.random() < 0.03  # two of them, now and then
    return Fact(
        cause=Cause.CHECK_RUN,
        id=id_,
        at=at,
        subject=f"service_{service}",
        number=place,
        outcome="down" if fails else "up",
        elapsed=at - _START,
    )


def _act(chance: random.Random, id_: str, at: datetime) -> Fact:
    task = f"ask_{chance.randrange(20)}"
    if chance.random() < 0.2:  # a fifth are hints
        return Fact(cause=Cause.HINT, id=id_, at=at, subject=task, number=1, milli_points=2000)
    right = chance.random() < 0.1  # of answers a tenth is right
    outcome = "correct" if right else "wrong"
    return Fact(cause=Cause.SUBMISSION, id=id_, at=at, subject=task, outcome=outcome)


def _chained(exercise: ExerciseId, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for position, entry in enumerate(entries, start=1):
        row = link_values(
            exercise,
            entry,
            position=position,
            prev_hash=rows[-1]["hash"] if rows else GENESIS,
            reverses=None,
            recorded_at=entry.effective_at,
        )
        rows.append(row)
    return rows
