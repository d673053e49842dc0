"""What an exercise's scoring costs as it grows: by teams, tasks, solves, and rounds.

Processor time, on SQLite. Each line stands beside the unavoidable of the same exercise: the rows of
an answer or a round inserted bare, and the rows that a board, a replay or a report follows from
read with nothing done to them. A ratio that grows with the size shows what grows too fast.
"""

import argparse
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, MetaData, Table, func, insert, select
from sqlalchemy.orm import Session

from core.db import Base, Database, table_of
from core.ids import new_id
from scoring.attack_defence.tables import (
    FlagIssueRow,
    ServiceLookRow,
    ServiceRoundRow,
    ServiceTallyRow,
)
from scoring.boards.making import BoardMaking
from scoring.domain.boards import Audience
from scoring.tables import FactRow, ScoreEntryRow, SolveRow, StandingRow, SubmissionRow
from tests.benchmarks.scoring.answering import copy_of
from tests.benchmarks.scoring.grown import Grown, grown
from tests.benchmarks.scoring.line import Line
from tests.fakes import duel_stage
from tests.fakes.duel_stage import Duel

_TEAMS = (10, 100, 300, 1000)
_TASKS = (10, 60, 200)
_SOLVES = (1_000, 10_000, 30_000, 100_000)
_ROUNDS = (10, 100, 500)
_ANSWERS, _TURNS = 40, 3

