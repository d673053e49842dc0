"""Facts, the ledger that follows from them, and what is kept at hand to derive it quickly."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant

# SQLite numbers rows by itself only for exactly INTEGER, which holds 64 bits there.
_Number = BigInteger().with_variant(Integer(), "sqlite")
# Identifiers of the scenario language have at most 41 characters.
_NAME = 64
_VERDICT = 16
_WORKER = 32


class SubmissionRow(Base):
    """What a team sent for a task, and what it was told. `attempt` counts what was judged."""

    __tablename__ = "submissions"
    __table_args__ = (
        UniqueConstraint("team_id", "client_key"),
        UniqueConstraint("team_id", "task", "attempt"),
        Index(None, "team_id", "received_at"),
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
    """A team has done a task: what follows from its facts and from corrections, kept at hand."""

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
    """A closed round of a check of a team, with the look that decided it.

    Times are wall time and exercise time. Of a round that fell into a maintenance window it says
    which. A round that is `missing` has nobody's look.
    """

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
    worker: Mapped[str] = mapped_column(String(_WORKER), default="")
    window_id: Mapped[str | None] = mapped_column(ForeignKey("maintenance_windows.id"))


class CheckRoundRow(Base):
    """A round of a check that is not closed; see `scoring.domain.rounds`.

    What was seen is the first look while the round is in doubt, and the one that counts once it is
    decided. `deadline_ms` is the team's clock; `sent_at` is when somebody was last asked to look.
    """

    __tablename__ = "check_rounds"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    check: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    round: Mapped[int] = mapped_column(Integer(), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    state: Mapped[str] = mapped_column(String(16))
    deadline_ms: Mapped[int] = mapped_column(BigInteger())
    sent_at: Mapped[datetime] = mapped_column(Instant())
    worker: Mapped[str | None] = mapped_column(String(_WORKER))
    verdict: Mapped[str | None] = mapped_column(String(_VERDICT))
    output: Mapped[str | None] = mapped_column(Text())
    started_at: Mapped[datetime | None] = mapped_column(Instant())
    exercise_ms: Mapped[int | None] = mapped_column(BigInteger())
    duration_ms: Mapped[int | None] = mapped_column(Integer())
    window_id: Mapped[str | None] = mapped_column(ForeignKey("maintenance_windows.id"))


class CheckLookRow(Base):
    """A look that decided no round: the first of two, or one that came too late. Never scored."""

    __tablename__ = "check_looks"
    __table_args__ = (Index(None, "team_id", "check", "round"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    check: Mapped[str] = mapped_column(String(_NAME))
    round: Mapped[int] = mapped_column(Integer())
    why: Mapped[str] = mapped_column(String(16))
    worker: Mapped[str] = mapped_column(String(_WORKER))
    verdict: Mapped[str] = mapped_column(String(_VERDICT))
    output: Mapped[str] = mapped_column(Text())
    started_at: Mapped[datetime] = mapped_column(Instant())
    exercise_ms: Mapped[int] = mapped_column(BigInteger())
    duration_ms: Mapped[int] = mapped_column(Integer())


class CheckWorkerRow(Base):
    """A process that carries out checks, and when it last said so."""

    __tablename__ = "check_workers"

    worker: Mapped[str] = mapped_column(String(_WORKER), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(Instant())


class MaintenanceRow(Base):
    """A declared stretch of wall time whose rounds count for nobody; `to_at` is not in it.

    For every team without a `team_id`, for every check without a `check`.
    """

    __tablename__ = "maintenance_windows"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    check: Mapped[str | None] = mapped_column(String(_NAME))
    from_at: Mapped[datetime] = mapped_column(Instant())
    to_at: Mapped[datetime] = mapped_column(Instant())
    reason: Mapped[str] = mapped_column(String(500))
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    declared_at: Mapped[datetime] = mapped_column(Instant())


class CheckQuestionRow(Base):
    """A team asked whether the checks of a task pass now. `answer` is JSON, once it is there."""

    __tablename__ = "check_questions"
    __table_args__ = (Index(None, "team_id", "task", "asked_at"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    task: Mapped[str] = mapped_column(String(_NAME))
    asked_at: Mapped[datetime] = mapped_column(Instant())
    answered_at: Mapped[datetime | None] = mapped_column(Instant())
    answer: Mapped[str | None] = mapped_column(Text())


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
    recovering: Mapped[int] = mapped_column(Integer(), default=0)
    missed: Mapped[int] = mapped_column(Integer(), default=0)
    failures: Mapped[int] = mapped_column(Integer())


class CheckDispatchRow(Base):
    """The last round of a check that a sweep sent a job for, so that no other sweep does."""

    __tablename__ = "check_dispatches"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    check: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    round: Mapped[int] = mapped_column(Integer())


class FeedItemRow(Base):
    """An event of another system, taken once: what it gave a team, who says so, and why.

    `event` is its name there; `sent_at` is by the sender's clock.
    """

    __tablename__ = "feed_items"
    __table_args__ = (UniqueConstraint("exercise_id", "event"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    task: Mapped[str] = mapped_column(String(_NAME))
    event: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(80))
    milli_points: Mapped[int] = mapped_column(BigInteger())
    reason: Mapped[str] = mapped_column(String(300))
    sent_at: Mapped[datetime] = mapped_column(Instant())
    received_at: Mapped[datetime] = mapped_column(Instant())


class FeedKeyRow(Base):
    """Which key of its own an exercise's feed has; the first, where there is no row."""

    __tablename__ = "feed_keys"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer())


