"""Exercises, teams, worlds and the addresses they hold; injects, messages and sessions."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant


class ScenarioPackRow(Base):
    """A scenario as it was launched: its whole folder, so that a result can be checked for ever."""

    __tablename__ = "scenario_packs"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    scenario_id: Mapped[str] = mapped_column(String(64))
    archive: Mapped[bytes] = mapped_column(LargeBinary())
    stored_at: Mapped[datetime] = mapped_column(Instant())


class RehearsalRow(Base):
    """How the last rehearsal of a scenario's content went; the content itself is not kept."""

    __tablename__ = "rehearsals"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    scenario_id: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(Instant())
    report: Mapped[dict[str, Any]] = mapped_column(JSON())


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
    """A start, pause, resume, extension or end of an exercise's or a team's clock, in order."""

    __tablename__ = "clock_events"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer(), primary_key=True)
    tick: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime] = mapped_column(Instant())
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    by_seconds: Mapped[int] = mapped_column(Integer(), default=0)


class JournalRow(Base):
    """An act of a person or of the system, on both clocks; rows are only ever added."""

    __tablename__ = "journal"
    __table_args__ = ({"sqlite_autoincrement": True},)

    # SQLite numbers rows by itself only for exactly INTEGER, which holds 64 bits there.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    at: Mapped[datetime] = mapped_column(Instant())
    exercise_ms: Mapped[int] = mapped_column(BigInteger())
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    act: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(64), default="")
    text: Mapped[str] = mapped_column(String(2000), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")


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
    stopped: Mapped[str | None] = mapped_column(String(8))
    reference: Mapped[bool] = mapped_column(default=False)  # attacked, not ranked
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime] = mapped_column(Instant())


class IsolationRow(Base):
    """What the self-test of a team's world found last."""

    __tablename__ = "isolation_results"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant())
    host: Mapped[str] = mapped_column(Text())
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


class BuildRow(Base):
    """How the first building of an exercise's worlds ended, and how long it took."""

    __tablename__ = "builds"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    scenario_digest: Mapped[str] = mapped_column(String(64), index=True)
    hosts: Mapped[int] = mapped_column(Integer())
    milliseconds: Mapped[int] = mapped_column(Integer())
    ready: Mapped[bool] = mapped_column()
    at: Mapped[datetime] = mapped_column(Instant(), index=True)


class RepairRow(Base):
    """A host that is to be raised again; `done_at` is when it was tried, however that ended."""

    __tablename__ = "repairs"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    host: Mapped[str] = mapped_column(String(64))
    cause: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(Instant())
    done_at: Mapped[datetime | None] = mapped_column(Instant())


class ResetRow(Base):
    """A host that somebody had made anew. `number` counts a team's own; others have none."""

    __tablename__ = "resets"
    __table_args__ = (UniqueConstraint("team_id", "host", "number"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    host: Mapped[str] = mapped_column(String(64))
    number: Mapped[int | None] = mapped_column(Integer())
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime] = mapped_column(Instant())


class SubnetRow(Base):
    """A subnet that a world holds, or an exercise for all its worlds.

    One that is nobody's turned out to be taken.
    """

    __tablename__ = "subnets"
    __table_args__ = (
        UniqueConstraint("team_id", "network"),
        UniqueConstraint("exercise_id", "network"),
    )

    subnet: Mapped[str] = mapped_column(String(18), primary_key=True)
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"), index=True)
    exercise_id: Mapped[str | None] = mapped_column(ForeignKey("exercises.id"), index=True)
    network: Mapped[str | None] = mapped_column(String(64))


class FormerSubnetRow(Base):
    """The subnet that a network of a removed world had, or that its exercise shared.

    Others may hold it since. It is kept for the texts and right answers that name addresses.
    """

    __tablename__ = "former_subnets"
    __table_args__ = (
        UniqueConstraint("team_id", "network"),
        UniqueConstraint("exercise_id", "network"),
    )

    id: Mapped[int] = mapped_column(Integer(), primary_key=True)
    subnet: Mapped[str] = mapped_column(String(18))
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    exercise_id: Mapped[str | None] = mapped_column(ForeignKey("exercises.id"))
    network: Mapped[str] = mapped_column(String(64))


class InjectFiringRow(Base):
    """What became of one occurrence of an inject for one team; its key makes it happen once.

    Times in ms are the team's clock: when it should have gone out, when it did or was skipped, and
    when a link that it changed is restored. `attempt` counts how often its outside actions were
    begun.
    """

    __tablename__ = "inject_firings"
    __table_args__ = (UniqueConstraint("team_id", "inject", "occurrence"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    inject: Mapped[str] = mapped_column(String(64))
    occurrence: Mapped[int] = mapped_column(Integer())
    state: Mapped[str] = mapped_column(String(16), index=True)
    due_ms: Mapped[int | None] = mapped_column(BigInteger())
    at_ms: Mapped[int | None] = mapped_column(BigInteger())
    changed_at: Mapped[datetime] = mapped_column(Instant())
    undo_ms: Mapped[int | None] = mapped_column(BigInteger())
    attempt: Mapped[int] = mapped_column(Integer())
    detail: Mapped[str] = mapped_column(String(2000))
    expectation: Mapped[str | None] = mapped_column(String(8))
    claimed_by: Mapped[str | None] = mapped_column(String(64))
    claimed_until: Mapped[datetime] = mapped_column(Instant())


class InjectShiftRow(Base):
    """The rest of a team's injects was moved, at `at_ms` of its clock; rows are only ever added."""

    __tablename__ = "inject_shifts"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer(), primary_key=True)
    at_ms: Mapped[int] = mapped_column(BigInteger())
    by_ms: Mapped[int] = mapped_column(BigInteger())


class MessageRow(Base):
    """What a team was told, and by which inject; `recipient` is a role, or `all`."""

    __tablename__ = "messages"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), index=True)
    firing_id: Mapped[str] = mapped_column(ForeignKey("inject_firings.id"), unique=True)
    sender: Mapped[str] = mapped_column(Text())
    recipient: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text())
    at: Mapped[datetime] = mapped_column(Instant())
    exercise_ms: Mapped[int] = mapped_column(BigInteger())


