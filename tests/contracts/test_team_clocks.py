"""Clocks of several teams that are changed at once, on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from core.db import Database
from core.waiting import until
from orchestrator.repository import ExerciseRepository
from orchestrator.tables import TeamRow
from tests.fakes.inject_site import InjectSite, inject_site

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def site(tmp_path: Path, postgres_url: str) -> Iterator[InjectSite]:
    with inject_site(tmp_path, url=postgres_url) as site:
        yield site


def waits(database: Database) -> bool:
    """Tell whether somebody waits for a lock; asked anew, for a transaction is told but once."""
    with database.reading() as session:
        return bool(session.scalar(text(_WAITING)))


def test_who_waits_for_an_exercise_holds_none_of_its_teams(site: InjectSite) -> None:
    # Two that each hold a team and wait for what the other one holds end with a deadlock.
    database, exercise = site.services.database, site.exercise
    team = exercise.teams[0]
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as transaction:
            session = transaction.session
            ExerciseRepository(session).hold(exercise.id)
            paused = pool.submit(site.services.timekeeping.pause_team, exercise.id, team.slug)
            until(lambda: waits(database), what="the pause", within=timedelta(seconds=60))
            row = select(TeamRow.id).where(TeamRow.id == team.id)
            free = session.scalar(row.with_for_update(skip_locked=True))
        paused.result(timeout=60)
    assert free == team.id
