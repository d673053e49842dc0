"""Facts, the ledger that follows from them, and what is kept at hand to derive it quickly."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant

# SQLite numbers rows by itself only for exactly INTEGER, which holds 64 bits there.
_Number = BigInteger().with_variant(Integer(), "sqlite")
# Identifiers of the scenario language have at most 41 characters.
_NAME = 64
_VERDICT = 16


class SubmissionRow(Base):
    """What a team sent for a task, and what it was told. `attempt` counts what was judged."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("team_id", "client_key"),
        UniqueConstraint("team_id", "task", "attempt"),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    task: Mapped[str] = mapped_column(String(_NAME))
    client_key: Mapped[str] = mapped_column(String(100))
    value: Mapped[str] = mapped_column(Text())
    verdict: Mapped[str] = mapped_column(String(_VERDICT))
    attempt: Mapped[int | None] = mapped_column(Integer())
    attempts_left: Mapped[int | None] = mapped_column(Integer())
    milli_points: Mapped[int] = mapped_column(BigInteger())
    received_at: Mapped[datetime] = mapped_column(Instant())


class SolveRow(Base):
    """A team has done a task; once for ever, whoever of it was first."""

    __tablename__ = "solves"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    task: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    cause_type: Mapped[str] = mapped_column(String(16))
    cause_id: Mapped[str] = mapped_column(String(12))
    solved_at: Mapped[datetime] = mapped_column(Instant())


class SignalRow(Base):
    """Something a person should look at: a team sent another team's secret."""

    __tablename__ = "signals"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submissions.id"), unique=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    owner_team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    value_name: Mapped[str] = mapped_column(String(_NAME))
    noticed_at: Mapped[datetime] = mapped_column(Instant())


class HintTakenRow(Base):
    """A team has taken a hint of a task, by its number there; once for ever."""

    __tablename__ = "hints_taken"
    __table_args__ = (UniqueConstraint("team_id", "task", "hint"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    task: Mapped[str] = mapped_column(String(_NAME))
    hint: Mapped[int] = mapped_column(Integer())
    taken_at: Mapped[datetime] = mapped_column(Instant())


class CheckRunRow(Base):
    """One look of a check at a team's world. Times are wall time and exercise time."""

    __tablename__ = "check_runs"
    __table_args__ = (UniqueConstraint("team_id", "check", "round"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    check: Mapped[str] = mapped_column(String(_NAME))
    round: Mapped[int] = mapped_column(Integer())
    verdict: Mapped[str] = mapped_column(String(_VERDICT))
    output: Mapped[str] = mapped_column(Text())
    started_at: Mapped[datetime] = mapped_column(Instant())
    exercise_ms: Mapped[int] = mapped_column(BigInteger())
    duration_ms: Mapped[int] = mapped_column(Integer())


class CheckStateRow(Base):
    """A check of a team after its runs so far: can be dropped and folded from them again."""

    __tablename__ = "check_states"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    check: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    round: Mapped[int] = mapped_column(Integer())
    verdict: Mapped[str] = mapped_column(String(_VERDICT))
    passing_since_ms: Mapped[int | None] = mapped_column(BigInteger())
    passed_at_ms: Mapped[int | None] = mapped_column(BigInteger())
    scored: Mapped[int] = mapped_column(Integer())
    passed: Mapped[int] = mapped_column(Integer())


class CheckDispatchRow(Base):
    """The last round of a check that a sweep sent a job for, so that no other sweep does."""

    __tablename__ = "check_dispatches"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    check: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    round: Mapped[int] = mapped_column(Integer())


class ScoreEntryRow(Base):
    """A movement of points. Rows are only ever added; the database refuses anything else."""

    __tablename__ = "score_entries"
    __table_args__ = (
        Index(None, "team_id", "task"),
        # Ids are never given twice, not even after a backup was put back over newer rows.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(_Number, primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    task: Mapped[str] = mapped_column(String(_NAME))
    kind: Mapped[str] = mapped_column(String(16))
    milli_points: Mapped[int] = mapped_column(BigInteger())
    effective_at: Mapped[datetime] = mapped_column(Instant())
    recorded_at: Mapped[datetime] = mapped_column(Instant())
    cause_type: Mapped[str] = mapped_column(String(16))
    cause_id: Mapped[str] = mapped_column(String(12))
    idem_key: Mapped[str] = mapped_column(String(120), unique=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("score_entries.id"), unique=True)
    reason: Mapped[str] = mapped_column(String(500), default="")