class InjectReplyRow(Base):
    """What somebody of a team answered to a message."""

    __tablename__ = "inject_replies"
    __table_args__ = (
        UniqueConstraint("team_id", "client_key"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True
    )
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    firing_id: Mapped[str] = mapped_column(ForeignKey("inject_firings.id"), index=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    client_key: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text())
    at: Mapped[datetime] = mapped_column(Instant())
    exercise_ms: Mapped[int] = mapped_column(BigInteger())


class AccessSessionRow(Base):
    """Somebody's session in a host. `exercise_ms` is the team's clock when it began.

    `unrecorded` says why there is no recording, or why it ends early; `deleted_at` is when the
    recording and the commands were deleted because their time was over.
    """

    __tablename__ = "access_sessions"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    login: Mapped[str] = mapped_column(String(200))
    host: Mapped[str] = mapped_column(String(64))
    account: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    began_at: Mapped[datetime] = mapped_column(Instant())
    exercise_ms: Mapped[int] = mapped_column(BigInteger())
    ended_at: Mapped[datetime | None] = mapped_column(Instant())
    exit_code: Mapped[int | None] = mapped_column(Integer())
    how: Mapped[str] = mapped_column(String(500), default="")
    shown_bytes: Mapped[int] = mapped_column(BigInteger(), default=0)
    unrecorded: Mapped[str] = mapped_column(String(200), default="")
    cast_file: Mapped[str | None] = mapped_column(String(40))
    cast_bytes: Mapped[int | None] = mapped_column(BigInteger())
    cast_sha256: Mapped[str | None] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None] = mapped_column(Instant())


class SessionCommandRow(Base):
    """A command that was run in a session; rows are only ever added, and deleted in time."""

    __tablename__ = "session_commands"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("access_sessions.id"), index=True)
    at: Mapped[datetime] = mapped_column(Instant())
    line: Mapped[str] = mapped_column(Text())


class SessionFileRow(Base):
    """A file that went in or out in a session, `whole` or not; rows are only ever added."""

    __tablename__ = "session_files"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("access_sessions.id"), index=True)
    at: Mapped[datetime] = mapped_column(Instant())
    direction: Mapped[str] = mapped_column(String(16))
    path: Mapped[str] = mapped_column(Text())
    size_bytes: Mapped[int] = mapped_column(BigInteger())
    sha256: Mapped[str] = mapped_column(String(64))
    whole: Mapped[bool] = mapped_column(default=False, server_default=false())


class SessionForwardRow(Base):
    """A connection that was forwarded in a session; rows are only ever added."""

    __tablename__ = "session_forwards"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("access_sessions.id"), index=True)
    began_at: Mapped[datetime] = mapped_column(Instant())
    ended_at: Mapped[datetime] = mapped_column(Instant())
    target: Mapped[str] = mapped_column(String(255))
    port: Mapped[int] = mapped_column(Integer())
    bytes_to_target: Mapped[int] = mapped_column(BigInteger())
    bytes_from_target: Mapped[int] = mapped_column(BigInteger())
