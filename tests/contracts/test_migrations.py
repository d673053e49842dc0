"""The database's history, in both directions, on both databases."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

import api.tables
import core.users.tables
import orchestrator.tables
import scoring.attack_defence.tables
import scoring.corrections.tables
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