_Rows = list[tuple[Table, dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    """Processor seconds of one thing, and of the least that it could be done with."""

    what: str
    ours: float
    bare: float


def measure(_wanted: argparse.Namespace) -> Iterator[Line]:
    """Yield a line for each thing at each size."""
    for teams in _TEAMS:
        yield from _of_size(f"{teams} teams", teams=teams, tasks=60, solves=10 * teams)
    for tasks in _TASKS:
        yield from _of_size(f"{tasks} tasks", teams=100, tasks=tasks, solves=1000)
    for solves in _SOLVES:
        yield from _of_size(f"{solves} solves", teams=500, tasks=201, solves=solves)
    yield from _of_rounds()


def _of_size(size: str, *, teams: int, tasks: int, solves: int) -> Iterator[Line]:
    with grown(teams=teams, tasks=tasks, solves=solves) as site:
        for cost in (*_of_boards(site), *_of_proofs(site), _of_answers(site, tasks)):
            yield _line(size, cost)


def _of_boards(site: Grown) -> Iterator[_Cost]:
    services, exercise = site.services, site.exercise
    making = BoardMaking(services.database, services.clock, services.exercises)
    made = making.made(exercise, Audience.STAFF, None)
    bare = _least(lambda: _read(services.database, StandingRow, SolveRow))
    yield _Cost(
        what="a board made",
        ours=_least(lambda: making.made(exercise, Audience.STAFF, None)),
        bare=bare,
    )
    yield _Cost(
        what="a look that finds it as it was",
        ours=_least(lambda: making.made(exercise, Audience.STAFF, made)),
        bare=_least(lambda: _newest(services.database)),
    )


def _of_proofs(site: Grown) -> Iterator[_Cost]:
    services, exercise = site.services, site.exercise
    yield _Cost(
        what="a replay",
        ours=_least(lambda: services.replaying.replay(exercise)),
        bare=_least(lambda: _read(services.database, FactRow, ScoreEntryRow)),
    )
    everything = (SubmissionRow, FactRow, SolveRow, ScoreEntryRow)
    yield _Cost(
        what="a report with its signals",
        ours=_least(lambda: services.reporting.report(exercise, signals=True), turns=1),
        bare=_least(lambda: _read(services.database, *everything)),
    )
    yield _Cost(
        what="a look for stuck teams",
        ours=_least(lambda: services.reporting.stuck(exercise), turns=1),
        bare=_least(lambda: _read(services.database, SubmissionRow, SolveRow)),
    )


def _of_answers(site: Grown, tasks: int) -> _Cost:
    """Have teams answer the last task, half of them rightly."""
    services, exercise = site.services, site.exercise

    def answer(number: int) -> None:
        team = exercise.teams[number % 10]
        value = f"this {tasks - 1}" if number % 2 else f"that {number}"
        services.scoring.answer(
            exercise,
            team,
            team.members[0].user,
            task=f"ask_{tasks - 1}",
            value=value,
            client_key=new_id(),
        )

    for number in range(10):  # the first ones of a process read what it keeps of teams
        answer(number)
    before = _ids(services.database)
    ours = _timed(lambda: deque(map(answer, range(_ANSWERS)), maxlen=0))
    written = _sent(services.database, _ids(services.database) - before)
    bare = _inserted(services.database, written)
    return _Cost(what="an answer", ours=ours / _ANSWERS, bare=bare / _ANSWERS)


def _ids(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(SubmissionRow.id)))


def _sent(database: Database, answers: set[str]) -> list[_Rows]:
    """Return the rows of answers and of their facts, each in a transaction of its own."""
    sent, facts = (table_of(row).c for row in (SubmissionRow, FactRow))
    with database.reading() as session:
        return [
            [
                *_rows(session, SubmissionRow, sent.id == id_),
                *_rows(session, FactRow, facts.cause_id == id_),
            ]
            for id_ in answers
        ]


# Rounds


def _of_rounds() -> Iterator[Line]:
    """Play attack and defence, three teams with two services each, and look now and then."""
    scenario = duel_stage.SCENARIO.replace("duration: 1h", "duration: 48h")
    with tempfile.TemporaryDirectory(prefix="poligon-bench-") as folder:
        home = Path(folder)
        duel = Duel.raised(f"sqlite:///{home / 'duel.db'}", home, scenario=scenario)
        duel.play()
        for number in range(1, max(_ROUNDS) + 1):
            duel.clock.advance(duel_stage.EVERY)
            closing = _timed(duel.attack_defence.sweep)
            if number in _ROUNDS:
                for cost in _of_round(duel, closing):
                    yield _line(f"{number} rounds", cost)
            duel.play_sent()
            duel.capture("ana", duel.flag("bor", number))
        duel.database.close()


def _of_round(duel: Duel, closing: float) -> Iterator[_Cost]:
    yield _Cost(
        what="a round closed and the next one opened",
        ours=closing,
        bare=_inserted(duel.database, _written_at(duel)),
    )
    exercise = duel.exercise
    yield _Cost(
        what="a replay",
        ours=_least(lambda: duel.replaying.replay(exercise), turns=1),
        bare=_least(
            lambda: _read(duel.database, FactRow, ScoreEntryRow, ServiceLookRow, ServiceTallyRow)
        ),
    )


def _written_at(duel: Duel) -> list[_Rows]:
    """Return the rows of the round that was just closed, and of the one that was opened."""
    rounds, flags = table_of(ServiceRoundRow).c, table_of(FlagIssueRow).c
    tallies, facts = table_of(ServiceTallyRow).c, table_of(FactRow).c
    with duel.database.reading() as session:
        last = session.scalar(select(func.max(rounds.number)))
        closed = session.scalar(select(rounds.id).where(rounds.number == last - 1))
        return [
            [
                *_rows(session, ServiceRoundRow, rounds.number == last),
                *_rows(session, FlagIssueRow, flags.round == last),
                *_rows(session, ServiceTallyRow, tallies.round_id == closed),
                *_rows(session, FactRow, facts.cause_id == closed),
            ]
        ]


# Measuring


def _rows(session: Session, row: type[Base], which: ColumnElement[bool]) -> _Rows:
    table = table_of(row)
    return [(table, dict(found._mapping)) for found in session.execute(select(table).where(which))]


def _inserted(database: Database, transactions: Sequence[_Rows]) -> float:
    """Return what it takes to insert rows into tables that have neither indices nor references."""
    metadata = MetaData()
    tables = {table for rows in transactions for table, _ in rows}
    copies = {table: copy_of(table, metadata) for table in tables}
    metadata.drop_all(database.engine)
    metadata.create_all(database.engine)

    def all_of_them() -> None:
        for rows in transactions:
            with database.engine.begin() as connection:
                for table, values in rows:
                    connection.execute(insert(copies[table]), values)

    return _timed(all_of_them)


def _read(database: Database, *rows: type[Base]) -> int:
    read = 0
    with database.snapshot() as session:
        for row in rows:
            for _ in session.execute(select(*table_of(row).c).execution_options(yield_per=1000)):
                read += 1
    return read


def _newest(database: Database) -> None:
    with database.snapshot() as session:
        session.scalar(select(func.max(ScoreEntryRow.id)))


def _timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def _least(work: Callable[[], object], *, turns: int = _TURNS) -> float:
    return min(_timed(work) for _ in range(turns))


def _line(size: str, cost: _Cost) -> Line:
    return Line(
        number="growth",
        what=f"{cost.what}, {size}",
        ours=1000 * cost.ours,
        baseline=1000 * cost.bare,
        unit="ms",
        wanted="told",
        met=True,
    )
