"""An upgrade of a ledger with rows in it: facts get their order, entries their chain."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, select

from core.clock import SystemClock
from core.db import Database, open_engine
from core.migration import upgrade
from core.scenario.load import load
from core.scenario.pack import pack
from core.users.service import Users
from orchestrator.library import Library
from orchestrator.service import Exercises
from scoring.proving import Proving
from scoring.replaying import Replaying
from scoring.tables import FactRow
from tests.contracts.test_hint_storage import WITH_HINTS
from tests.fakes.queue import RecordingQueue

START = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def minute(number: float) -> datetime:
    return START + timedelta(minutes=number)


def rows(folder: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield what a running exercise had left before: a hint, looks, and right answers."""
    source = folder / "stage"
    source.mkdir()
    (source / "scenario.yaml").write_text(WITH_HINTS)
    loaded = load(source)
    yield (
        "users",
        {"id": "ada", "name": "ada", "display_name": "Ada", "role": "trainee", "created_at": START},
    )
    yield (
        "scenario_packs",
        {
            "digest": loaded.digest,
            "scenario_id": "stage",
            "archive": pack(loaded),
            "stored_at": START,
        },
    )
    yield (
        "exercises",
        {
            "id": "exercise",
            "name": "old",
            "phase": "running",
            "scenario_id": "stage",
            "scenario_version": "1.0.0",
            "scenario_title": "Stage",
            "scenario_digest": loaded.digest,
            "duration_seconds": 3600,
            "secret": b"s" * 32,
            "created_at": START,
            "story_start": START,
            "claimed_until": START,
        },
    )
    yield (
        "teams",
        {
            "id": "team",
            "exercise_id": "exercise",
            "slug": "team-1",
            "name": "Team 1",
            "number": 1,
            "world": "ready",
            "world_since": START,
            "claimed_until": START,
        },
    )
    mine = {"exercise_id": "exercise", "team_id": "team"}
    yield (
        "hints_taken",
        mine | {"id": "hint", "user_id": "ada", "task": "who", "hint": 1, "taken_at": minute(1)},
    )
    # The look began before the answer and was written down after it.
    for number, (verdict, began) in enumerate((("up", 2), ("down", 4), ("down", 5))):
        yield (
            "check_runs",
            mine
            | {
                "id": f"run{number}",
                "check": "web",
                "round": number,
                "verdict": verdict,
                "output": "",
                "started_at": minute(began),
                "exercise_ms": began * 60_000,
                "duration_ms": 90_000,
            },
        )
    yield (
        "submissions",
        mine
        | {
            "id": "sent",
            "user_id": "ada",
            "task": "who",
            "client_key": "one",
            "value": "x",
            "verdict": "correct",
            "attempt": 1,
            "attempts_left": 2,
            "milli_points": 18_000,
            "received_at": minute(3),
        },
    )
    yield (
        "solves",
        mine
        | {
            "task": "who",
            "user_id": "ada",
            "cause_type": "submission",
            "cause_id": "sent",
            "solved_at": minute(3),
        },
    )
    yield (
        "check_states",
        {
            "team_id": "team",
            "check": "web",
            "round": 2,
            "verdict": "down",
            "scored": 3,
            "passed": 1,
        },
    )
    entries = (
        ("who", "solve", 20_000, 3, "submission", "sent", "solve:team:who", "ada"),
        ("who", "cost", -2000, 3, "hint", "hint", "cost:hint:who", None),
        ("keep_up", "availability", 20_000, 2, "check_run", "run0", "availability:team:keep_up:1"),
        ("keep_up", "availability", -10_000, 4, "check_run", "run1", "availability:team:keep_up:2"),
        ("keep_up", "availability", -3334, 5, "check_run", "run2", "availability:team:keep_up:3"),
    )
    for task, kind, points, at, cause, cause_id, key, *user in entries:
        yield (
            "score_entries",
            mine
            | {
                "user_id": user[0] if user else None,
                "task": task,
                "kind": kind,
                "milli_points": points,
                "effective_at": minute(at),
                "recorded_at": minute(at + 1.5),
                "cause_type": cause,
                "cause_id": cause_id,
                "idem_key": key,
                "reason": "",
            },
        )


def test_a_ledger_with_rows_is_put_in_order_and_chained(engine: Engine, tmp_path: Path) -> None:
    url = engine.url.render_as_string(hide_password=False)
    upgrade(url, "0012")
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for table, row in rows(tmp_path):
            connection.execute(tables.tables[table].insert(), [row])
    upgrade(url)
    clock = SystemClock()
    database = Database(url, queue=RecordingQueue())
    library = Library(database, clock, tmp_path / "library")
    exercises = Exercises(database, clock, Users(database, clock), library)
    exercise = exercises.get("old")
    proving = Proving(database, clock, exercises, every=DAY)
    replayed = Replaying(database, exercises).replay(exercise)
    with database.reading() as session:
        order = session.execute(
            select(FactRow.cause_id, FactRow.milli_points).order_by(FactRow.position)
        )
        assert [tuple(row) for row in order] == [
            ("hint", 2000),
            *[("sent", 0), ("run0", 0), ("run1", 0), ("run2", 0)],
        ]
    assert proving.verify(exercise).faults == ()
    assert replayed.holds, replayed.teams[0].differences
    assert replayed.teams[0].ledger.milli_points == 18_000 + 6666
    with engine.connect() as connection:
        states = tables.tables["check_states"]
        assert connection.exec_driver_sql("SELECT failures FROM check_states").scalar() == 2
        assert connection.scalar(select(states.c.scored)) == 3
    database.close()
