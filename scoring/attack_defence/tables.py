"""Facts of attack and defence, and what is kept at hand to close a round quickly.

Flags that were issued, looks and captures are only ever added.
"""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant

# Identifiers of the scenario language have at most 41 characters.
_NAME = 64
_VERDICT = 16


class ServiceRoundRow(Base):
    """A round of an exercise, for every service and team: `open`, then `closed`.

    `deadline_ms` is exercise time. `whole` is whether it went on until then.
    """

    __tablename__ = "service_rounds"
    __table_args__ = (UniqueConstraint("exercise_id", "number"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    number: Mapped[int] = mapped_column(Integer())
    state: Mapped[str] = mapped_column(String(8), index=True)
    deadline_ms: Mapped[int] = mapped_column(BigInteger())
    opened_at: Mapped[datetime] = mapped_column(Instant())
    closed_at: Mapped[datetime | None] = mapped_column(Instant())
    whole: Mapped[bool] = mapped_column(default=True)


class FlagIssueRow(Base):
    """A flag that a service of a team keeps from a round on: its SHA-256, never the flag itself."""

    __tablename__ = "flag_issues"
    __table_args__ = (UniqueConstraint("service", "team_id", "round"),)

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    service: Mapped[str] = mapped_column(String(_NAME))
    round: Mapped[int] = mapped_column(Integer())
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    issued_at: Mapped[datetime] = mapped_column(Instant())


class ServiceLookRow(Base):
    """What a checker saw of a service of a team in a round; the first counts.

    One that is `late` came after the round was closed and is never scored. `put` is whether a flag
    was left, `flag_id` what the checker printed then.
    """

    __tablename__ = "service_looks"
    __table_args__ = (
        UniqueConstraint("exercise_id", "service", "team_id", "round"),
        Index(None, "exercise_id", "round"),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    service: Mapped[str] = mapped_column(String(_NAME))
    round: Mapped[int] = mapped_column(Integer())
    verdict: Mapped[str] = mapped_column(String(_VERDICT))
    put: Mapped[str] = mapped_column(String(_VERDICT))
    flag_id: Mapped[str] = mapped_column(Text())
    output: Mapped[str] = mapped_column(Text())
    late: Mapped[bool] = mapped_column()
    started_at: Mapped[datetime] = mapped_column(Instant())
    exercise_ms: Mapped[int] = mapped_column(BigInteger())
    duration_ms: Mapped[int] = mapped_column(Integer())


class CaptureRow(Base):
    """A team handed in another one's flag; once for ever. It counts in `round`."""

    __tablename__ = "captures"
    __table_args__ = (
        UniqueConstraint("issue_id", "team_id"),
        Index(None, "exercise_id", "round"),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"))
    issue_id: Mapped[str] = mapped_column(ForeignKey("flag_issues.id"))
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    round: Mapped[int] = mapped_column(Integer())
    captured_at: Mapped[datetime] = mapped_column(Instant())


class ServiceTallyRow(Base):
    """What a service of a team has after a round: can be dropped and folded again from the facts.

    Points in thousandths.
    """

    __tablename__ = "service_tallies"

    round_id: Mapped[str] = mapped_column(ForeignKey("service_rounds.id"), primary_key=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    service: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    verdict: Mapped[str | None] = mapped_column(String(_VERDICT))
    rounds: Mapped[int] = mapped_column(Integer())
    scored: Mapped[int] = mapped_column(Integer())
    earned: Mapped[int] = mapped_column(BigInteger())
    attack: Mapped[int] = mapped_column(BigInteger())
    defence: Mapped[int] = mapped_column(BigInteger())
    captured: Mapped[int] = mapped_column(Integer())
    lost: Mapped[int] = mapped_column(Integer())


class ServiceDispatchRow(Base):
    """The last round for which somebody was sent to a service, and until when nobody else is."""

    __tablename__ = "service_dispatches"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    service: Mapped[str] = mapped_column(String(_NAME), primary_key=True)
    round: Mapped[int] = mapped_column(Integer())
    until: Mapped[datetime] = mapped_column(Instant())