class FactRow(Base):
    """A fact in the order of its team: what `Cause` says of each column. Rows are only added.

    `position` counts from 1 within the team; the order of facts is this, whatever clocks say.
    """

    __tablename__ = "score_facts"
    __table_args__ = (UniqueConstraint("team_id", "cause_type", "cause_id"),)

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger(), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    cause_type: Mapped[str] = mapped_column(String(16))
    cause_id: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(Instant())
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    subject: Mapped[str] = mapped_column(String(_NAME))
    number: Mapped[int] = mapped_column(Integer())
    outcome: Mapped[str] = mapped_column(String(_VERDICT))
    exercise_ms: Mapped[int] = mapped_column(BigInteger())
    milli_points: Mapped[int] = mapped_column(BigInteger())
    ruling: Mapped[str | None] = mapped_column(Text())


class ScoreEntryRow(Base):
    """A movement of points. Rows are only ever added; the database refuses anything else.

    `position` counts from 1 within the team; `hash` is over the row and the hash before it.
    """

    __tablename__ = "score_entries"
    __table_args__ = (
        Index(None, "team_id", "task"),
        Index(None, "team_id", "position", unique=True),
        # Who solved a task first, without a look at everybody who did.
        Index(
            "ix_score_entries_solves",
            *("exercise_id", "task", "effective_at", "id"),
            sqlite_where=text("kind = 'solve'"),
            postgresql_where=text("kind = 'solve'"),
        ),
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
    position: Mapped[int] = mapped_column(BigInteger(), server_default="0")
    prev_hash: Mapped[str] = mapped_column(String(64), server_default="")
    hash: Mapped[str] = mapped_column(String(64), server_default="")


class StandingRow(Base):
    """What a team has after its last entry: can be dropped and made from the ledger again.

    `version` is that entry's position, `upto_entry` its id, `tasks` the thousandths by task.
    """

    __tablename__ = "standings"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    milli_points: Mapped[int] = mapped_column(BigInteger())
    tasks: Mapped[dict[str, int]] = mapped_column(JSON())
    moved_at: Mapped[datetime | None] = mapped_column(Instant())
    version: Mapped[int] = mapped_column(BigInteger())
    upto_entry: Mapped[int] = mapped_column(BigInteger())


class SealRow(Base):
    """The heads of all chains of an exercise at one time. Rows are only ever added.

    `heads` is team → position and hash of its last entry; `hash` is over them and the seal before.
    """

    __tablename__ = "score_seals"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer(), primary_key=True)
    heads: Mapped[dict[str, list[Any]]] = mapped_column(JSON())
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    why: Mapped[str] = mapped_column(String(16))
    sealed_at: Mapped[datetime] = mapped_column(Instant())


class ProofRow(Base):
    """When an exercise's ledger was last looked through, and what was found then."""

    __tablename__ = "score_proofs"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant())
    faults: Mapped[list[str]] = mapped_column(JSON())


class ImprovementRow(Base):
    """A line of an exercise's improvement plan; people change it as the work goes on."""

    __tablename__ = "improvements"

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    team_id: Mapped[str | None] = mapped_column(ForeignKey("teams.id"))
    area: Mapped[str] = mapped_column(Text())
    action: Mapped[str] = mapped_column(Text())
    owner: Mapped[str] = mapped_column(String(200))
    due: Mapped[date | None] = mapped_column(Date())
    done_at: Mapped[datetime | None] = mapped_column(Instant())
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(Instant())
    changed_at: Mapped[datetime] = mapped_column(Instant())


class SurveyRow(Base):
    """What a member says of an exercise; who it was only keeps it from being said twice."""

    __tablename__ = "survey_answers"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    ratings: Mapped[dict[str, int]] = mapped_column(JSON())
    texts: Mapped[dict[str, str]] = mapped_column(JSON())
    at: Mapped[datetime] = mapped_column(Instant())
