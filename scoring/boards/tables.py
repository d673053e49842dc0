"""Boards that are kept, what they stand on, and links to public ones."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant


class BoardSnapshotRow(Base):
    """A board as an audience sees it: the one of the freeze, which nothing moves, and the last one.

    The last one of an exercise that is over can be dropped and made again.
    """

    __tablename__ = "board_snapshots"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    audience: Mapped[str] = mapped_column(String(8), primary_key=True)
    frozen: Mapped[bool] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(200))
    upto_entry: Mapped[int] = mapped_column(BigInteger())
    body: Mapped[str] = mapped_column(Text())
    sha256: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(Instant())


class FrozenStandingRow(Base):
    """What a team had at its freeze, as `StandingRow`; written once, whatever is booked later."""

    __tablename__ = "frozen_standings"

    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    tasks: Mapped[dict[str, int]] = mapped_column(JSON())
    moved_at: Mapped[datetime | None] = mapped_column(Instant())
    version: Mapped[int] = mapped_column(BigInteger())
    upto_entry: Mapped[int] = mapped_column(BigInteger())
    frozen_at: Mapped[datetime] = mapped_column(Instant())


class PublicBoardRow(Base):
    """The link under which anybody sees an exercise's board, while there is one."""

    __tablename__ = "public_boards"

    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), primary_key=True)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    anonymous: Mapped[bool] = mapped_column()
    opened_at: Mapped[datetime] = mapped_column(Instant())
