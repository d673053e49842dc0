"""The database's history, in both directions, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect, text

import api.tables
import core.users.tables
import orchestrator.tables
import scoring.attack_defence.tables
import scoring.corrections.tables
import scoring.lrs.tables
import scoring.marking.tables
import scoring.tables
import scoring.uploads.tables
from core.db import Base, open_engine
from core.migration import DatabaseOutdatedError, downgrade, require_current, upgrade
from scoring.append_only import GUARDED

TABLES = (
    core.users.tables,
    orchestrator.tables,
    scoring.tables,
    scoring.attack_defence.tables,
    scoring.uploads.tables,
    scoring.marking.tables,
    scoring.corrections.tables,
    scoring.lrs.tables,
    api.tables,
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_the_history_ends_in_exactly_the_tables_of_the_program(engine: Engine) -> None:
    upgrade(url(engine))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    require_current(engine)


def test_every_step_can_be_undone_and_done_again(engine: Engine) -> None:
    upgrade(url(engine))
    downgrade(url(engine), "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    upgrade(url(engine))
    require_current(engine)


def test_an_empty_database_is_outdated_and_says_what_to_type(engine: Engine) -> None:
    with pytest.raises(DatabaseOutdatedError, match="version none") as outdated:
        require_current(engine)
    assert outdated.value.hint == "Run `poligon db upgrade`"


def test_a_file_that_was_written_down_before_is_not_taken_for_whole(engine: Engine) -> None:
    upgrade(url(engine), "0020")
    tables = MetaData()
    tables.reflect(engine)
    with engine.begin() as connection:
        for table, row in a_session_with_a_file():
            connection.execute(tables.tables[table].insert(), [row])
    upgrade(url(engine))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT path, whole FROM session_files")).all() == [
            ("/srv/x", False)
        ]


def a_session_with_a_file() -> Iterator[tuple[str, dict[str, object]]]:
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    scenario = {"scenario_id": "stage"}
    yield "scenario_packs", scenario | {"digest": "d", "archive": b"", "stored_at": at}
    yield (
        "exercises",
        scenario
        | {
            "id": "exercise",
            "name": "old",
            "phase": "running",
            "scenario_version": "1.0.0",
            "scenario_title": "Stage",
            "scenario_digest": "d",
            "duration_seconds": 3600,
            "secret": b"s" * 32,
            "created_at": at,
            "story_start": at,
            "claimed_until": at,
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
            "world_since": at,
            "claimed_until": at,
        },
    )
    yield (
        "access_sessions",
        {
            "id": "session",
            "exercise_id": "exercise",
            "team_id": "team",
            "login": "ana",
            "host": "desk",
            "account": "analyst",
            "kind": "files",
            "began_at": at,
            "exercise_ms": 0,
            "how": "",
            "shown_bytes": 0,
            "unrecorded": "",
        },
    )
    yield (
        "session_files",
        {
            "id": "file",
            "session_id": "session",
            "at": at,
            "direction": "to_host",
            "path": "/srv/x",
            "size_bytes": 3,
            "sha256": "a" * 64,
        },
    )


def test_the_guards_of_facts_and_ledger_stand_after_a_migration(engine: Engine) -> None:
    upgrade(url(engine))
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }[engine.dialect.name]
    with engine.connect() as connection:
        guards = set(connection.scalars(text(query)))
    expected = {
        "sqlite": {"no_update", "no_delete", "no_replace"},
        "postgresql": {"no_change", "no_truncate"},
    }[engine.dialect.name]
    tables = {
        *("score_entries", "score_facts", "score_seals"),
        *("submissions", "hints_taken", "check_runs", "feed_items"),
        *("check_looks", "maintenance_windows"),
        *("flag_issues", "service_looks", "captures"),
    }
    assert tables == set(GUARDED)
    assert guards == {f"{table}_{guard}" for table in tables for guard in expected}
