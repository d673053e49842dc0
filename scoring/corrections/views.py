"""What people see of corrections and disputes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.ids import UserId
from scoring.domain.amendments import Amendment


class CorrectionState(StrEnum):
    """What became of a correction."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A correction; `note` is why it was turned down."""

    id: str
    amendment: Amendment
    reason: str
    state: CorrectionState
    proposed_by: UserId
    proposed_at: datetime
    decided_by: UserId | None
    decided_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCorrection:
    """A correction that holds or held for a team, and the thousandths that it moved, by task."""

    id: str
    amendment: Amendment
    reason: str
    at: datetime
    tasks: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A team does not agree with a task's score, and what it was answered.

    `correction` is the one that followed; `` for none.
    """

    id: str
    team: str
    task: str
    text: str
    opened_by: UserId
    opened_at: datetime
    answer: str
    answered_by: UserId | None
    answered_at: datetime | None
    correction: str
