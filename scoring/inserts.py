"""Inserts that a unique key decides, written once for both databases."""

from collections.abc import Sequence

from sqlalchemy import literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.db import Base

Insert = sqlite.Insert | postgresql.Insert


def insert_into(session: Session, table: type[Base]) -> Insert:
    """Return an insert that may say what to do about a conflict, for the database in use."""
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table.metadata.tables[table.__tablename__])


def wrote(session: Session, statement: Insert) -> bool:
    """Carry an insert out; tell whether it wrote a row."""
    # Not by its row count, which is unknown for an INSERT on PostgreSQL.
    return session.scalar(statement.returning(literal_column("1"))) is not None


def add_once(session: Session, row: Base, *key: str) -> bool:
    """Add a row unless one with its key is there; tell whether there was none."""
    statement = insert_into(session, type(row)).values(_values(row))
    return wrote(session, statement.on_conflict_do_nothing(index_elements=list(key)))


def add_all(session: Session, rows: Sequence[Base]) -> None:
    """Add rows of one table, many at once."""
    if rows:
        table = type(rows[0])
        session.execute(insert_into(session, table), [_values(row) for row in rows])


def _values(row: Base) -> dict[str, object]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
