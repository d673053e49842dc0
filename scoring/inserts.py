"""Inserts that a unique key decides, written once for both databases."""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import Executable, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.db import Base, table_of
from scoring.later import Later

Insert = sqlite.Insert | postgresql.Insert


def insert_into(session: Session, table: type[Base]) -> Insert:
    """Return an insert that may say what to do about a conflict, for the database in use."""
    return insert_for(dialect_of(session), table)


def insert_for(dialect: str, table: type[Base]) -> Insert:
    """Return such an insert for a database by its dialect's name."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table_of(table))


def dialect_of(session: Session) -> str:
    """Return what the database in use is called: `sqlite` or `postgresql`."""
    return session.get_bind().dialect.name


def wrote(session: Session, statement: Insert) -> bool:
    """Carry an insert out; tell whether it wrote a row."""
    # Not by its row count, which is unknown for an INSERT on PostgreSQL.
    return session.scalar(statement.returning(literal_column("1"))) is not None


def add_once(session: Session, row: Base, *key: str) -> bool:
    """Add a row unless one with its key is there; tell whether there was none."""
    statement = _once(dialect_of(session), type(row), key)
    return session.scalar(statement, _values(row)) is not None


def put(writes: Later, row: type[Base], values: Mapping[str, object]) -> None:
    """Add a row, or change the one that has its primary key."""
    writes.add(put_into(dialect_of(writes.session), row, tuple(values)), values)


def add_all(session: Session, rows: Sequence[Base]) -> None:
    """Add rows of one table, many at once."""
    if rows:
        table = type(rows[0])
        session.execute(insert_into(session, table), [_values(row) for row in rows])


@cache
def _once(dialect: str, table: type[Base], key: tuple[str, ...]) -> Executable:
    statement = insert_for(dialect, table).on_conflict_do_nothing(index_elements=key)
    return statement.returning(literal_column("1"))


@cache
def put_into(dialect: str, table: type[Base], columns: tuple[str, ...]) -> Insert:
    """Return an insert of a row that changes these columns of one that has its primary key."""
    statement = insert_for(dialect, table)
    key = [column.name for column in table_of(table).primary_key]
    others = {name: statement.excluded[name] for name in columns if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=others)


def _values(row: Base) -> dict[str, object]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
