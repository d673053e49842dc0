"""Extensions, reasons, and the log of what was done, as clients see them."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.journal import JournalEntry


class ReasonIn(BaseModel):
    """Why, for the log."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(default="", max_length=500)


class ExtensionIn(ReasonIn):
    """How much longer, and for whom; without a team, for everybody."""

    minutes: float = Field(gt=0, le=7 * 24 * 60, examples=[10])
    team: str = Field(default="", max_length=40, examples=["team-1"])


class EventOut(BaseModel):
    """An act of a person, or of the system when there is no `actor`; on both clocks."""

    id: int
    at: datetime
    elapsed_seconds: float
    act: str = Field(examples=["exercise.paused"])
    actor: str
    team: str
    subject: str
    text: str
    reason: str


def event_out(entry: JournalEntry) -> EventOut:
    """Return an entry of the log as the interface shows it."""
    return EventOut(
        id=entry.id,
        at=entry.at,
        elapsed_seconds=entry.elapsed.total_seconds(),
        act=entry.act,
        actor=entry.actor,
        team=entry.team,
        subject=entry.subject,
        text=entry.text,
        reason=entry.reason,
    )
