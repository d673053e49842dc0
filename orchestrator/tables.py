"""Exercises, teams, worlds and the addresses they hold."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant


class ScenarioPackRow(Base):
    """A scenario as it was launched: its whole folder, so that a result can be checked for ever."""

    __tablename__ = "scenario_packs"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    scenario_id: Mapped[str] = mapped_column(String(64))
    archive: Mapped[bytes] = mapped_column(LargeBinary())
    stored_at: Mapped[datetime] = mapped_column(Instant())


class ExerciseRow(Base):
    """An exercise. `secret` is the key of its values and never enters a range."""

    __tablename__ = "exercises"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    phase: Mapped[str] = mapped_column(String(16), index=True)
    scenario_id: Mapped[str] = mapped_column(String(64))
    scenario_version: Mapped[str] = mapped_column(String(64))
    scenario_title: Mapped[str] = mapped_column(String(200))
    scenario_digest: Mapped[str] = mapped_column(ForeignKey("scenario_packs.digest"))
    duration_seconds: Mapped[int] = mapped_column(Integer())
    secret: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(Instant())
    story_start: Mapped[datetime] = mapped_column(Instant())
    prepared_at: Mapped[datetime | None] = mapped_column(Instant())
    kept_at: Mapped[datetime | None] = mapped_column(Instant())
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime] = mapped_column(Instant())


class ClockEventRow(Base):
    """A start, pause, resume or end of an exercise's clock, in order."""

    __tablename__ = "clock_events"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer(), primary_key=True)
    tick: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(Instant())


class TeamRow(Base):
    """A team, and where its world is."""

    __tablename__ = "teams"
    __table_args__ = (
        UniqueConstraint("exercise_id", "slug"),
        UniqueConstraint("exercise_id", "number"),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    slug: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    number: Mapped[int] = mapped_column(Integer())
    world: Mapped[str] = mapped_column(String(16), index=True)
    world_since: Mapped[datetime] = mapped_column(Instant())
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON())
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime] = mapped_column(Instant())


class IsolationRow(Base):
    """What the self-test of a team's world found last."""

    __tablename__ = "isolation_results"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant())
    host: Mapped[str] = mapped_column(String(64))
    findings: Mapped[list[dict[str, str]]] = mapped_column(JSON())


class MemberRow(Base):
    """Somebody's place in a team; one place an exercise."""

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("exercise_id", "user_id"),)

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    role: Mapped[str] = mapped_column(String(64))
    guest: Mapped[bool] = mapped_column(default=False)  # an account that the launch made


class SubnetRow(Base):
    """A subnet that a world holds, or (without a team) one that turned out to be taken."""

    __tablename__ = "subnets"
    __table_args__ = (UniqueConstraint("team_id", "network"),)

    subnet: Mapped[str] = mapped_column(String(18), primary_key=True)
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), index=True)
    network: Mapped[str | None] = mapped_column(String(64))
