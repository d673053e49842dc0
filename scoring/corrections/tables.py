"""Corrections and disputes as rows."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant

_OPEN = text("answered_at IS NULL")


class CorrectionRow(Base):
    """A correction that somebody proposed, and what became of it.

    `body` is the amendment, `note` why it was turned down.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        CheckConstraint(
            "state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name="second_person",
        ),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON())
    reason: Mapped[str] = mapped_column(String(500))
    state: Mapped[str] = mapped_column(String(16))
    proposed_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    proposed_at: Mapped[datetime] = mapped_column(Instant())
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Instant())
    note: Mapped[str] = mapped_column(String(500), default="")


class DisputeRow(Base):
    """A team does not agree with the score of a task; one at a time for each."""

    __tablename__ = "disputes"
    __table_args__ = (
        Index(
            "ix_disputes_open",
            "team_id",
            "task",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    task: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text())
    opened_by: Mapped[str] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[datetime] = mapped_column(Instant())
    answer: Mapped[str] = mapped_column(Text(), default="")
    answered_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime | None] = mapped_column(Instant())
    correction_id: Mapped[str | None] = mapped_column(ForeignKey("corrections.id"))
