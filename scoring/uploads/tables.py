"""What teams handed in."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant


class DeliveryRow(Base):
    """A file that a team handed in for a task; rows are only ever added, the last one counts.

    Its content lies under `sha256`; `name` is what its owner called it, for people to read only.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("team_id", "task", "revision"),
        UniqueConstraint("team_id", "client_key"),
    )

    id: Mapped[str] = mapped_column(String(12), primary_key=True)
    exercise_id: Mapped[str] = mapped_column(ForeignKey("exercises.id"), index=True)
    team_id: Mapped[str] = mapped_column(ForeignKey("teams.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    task: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int] = mapped_column(Integer())
    client_key: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(255))
    ending: Mapped[str] = mapped_column(String(21))
    media_type: Mapped[str] = mapped_column(String(100))
    size_bytes: Mapped[int] = mapped_column(BigInteger())
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    scan: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[datetime] = mapped_column(Instant())
    exercise_ms: Mapped[int] = mapped_column(BigInteger())
