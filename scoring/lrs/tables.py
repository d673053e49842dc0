"""The outbox: statements that were told or are to be, and how the LRS last answered."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant

_IS_TRUE = text("is_true")


class StatementRow(Base):
    """A statement, in the order of `number`; `state` is a `scoring.lrs.state.State`.

    `revision` counts what was told of a subject, from 1. Of each subject one row at most `is_true`.
    One that `voids` another takes it back. `problem` is why the LRS refused it.
    """

    __tablename__ = "lrs_statements"
    __table_args__ = (
        UniqueConstraint("exercise_id", "subject", "revision"),
        Index(
            "ix_lrs_statements_true",
            "exercise_id",
            "subject",
            unique=True,
            sqlite_where=_IS_TRUE,
            postgresql_where=_IS_TRUE,
        ),
        Index(None, "state", "number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(36), unique=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    subject: Mapped[str] = mapped_column(String(120))
    revision: Mapped[int] = mapped_column(Integer())
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text())
    is_true: Mapped[bool] = mapped_column()
    voids: Mapped[str | None] = mapped_column(String(36), unique=True)
    state: Mapped[str] = mapped_column(String(16))
    problem: Mapped[str] = mapped_column(Text(), default="")
    booked_at: Mapped[datetime] = mapped_column(Instant())
    delivered_at: Mapped[datetime | None] = mapped_column(Instant())


class ToldRow(Base):
    """An exercise whose record was put into the outbox as it was after so many facts."""

    __tablename__ = "lrs_told"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    facts: Mapped[int] = mapped_column(BigInteger())


class LrsRow(Base):
    """An LRS by its address: who delivers to it now, and how often it failed since it last did not.

    Nobody tries before `due`, and nobody else before `held_until`.
    """

    __tablename__ = "lrs"

    address: Mapped[str] = mapped_column(String(500), primary_key=True)
    held_by: Mapped[str] = mapped_column(String(12))
    held_until: Mapped[datetime] = mapped_column(Instant())
    failures: Mapped[int] = mapped_column(Integer())
    due: Mapped[datetime] = mapped_column(Instant())
    problem: Mapped[str] = mapped_column(Text())
