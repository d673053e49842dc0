"""Delivery of statements to an LRS that fails, beside a bare loop to one that does not.

The LRS is the fake of the tests, in a process of its own. Of ten calls one is lost, one breaks
after it was carried out, and one gets a 503; the bare loop posts the same batches once, and keeps
nothing.

Usage: ./dev bench lrs [--statements 20000] [--within 600] [--json FILE]
"""

import argparse
import json
import multiprocessing
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from core.clock import SystemClock
from core.db import Database
from scoring.lrs.delivering import BATCH
from scoring.lrs.http_lrs import HttpLrs
from scoring.lrs.state import State
from tests.fakes.lrs import KEY, SECRET, Call, Wrong, fake_lrs
from tests.fakes.outbox_stage import Post
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables

_FAILURES = (Wrong(), Wrong(stores=True), Wrong(status=503))


def main() -> None:
    """Measure, and fail unless all are there once."""
    parser = argparse.ArgumentParser(description="Statements to an LRS that fails at 3 of 10.")
    parser.add_argument("--statements", type=int, default=20_000)
    parser.add_argument("--within", type=float, default=600, help="seconds after which it fails")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    wanted = parser.parse_args()
    found = measure(wanted.statements, timedelta(seconds=wanted.within))
    print(
        f"{wanted.statements} statements, each there once: {found['ours']:.1f} s,"
        f" in {found['calls']:.0f} calls; a bare loop without failures: {found['bare']:.1f} s,"
        f" in {found['bare_calls']:.0f}; ratio {found['ratio']:.2f}"
    )
    if wanted.json:
        wanted.json.write_text(json.dumps(found, indent=2) + "\n")


def measure(count: int, within: timedelta) -> dict[str, float]:
    """Return the seconds and calls of both; raises AssertionError when any is not there once."""
    with tempfile.TemporaryDirectory(prefix="poligon-bench-") as folder:
        database = Database(f"sqlite:///{folder}/poligon.db", queue=RecordingQueue())
        create_tables(database)
        with _lrs(fails=True) as (url, asked), HttpLrs(url, key=KEY, secret=SECRET) as lrs:
            post = Post(database, SystemClock(), lrs)
            ids = post.book(*(f"p{number}" for number in range(count)))
            ours = _deliver(post, within)
            calls, stored = _told(asked)
        assert sorted(stored) == sorted(ids), "they are not there once each"
        with _lrs(fails=False) as (url, asked), HttpLrs(url, key=KEY, secret=SECRET) as lrs:
            bodies = post.bodies()
            begun = time.monotonic()
            for start in range(0, count, BATCH):
                assert lrs.post(bodies[start : start + BATCH]).status == 200
            bare = time.monotonic() - begun
            bare_calls, _ = _told(asked)
        database.close()
    return {
        "ours": ours,
        "bare": bare,
        "ratio": ours / bare,
        "calls": calls,
        "bare_calls": bare_calls,
    }


def _deliver(post: Post, within: timedelta) -> float:
    begun = time.monotonic()
    while State.WAITING in post.states():
        post.delivering.send()
        assert time.monotonic() - begun < within.total_seconds(), f"too slow: {post.states()}"
    return time.monotonic() - begun


@contextmanager
def _lrs(*, fails: bool) -> Iterator[tuple[str, Connection]]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, fails))
    process.start()
    try:
        yield here.recv(), here
    finally:
        here.send("end")
        process.join()


def _told(asked: Connection) -> tuple[int, list[str]]:
    asked.send("tell")
    calls, stored = asked.recv()
    return int(calls), list(stored)


def _serve(there: Connection, fails: bool) -> None:  # noqa: FBT001  # a process takes no names
    dice = random.Random(17)

    def wrong(_: Call) -> Wrong | None:
        return dice.choice(_FAILURES) if fails and dice.random() < 0.3 else None

    with fake_lrs() as lrs:
        lrs.wrong = wrong
        there.send(lrs.url)
        while there.recv() == "tell":
            there.send((len(lrs.calls), lrs.stored))


if __name__ == "__main__":
    main()
