"""PostgreSQL goes away in the midst of something: that is told, wherever it is noticed."""

import select
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.db import CommitUnconfirmedError, Database, DatabaseUnavailableError
from tests.fakes.queue import RecordingQueue

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

_CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = :pid"
_SOON = 60.0  # seconds


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url, queue=RecordingQueue())
    yield database
    database.close()


def cut_off(session: Session) -> None:
    """End the session's connection, as a server that is killed does, and hear of it."""
    pid = session.scalar(text("SELECT pg_backend_pid()"))
    engine = create_engine(session.connection().engine.url)
    with engine.begin() as other:
        assert other.scalar(text(_CUT_OFF), {"pid": pid})
    engine.dispose()
    driver = session.connection().connection.driver_connection
    assert driver is not None
    heard, _, _ = select.select([driver], [], [], _SOON)
    assert heard, "the server ends it when it comes to it"


def test_a_database_that_goes_away_while_it_is_read_is_unavailable(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError), database.reading() as session:
        cut_off(session)
        session.execute(text("SELECT 1"))
    database.check()


def test_a_database_that_goes_away_after_all_was_read_is_no_matter(database: Database) -> None:
    with database.reading() as session:
        cut_off(session)
    with database.reading() as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_a_database_that_goes_away_in_a_snapshot_is_unavailable(database: Database) -> None:
    with pytest.raises(DatabaseUnavailableError), database.snapshot() as session:
        cut_off(session)
    database.check()


@pytest.mark.parametrize("asks_more", [True, False])
def test_a_database_that_goes_away_in_a_transaction_is_unavailable(
    database: Database, *, asks_more: bool
) -> None:
    with pytest.raises(DatabaseUnavailableError), database.transaction() as transaction:
        cut_off(transaction.session)
        if asks_more:
            transaction.session.execute(text("SELECT 1"))
    database.check()


def test_a_change_that_the_database_did_not_confirm_is_told_apart(database: Database) -> None:
    with pytest.raises(CommitUnconfirmedError), database.transaction() as transaction:
        transaction.session.execute(text("CREATE TABLE kept (id int)"))
        cut_off(transaction.session)
    with pytest.raises(DatabaseUnavailableError) as refused, database.transaction() as transaction:
        cut_off(transaction.session)
        transaction.session.execute(text("SELECT 1"))
    assert not isinstance(refused.value, CommitUnconfirmedError), "nothing was committed"


def test_a_database_that_goes_away_before_something_else_fails_is_unavailable(
    database: Database,
) -> None:
    with pytest.raises(DatabaseUnavailableError), database.transaction() as transaction:
        cut_off(transaction.session)
        raise LookupError
