"""The database: one declarative base, and transactions that send their jobs after commit."""

import select
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import (
    DateTime,
    Engine,
    Executable,
    MetaData,
    Table,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoFreeConnectionError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from core.errors import Fault, PoligonError
from core.jobs import Job, JobQueue

log = structlog.get_logger()

# How long a writer waits for another one on SQLite.
_PATIENCE = timedelta(seconds=20)
# Kept once they are open: threads that come together would open some for one statement each. The
# last one given back is the first one used again, on SQLite with what it has read.
_CONNECTIONS = {"pool_size": 15, "max_overflow": 0, "pool_use_lifo": True}
# Few enough that a page is still at hand in the processor when it is gone through.
_PAGE = 500


class DatabaseUnavailableError(PoligonError):
    """The database cannot be opened, or went away."""

    code = "database.unavailable"
    fault = Fault.UPSTREAM


class CommitUnconfirmedError(DatabaseUnavailableError):
    """The database went away while it committed: nobody knows whether the change was written."""

    code = "database.commit_unconfirmed"


class Base(DeclarativeBase):
    """All tables; constraints are named, so that migrations can drop them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def table_of(row: type[Base]) -> Table:
    """Return the table that a class of rows stands for.

    A statement over tables that is built once is carried out in a sixth of the time that one over
    classes takes that is built for each call.
    """
    return row.metadata.tables[row.__tablename__]


class Instant(TypeDecorator[datetime]):
    """An aware UTC time; naive ones are refused. SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC, as the driver wants it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time must not be stored")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def result_processor(
        self, dialect: Dialect, _coltype: object
    ) -> Callable[[Any], datetime | None]:
        """Return what makes a stored time aware, in UTC: one step, as replays read a million."""
        return _of_text if dialect.name == "sqlite" else _in_utc


def _of_text(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored + "+00:00")


def _in_utc(stored: datetime | None) -> datetime | None:
    return None if stored is None else stored.astimezone(UTC)


def stored(
    session: Session, statement: Executable, parameters: Mapping[str, Any]
) -> Iterator[Sequence[tuple[Any, ...]]]:
    """Give the rows of a query in pages, as the driver has them: for reading a million.

    Nothing is made of what is in them by a column's type; see `stored_instant`.
    """
    session.flush()
    connection = session.connection()
    with connection.execute(statement, parameters) as found:
        cursor, dbapi = found.cursor, connection.dialect.loaded_dbapi
        assert cursor is not None  # it is a query
        try:
            while rows := cursor.fetchmany(_PAGE):
                yield rows
        except dbapi.Error as error:
            raise DBAPIError.instance(str(statement), parameters, error, dbapi.Error) from error


def stored_instant(session: Session) -> Callable[[Any], Any]:
    """Return what makes an aware UTC time of a stored `Instant`, and `None` of none."""
    return _of_text if session.get_bind().dialect.name == "sqlite" else _in_utc


