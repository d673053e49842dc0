"""Who marks, what they gave and why, and what became of it."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant

_NAME = 64


class AssessorRow(Base):
    """Somebody who marks in an exercise."""

    __tablename__ = "assessors"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    appointed_at: Mapped[datetime] = mapped_column(Instant())


class MarkingRow(Base):
    """A team's task is marked, for the first time or again; `reason` says why again.

    `decided_at` is when its marks became the team's result, `moderated` whether a moderator's did.
    """

    __tablename__ = "markings"
    __table_args__ = (UniqueConstraint("team_id", "task", "number"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    task: Mapped[str] = mapped_column(String(_NAME))
    number: Mapped[int] = mapped_column(Integer())
    opened_at: Mapped[datetime] = mapped_column(Instant())
    opened_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(String(500), default="")
    decided_at: Mapped[datetime | None] = mapped_column(Instant())
    moderated: Mapped[bool] = mapped_column(default=False)


class MarkSheetRow(Base):
    """The marks of one person in a marking: an assessor's, a moderator's, or the team's own.

    `seat` counts the assessors; nobody sits twice in a marking, as a moderator neither.
    """

    __tablename__ = "mark_sheets"
    __table_args__ = (
        UniqueConstraint("marking_id", "user_id"),
        UniqueConstraint("marking_id", "kind", "seat"),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    marking_id: Mapped[str] = mapped_column(ForeignKey("markings.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(16))
    seat: Mapped[int] = mapped_column(Integer())
    begun_at: Mapped[datetime] = mapped_column(Instant())


class MarkRow(Base):
    """The level that somebody gives for a criterion, and why; a draft until it is handed in."""

    __tablename__ = "marks"

    sheet_id: Mapped[str] = mapped_column(ForeignKey("mark_sheets.id"), primary_key=True)
    criterion: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    level: Mapped[int] = mapped_column(Integer())
    reason: Mapped[str] = mapped_column(Text())
    marked_at: Mapped[datetime] = mapped_column(Instant())
    handed_in_at: Mapped[datetime | None] = mapped_column(Instant())


class MarkReleaseRow(Base):
    """Teams may read what they were given for a task, and why."""

    __tablename__ = "mark_releases"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    task: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    released_at: Mapped[datetime] = mapped_column(Instant())
    released_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
