"""S-2: reads of the board of 1,000 teams with 30,000 solves, 500 a second, also under answers.

Each reader keeps what it got and asks with its ETag whether that is still so, as browsers do; a
time counts from when the read was due. The baseline is the same rate of `/healthz`, which does
nothing. CTFd 3.8.7 gave 270 cached reads a second, and 1 to 3 while answers arrived; beside that
stands what 16 readers get as fast as they can.
"""

import argparse
import asyncio
import itertools
import json
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

from core.ids import new_id
from tests.benchmarks.scoring.line import Line
from tests.benchmarks.scoring.served_site import (
    ServedSite,
    book_solves,
    databases,
    processes_beside,
    served_site,
)
from tests.benchmarks.scoring.wire import Connection, Taken, as_fast_as_they_can, at_a_rate

CTFD_READS_A_SECOND = 270.0
_RATE, _ANSWERS, _P99_MS, _TIMES = 500.0, 20.0, 20.0, 10
_CLIENTS, _IN_A_HURRY = 64, 16
_SOLVED = 30


def measure(wanted: argparse.Namespace) -> Iterator[Line]:
    """Yield how many reads there are at most, and the p99 of quiet reads and under answers."""
    for database, url in databases():
        yield from _one(wanted, url, database, processes_beside(database, wanted.processes))


def _one(wanted: argparse.Namespace, url: str, database: str, processes: int) -> Iterator[Line]:
    name = f"{database} × {processes}"
    teams = wanted.teams
    tasks = _SOLVED + math.ceil(_ANSWERS * wanted.seconds / teams)
    with (
        tempfile.TemporaryDirectory() as folder,
        served_site(url, Path(folder), teams=teams, tasks=tasks, processes=processes) as site,
    ):
        book_solves(site, tasks=_SOLVED)
        readers = Readers(site)
        asyncio.run(at_a_rate(site.port, 50, 2, readers.read, clients=_CLIENTS))  # all have it once
        nothing = asyncio.run(
            at_a_rate(site.port, _RATE, wanted.seconds, _nothing, clients=_CLIENTS)
        )
        most = asyncio.run(
            as_fast_as_they_can(site.port, _IN_A_HURRY, wanted.seconds, readers.read_next)
        )
        quiet = asyncio.run(
            at_a_rate(site.port, _RATE, wanted.seconds, readers.read, clients=_CLIENTS)
        )
        busy = asyncio.run(_under_answers(site, readers, wanted.seconds))
    size = f"{teams} teams × {_SOLVED}"
    yield _most(f"reads/s, {size}, {name}; beside CTFd", most)
    yield _line(f"p99 of a read, {size}, {name}", quiet, nothing)
    yield _line(f"p99 under answers, {size}, {name}", busy, nothing)


async def _under_answers(site: ServedSite, readers: "Readers", seconds: float) -> Taken:
    answered, read = await asyncio.gather(
        at_a_rate(site.port, _ANSWERS, seconds, readers.answer, clients=8),
        at_a_rate(site.port, _RATE, seconds, readers.read, clients=_CLIENTS),
    )
    assert answered.statuses.keys() == {200}, answered.statuses
    return read


class Readers:
    """A thousand people who each know the last board that they were sent."""

    def __init__(self, site: ServedSite) -> None:
        self._tokens = list(site.tokens.values())
        self._path = f"/api/v1/exercises/{site.exercise.name}"
        self._tags: dict[int, str] = {}
        self._next = itertools.count()

    async def read(self, connection: Connection, number: int) -> int:
        """Read the board of teams."""
        reader = number % len(self._tokens)
        known = f"If-None-Match: {self._tags[reader]}\r\n" if reader in self._tags else ""
        headers = f"Authorization: Bearer {self._tokens[reader]}\r\nAccept-Encoding: gzip\r\n"
        answer = await connection.ask("GET", f"{self._path}/board", headers + known)
        self._tags[reader] = answer.headers.get("etag", "")
        return answer.status

    async def read_next(self, connection: Connection, _client: int) -> int:
        """Read as the one whose turn it is, whichever client it is."""
        return await self.read(connection, next(self._next))

    async def answer(self, connection: Connection, number: int) -> int:
        """Answer a task that is not solved, rightly: the board moves each time."""
        before, team = divmod(number, len(self._tokens))
        task = _SOLVED + before
        body = json.dumps({"task": f"ask_{task}", "value": f"this {task}"}).encode()
        headers = (
            f"Authorization: Bearer {self._tokens[team]}\r\nIdempotency-Key: {new_id()}\r\n"
            "Content-Type: application/json\r\n"
        )
        return (await connection.ask("POST", f"{self._path}/answers", headers, body)).status


async def _nothing(connection: Connection, _number: int) -> int:
    return (await connection.ask("GET", "/healthz", "")).status


def _most(what: str, taken: Taken) -> Line:
    assert taken.statuses.keys() <= {200, 304}, taken.statuses
    rate = len(taken.seconds) / taken.wall
    return Line(
        number="S-2",
        what=what,
        ours=rate,
        baseline=CTFD_READS_A_SECOND,
        unit="/s",
        wanted=f"≥ {_TIMES} ×",
        met=rate >= _TIMES * CTFD_READS_A_SECOND,
    )


def _line(what: str, taken: Taken, nothing: Taken) -> Line:
    assert taken.statuses.keys() <= {200, 304}, taken.statuses
    p99 = taken.percentile(0.99)
    return Line(
        number="S-2",
        what=what,
        ours=p99,
        baseline=nothing.percentile(0.99),
        unit="ms",
        wanted=f"≤ {_P99_MS:.0f} ms",
        met=p99 <= _P99_MS,
    )