class Transaction:
    """A session, and the jobs that leave once it is committed."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.jobs: list[Job] = []

    def after_commit(self, job: Job) -> None:
        """Send `job` when, and only when, this transaction is committed."""
        self.jobs.append(job)


class Database:
    """Where everything that must survive is kept: SQLite (WAL) or PostgreSQL.

    On SQLite, which has one writer at a time, one waits for another for as long as `patience`.
    """

    def __init__(self, url: str, *, queue: JobQueue, patience: timedelta = _PATIENCE) -> None:
        self.engine = open_engine(url, patience=patience)
        is_sqlite = self.engine.dialect.name == "sqlite"
        if is_sqlite:
            self._for_reading = self._for_snapshots = open_engine(url, writes=False)
        else:
            # Each statement sees what is committed by then, as it would in a transaction, whose
            # beginning and end are two trips more.
            self._for_reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            self._for_snapshots = self.engine.execution_options(isolation_level="REPEATABLE READ")
        self._queue = queue
        self._patience = patience
        self._writer = threading.RLock() if is_sqlite else None

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Commit when the block ends well, roll back when it does not; then send the jobs.

        On SQLite no other thread writes meanwhile: whoever waits for one in the block waits for
        ever. Raises DatabaseUnavailableError when the database does not answer, and of that kind
        CommitUnconfirmedError when it went away at the very end.
        """
        try:
            # Its end is a rollback, which fails, too, when the database went away.
            with self._turn(), Session(self.engine, expire_on_commit=False) as session:
                transaction = Transaction(session)
                yield transaction
                _commit(session)
        except (OperationalError, NoFreeConnectionError) as error:
            raise _unavailable(self.engine, error) from error
        for job in transaction.jobs:
            self._queue.send(job)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that only reads, and holds no writer up.

        Raises DatabaseUnavailableError when the database does not answer.
        """
        with self._session(self._for_reading) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Give a session that only reads, and sees the database as of one moment throughout.

        Raises DatabaseUnavailableError when the database does not answer.
        """
        with self._session(self._for_snapshots) as session:
            yield session

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        try:
            with Session(engine, expire_on_commit=False) as session:
                yield session
        except (OperationalError, NoFreeConnectionError) as error:
            raise _unavailable(self.engine, error) from error

    def check(self) -> None:
        """Raise DatabaseUnavailableError unless the database answers."""
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
        except (DBAPIError, NoFreeConnectionError) as error:
            raise _unavailable(self.engine, error) from error

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()
        self._for_reading.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Be the only writer of this process on SQLite, whose own writers ask again and again.

        Raises DatabaseUnavailableError when others write for longer than the patience.
        """
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(timeout=self._patience.total_seconds()):
            raise DatabaseUnavailableError(
                f"others of this process have written for {self._patience.total_seconds():g} s"
                f" and write still to {_place(self.engine)}",
                hint="Send it again; nothing was changed",
            )
        try:
            yield
        finally:
            self._writer.release()


def _commit(session: Session) -> None:
    try:
        session.commit()
    except OperationalError as error:
        if not error.connection_invalidated:  # it said no, so nothing was written
            raise
        raise CommitUnconfirmedError(
            "the database went away while the change was written; it may have been",
            hint="Look whether it was, once the database is back, before you send it again",
        ) from error


def _unavailable(engine: Engine, error: SQLAlchemyError) -> DatabaseUnavailableError:
    why = error.orig if isinstance(error, DBAPIError) else "all connections are in use for long"
    return DatabaseUnavailableError(
        f"the database {_place(engine)} cannot be used: {str(why).strip()}",
        hint="Check that it runs, that its folder can be written and has room, and that"
        " `poligon db upgrade` was run",
    )


def _place(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


def open_engine(url: str, *, patience: timedelta = _PATIENCE, writes: bool = True) -> Engine:
    """Return an SQLAlchemy engine for `url`; SQLite's folder is made, its file not yet.

    On SQLite a transaction of one that `writes` is a writer's from its beginning.

    Raises DatabaseUnavailableError when the folder cannot be made.
    """
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_pre_ping=True, **_CONNECTIONS)
        event.listen(engine, "connect", _prepare_postgresql)
        engine.dialect.do_ping = partial(_still_lives, ask=engine.dialect.do_ping)  # type: ignore[method-assign]
        return engine
    file = make_url(url).database
    if file:
        try:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnavailableError(
                f"the database's folder {Path(file).parent} cannot be made: {error.strerror}",
                hint="Set POLIGON_HOME to a folder that this user may write",
            ) from error
    engine = create_engine(
        url,
        connect_args={"timeout": patience.total_seconds()},
        **_CONNECTIONS,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    # A deferred transaction that reads first and writes later fails at once, whatever the time-out,
    # when another one wrote in between. Transactions here are short: take the write lock first.
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    # Not by an event of the engine: SQLAlchemy would ask for more of them with every statement.
    engine.dialect.do_begin = partial(_execute, statement=begin)  # type: ignore[method-assign]
    return engine


def _prepare_postgresql(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # Times come in the session's zone, and of any other than this one each costs twice as much.
    _execute(connection, "SET TIME ZONE 'UTC'")
    connection.commit()


def _still_lives(connection: DBAPIConnection, *, ask: Callable[[DBAPIConnection], bool]) -> bool:
    """Tell whether a connection is one still, which is to be used again.

    The server is asked only where it said something meanwhile, such as that it goes away: a trip
    for every transaction costs more than all that it finds out besides.
    """
    said = select.poll()
    said.register(connection.fileno(), select.POLLIN)
    return ask(connection) if said.poll(0) else True


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver's own BEGIN comes too late for a read that turns into a write; ours is above.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        _execute(connection, f"PRAGMA {pragma}")


def _execute(connection: DBAPIConnection, statement: str) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()
