"""Transactions, and what leaves after them."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import Integer, MetaData, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Database, DatabaseUnavailableError, Instant, stored, stored_instant
from core.jobs import Job
from tests.fakes.queue import RecordingQueue


class OwnBase(Base):
    """The tables of this test: not among those that migrations make."""

    __abstract__ = True
    metadata = MetaData()


class CounterRow(OwnBase):
    __tablename__ = "test_counters"

    id: Mapped[int] = mapped_column(Integer(), primary_key=True)
    value: Mapped[int] = mapped_column(Integer(), default=0)
    at: Mapped[datetime | None] = mapped_column(Instant())


@pytest.fixture
def queue() -> RecordingQueue:
    return RecordingQueue()


@pytest.fixture
def database(tmp_path: Path, queue: RecordingQueue) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", queue=queue)
    CounterRow.__table__.create(database.engine)  # type: ignore[attr-defined]  # it is a Table
    yield database
    database.close()


def test_a_job_leaves_after_the_commit(database: Database, queue: RecordingQueue) -> None:
    with database.transaction() as transaction:
        transaction.after_commit(Job("work", ("1",)))
        assert queue.jobs == []
    assert queue.jobs == [Job("work", ("1",))]


def test_a_rolled_back_transaction_sends_and_stores_nothing(
    database: Database, queue: RecordingQueue
) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as transaction:
        transaction.session.add(CounterRow(id=1))
        transaction.session.flush()
        transaction.after_commit(Job("work"))
        raise ZeroDivisionError
    assert queue.jobs == []
    with database.reading() as session:
        assert session.scalars(select(CounterRow)).all() == []


def test_writers_at_once_lose_no_write(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.session.add(CounterRow(id=1, value=0))

    def add_one() -> None:
        for _ in range(10):
            with database.transaction() as transaction:
                row = transaction.session.get_one(CounterRow, 1)
                row.value += 1

    threads = [threading.Thread(target=add_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.get_one(CounterRow, 1).value == 80


def test_a_writer_that_waits_for_too_long_is_told_so_and_may_write_later(tmp_path: Path) -> None:
    database = Database(
        f"sqlite:///{tmp_path / 'test.db'}", queue=RecordingQueue(), patience=timedelta()
    )
    refused: list[DatabaseUnavailableError] = []

    def write() -> None:
        try:
            with database.transaction() as transaction:
                transaction.session.execute(text("CREATE TABLE made (id INTEGER)"))
        except DatabaseUnavailableError as error:
            refused.append(error)

    def write_beside() -> None:
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()

    # Nothing is written yet: the database itself would let the other one go first.
    with database.transaction():
        write_beside()
    (error,) = refused
    assert "others of this process have written for 0 s" in error.message
    assert "test.db" in error.message
    assert error.hint == "Send it again; nothing was changed"
    write_beside()
    assert refused == [error]
    database.close()


def test_a_transaction_that_fails_gives_its_turn_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction():
        raise ZeroDivisionError

    def write() -> None:
        with database.transaction() as transaction:
            transaction.session.add(CounterRow(id=1))

    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
    with database.reading() as session:
        assert session.get(CounterRow, 1) is not None


def test_a_job_leaves_when_others_may_write_again(tmp_path: Path) -> None:
    class WritingQueue(RecordingQueue):
        def send(self, job: Job) -> None:
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
            super().send(job)

    queue = WritingQueue()
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", queue=queue, patience=timedelta())

    def write() -> None:
        with database.transaction() as transaction:
            transaction.session.execute(text("CREATE TABLE made (id INTEGER)"))

    with database.transaction() as transaction:
        transaction.after_commit(Job("work"))
    with database.reading() as session:
        assert session.execute(text("SELECT * FROM made")).all() == []
    assert queue.jobs == [Job("work")]
    database.close()


def test_a_reader_is_not_held_up_by_a_writer(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.session.add(CounterRow(id=1))
        transaction.session.flush()
        with database.reading() as session:
            assert session.scalars(select(CounterRow)).all() == []


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    local = datetime(2026, 11, 23, 13, tzinfo=timezone(timedelta(hours=1)))
    with database.transaction() as transaction:
        transaction.session.add(CounterRow(id=1, at=local))
    with database.reading() as session:
        stored = session.get_one(CounterRow, 1).at
    assert stored == local
    assert stored is not None
    assert stored.tzinfo is UTC


def test_a_naive_time_is_refused(database: Database) -> None:
    naive = datetime(2026, 11, 23, 13)  # noqa: DTZ001  # that is the point
    with pytest.raises(StatementError, match="naive"), database.transaction() as transaction:
        transaction.session.add(CounterRow(id=1, at=naive))


def test_a_folder_that_cannot_be_made_is_named_with_what_to_do(
    tmp_path: Path, queue: RecordingQueue
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseUnavailableError) as unavailable:
        Database(f"sqlite:///{tmp_path / 'file' / 'poligon.db'}", queue=queue)
    assert str(tmp_path / "file") in unavailable.value.message
    assert "POLIGON_HOME" in unavailable.value.hint


def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path, queue: RecordingQueue) -> None:
    (tmp_path / "poligon.db").write_text("not a database, " * 100)
    database = Database(f"sqlite:///{tmp_path / 'poligon.db'}", queue=queue)
    with pytest.raises(DatabaseUnavailableError, match="not a database"):
        database.check()


def test_a_missing_table_is_one_sentence_and_not_a_trace(database: Database) -> None:
    with (
        pytest.raises(DatabaseUnavailableError, match="poligon db upgrade"),
        database.reading() as session,
    ):
        session.execute(text("SELECT * FROM nothing_here"))


def test_rows_come_in_pages_as_the_driver_has_them(database: Database) -> None:
    at = datetime(2026, 11, 23, 13, 5, 0, 7, tzinfo=UTC)
    with database.transaction() as transaction:
        session = transaction.session
        session.add(CounterRow(id=0))
        session.add_all([CounterRow(id=number, at=at) for number in range(1, 1200)])
        query = select(CounterRow.id, CounterRow.at).order_by(CounterRow.id)
        pages = list(stored(session, query, {}))
        instant = stored_instant(session)
    assert [len(page) for page in pages] == [500, 500, 200]
    rows = [row for page in pages for row in page]
    assert [id_ for id_, _ in rows] == list(range(1200))
    assert [instant(stored_at) for _, stored_at in rows] == [None] + [at] * 1199


def test_a_database_that_breaks_between_two_rows_is_told_as_such(database: Database) -> None:
    # SQLite's own overflow stands for it: it comes when the row is read, long after the first.
    query = text("SELECT abs(value) FROM (SELECT 1 AS value UNION ALL SELECT -9223372036854775808)")
    with (
        pytest.raises(DatabaseUnavailableError, match="integer overflow"),
        database.reading() as session,
    ):
        list(stored(session, query, {}))
