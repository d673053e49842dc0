"""S-1: answers over HTTP, none lost and none doubled, beside the rows of them inserted bare.

32 clients of 300 teams: a tenth of the answers is right, six tenths are wrong, three tenths are
sent again as they were. The floor inserts the same rows, each answer in a transaction of its own,
in one process and with nothing else to do. CTFd 3.8.7 gave 77 answers a second and a p99 of 976 ms
on two such cores with two workers; it cannot be run beside this, so its figures are constants.
"""

import argparse
import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, MetaData, Table, insert, select

from core.ids import new_id
from scoring.domain.attempts import AnswerVerdict
from scoring.tables import FactRow, ScoreEntryRow, SolveRow, SubmissionRow
from tests.benchmarks.scoring.line import Line
from tests.benchmarks.scoring.served_site import (
    ServedSite,
    databases,
    processes_beside,
    served_site,
)
from tests.benchmarks.scoring.wire import Connection, Taken, as_fast_as_they_can
from tests.benchmarks.ways.usage import cpu_seconds

CTFD_ANSWERS_A_SECOND = 77.0
CTFD_P99_MS = 976.0
_TIMES, _P99_MS = 10, 150.0
_CLIENTS, _TEAMS, _TASKS = 32, 300, 60


def measure(wanted: argparse.Namespace) -> Iterator[Line]:
    """Yield throughput and p99 for each database; fails when an answer was lost or doubled."""
    for database, url in databases():
        processes = processes_beside(database, wanted.processes)
        name = f"{database} × {processes}"
        with (
            tempfile.TemporaryDirectory() as folder,
            served_site(url, Path(folder), teams=_TEAMS, tasks=_TASKS, processes=processes) as site,
        ):
            clients, before = Clients(site), cpu_seconds(site.pids)
            taken = asyncio.run(
                as_fast_as_they_can(site.port, _CLIENTS, wanted.seconds, clients.act)
            )
            busy = cpu_seconds(site.pids) - before
            clients.check(taken)
            floor = _bare(site)
        rate = len(taken.seconds) / taken.wall
        yield _rate(f"answers/s, {name}; beside CTFd", rate, CTFD_ANSWERS_A_SECOND)
        yield Line(
            number="S-1",
            what=f"answers/s, {name}; beside bare inserts",
            ours=rate,
            baseline=floor,
            unit="/s",
            wanted="told",
            met=True,
        )
        yield Line(
            number="S-1",
            what=f"processor time of the service an answer, {name}; beside its wall time",
            ours=1000 * busy / len(taken.seconds),
            baseline=1000 / rate,
            unit="ms",
            wanted="told",
            met=True,
        )
        p99 = taken.percentile(0.99)
        yield Line(
            number="S-1",
            what=f"p99 of an answer, {name}; beside CTFd",
            ours=p99,
            baseline=CTFD_P99_MS,
            unit="ms",
            wanted=f"≤ {_P99_MS:.0f} ms",
            met=p99 <= _P99_MS,
        )


def _rate(what: str, rate: float, baseline: float) -> Line:
    return Line(
        number="S-1",
        what=what,
        ours=rate,
        baseline=baseline,
        unit="/s",
        wanted=f"≥ {_TIMES} ×",
        met=rate >= _TIMES * baseline,
    )


class Clients:
    """What 32 clients send, always the same for the same number, and what they were told."""

    def __init__(self, site: ServedSite) -> None:
        self._site = site
        self._path = f"/api/v1/exercises/{site.exercise.name}/answers"
        self._teams = list(site.tokens.items())
        self._chance = [random.Random(number) for number in range(_CLIENTS)]  # a workload
        self._before: list[list[tuple[int, str, bytes]]] = [[] for _ in range(_CLIENTS)]
        self._told: dict[str, str] = {}

    async def act(self, connection: Connection, number: int) -> int:
        """Send one answer; fails when one sent again is told something else."""
        chance, before = self._chance[number], self._before[number]
        if before and chance.random() < 0.3:
            team, key, body = chance.choice(before)
        else:
            # A team is one client's, so that what is sent again is never under way still.
            team = chance.randrange(number, len(self._teams), _CLIENTS)
            task = chance.randrange(_TASKS)
            right = chance.random() < 1 / 7  # of all a tenth
            value = f"this {task}" if right else f"that {chance.random()}"
            body = json.dumps({"task": f"ask_{task}", "value": value}).encode()
            key = new_id()
            before.append((team, key, body))
        headers = (
            f"Authorization: Bearer {self._teams[team][1]}\r\nIdempotency-Key: {key}\r\n"
            "Content-Type: application/json\r\n"
        )
        answer = await connection.ask("POST", self._path, headers, body)
        if answer.status == 200:
            told = json.loads(answer.body)["verdict"]
            assert self._told.setdefault(key, told) == told, "told two things"
        return answer.status

    def check(self, taken: Taken) -> None:
        """Fail unless every answer is there once, and every right one gave points once."""
        assert taken.statuses.keys() == {200}, taken.statuses
        with self._site.database.reading() as session:
            keys = list(session.scalars(select(SubmissionRow.client_key)))
            solves = len(session.execute(select(SolveRow.team_id, SolveRow.task)).all())
            entries = len(session.scalars(select(ScoreEntryRow.id)).all())
            facts = len(session.scalars(select(FactRow.position)).all())
        correct = list(self._told.values()).count(AnswerVerdict.CORRECT)
        assert sorted(keys) == sorted(self._told)
        assert (solves, entries, facts) == (correct, correct, len(keys))


def _bare(site: ServedSite) -> float:
    """Return how many answers a second are inserted when nothing else is done."""
    tables = (SubmissionRow, FactRow, SolveRow, ScoreEntryRow)
    with site.database.reading() as session:
        rows = {
            table: [dict(row._mapping) for row in session.execute(select(table.__table__))]
            for table in tables
        }
    metadata = MetaData()
    copies = {row: copy_of(row.metadata.tables[row.__tablename__], metadata) for row in tables}
    metadata.create_all(site.database.engine)
    by_cause = {row["cause_id"]: row for row in rows[ScoreEntryRow]}
    solves = {row["cause_id"]: row for row in rows[SolveRow]}
    facts = {row["cause_id"]: row for row in rows[FactRow]}
    begun = time.perf_counter()
    for row in rows[SubmissionRow]:
        with site.database.engine.begin() as connection:
            connection.execute(insert(copies[SubmissionRow]), row)
            connection.execute(insert(copies[FactRow]), facts[row["id"]])
            if row["id"] in solves:
                connection.execute(insert(copies[SolveRow]), solves[row["id"]])
                connection.execute(insert(copies[ScoreEntryRow]), by_cause[row["id"]])
    return len(rows[SubmissionRow]) / (time.perf_counter() - begun)


def copy_of(table: Table, metadata: MetaData) -> Table:
    """Return the same columns and keys under another name, without what they refer to."""
    columns = [Column(c.name, c.type, primary_key=c.primary_key) for c in table.columns]
    return Table(f"bare_{table.name}", metadata, *columns)
