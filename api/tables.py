"""What the interface remembers of writes that carried an Idempotency-Key."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Instant


class IdempotencyKeyRow(Base):
    """A write under way (`status` empty) or done, by the caller's key."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    status: Mapped[int | None] = mapped_column(Integer())
    body: Mapped[str | None] = mapped_column(Text())
    created_at: Mapped[datetime] = mapped_column(Instant(), index=True)
