"""A database that stands still for half a minute: people wait or ask again, and all counts once."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.db import DatabaseUnavailableError
from scoring.domain.verdicts import Verdict
from scoring.tables import CheckRunRow, SolveRow, SubmissionRow
from tests.contracts.postgres import PostgresServer
from tests.fakes.scoring_stage import Stage

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

_SECONDS = 30
_CLIENTS = 40  # more than there are connections to the database


@pytest.fixture
def stage(postgres_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(postgres_url, tmp_path)
    yield stage
    stage.database.close()


@contextmanager
def paused(server: PostgresServer) -> Iterator[None]:
    server.container.pause()
    try:
        yield
    finally:
        server.container.unpause()


def persistently(act: Callable[[], object]) -> object:
    """Do as a client does that is told to try again."""
    while True:
        try:
            return act()
        except DatabaseUnavailableError:
            time.sleep(1)


def test_answers_and_looks_of_half_a_minute_without_a_database_count_once(
    stage: Stage, postgres: PostgresServer
) -> None:
    exercise, team, user = stage.exercise, stage.team(), stage.member()
    stage.see_page()
    stage.pass_time(60)
    web = stage.round("web")
    value = stage.value("mark")

    def answer(number: int) -> str:
        return stage.scoring.answer(
            exercise, team, user, task="mark", value=value, client_key=f"key {number}"
        ).verdict

    with ThreadPoolExecutor(_CLIENTS + 1) as threads:
        with paused(postgres):
            looked = threads.submit(stage.scoring.run_check, exercise.id, team.id, "web", web)
            sent = [
                threads.submit(persistently, lambda n=n: answer(n))  # type: ignore[misc]
                for n in range(_CLIENTS)
            ]
            time.sleep(_SECONDS)
            assert not any(one.done() for one in sent), "there was no database"
        assert Counter(one.result() for one in sent) == {"correct": 1, "already": _CLIENTS - 1}
        assert looked.result() is Verdict.UP
    with stage.database.reading() as session:
        kept = [
            session.scalar(select(func.count()).select_from(table))
            for table in (SubmissionRow, SolveRow, CheckRunRow)
        ]
    assert kept == [_CLIENTS, 1, 1]
    stage.prove()
