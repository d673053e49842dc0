"""Corrections and disputes as clients see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from api.bootstrap import Services
from api.v1.points import points
from core.ids import UserId
from scoring.corrections.preview import Preview, TeamDiff
from scoring.corrections.views import Correction, CorrectionState, Dispute, TeamCorrection
from scoring.domain.amendments import Amendment

_Text = Annotated[str, Field(min_length=1, max_length=2000)]


class CorrectionOut(BaseModel):
    """A correction, who proposed it, and who decided on it."""

    id: str = Field(examples=["0123456789ab"])
    amendment: Amendment
    reason: str
    state: CorrectionState
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    note: str = Field(description="Why it was turned down.")

    @classmethod
    def of(cls, found: Correction, names: Mapping[UserId, str]) -> Self:
        """Return it as clients see it, by everybody's names."""
        body = {field: getattr(found, field) for field in cls.model_fields}
        body["proposed_by"] = names[found.proposed_by]
        body["decided_by"] = names[found.decided_by] if found.decided_by else None
        return cls.model_validate(body)


class TaskDiffOut(BaseModel):
    """A task of a team before and after, and whether it is done."""

    task: str = Field(examples=["who"])
    before: float
    after: float
    was_done: bool
    is_done: bool


class TeamDiffOut(BaseModel):
    """A team before and after; a rank is null for one that is out of the ranking."""

    team: str = Field(examples=["team-1"])
    before: float
    after: float
    rank_before: int | None
    rank_after: int | None
    tasks: list[TaskDiffOut]
    reversals: int
    new_entries: int

    @classmethod
    def of(cls, diff: TeamDiff) -> Self:
        """Return it as clients see it."""
        return cls(
            team=diff.team,
            before=points(diff.before),
            after=points(diff.after),
            rank_before=diff.rank_before,
            rank_after=diff.rank_after,
            tasks=[
                TaskDiffOut(
                    task=task.task,
                    before=points(task.before),
                    after=points(task.after),
                    was_done=task.was_done,
                    is_done=task.is_done,
                )
                for task in diff.tasks
            ],
            reversals=diff.reversals,
            new_entries=diff.new_entries,
        )


class FirstMovedOut(BaseModel):
    """A task whose first solve goes from one team to another; null for nobody."""

    task: str
    before: str | None
    after: str | None


class PreviewOut(BaseModel):
    """What a correction would change now; send its `digest` to approve just that."""

    digest: str
    teams: list[TeamDiffOut]
    first_solves: list[FirstMovedOut]

    @classmethod
    def of(cls, seen: Preview) -> Self:
        """Return it as clients see it."""
        return cls(
            digest=seen.digest,
            teams=[TeamDiffOut.of(team) for team in seen.teams],
            first_solves=[
                FirstMovedOut.model_validate(moved, from_attributes=True) for moved in seen.firsts
            ],
        )


class ApprovalIn(BaseModel):
    """What was looked at."""

    model_config = ConfigDict(extra="forbid")
    digest: str = Field(min_length=64, max_length=64, description="Of the preview.")


class RefusalIn(BaseModel):
    """Why a correction is turned down."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(default="", max_length=500)


class TeamCorrectionOut(BaseModel):
    """What was corrected for a team, why, and the points that it moved, by task."""

    id: str
    amendment: Amendment
    reason: str
    at: datetime
    tasks: dict[str, float] = Field(examples=[{"who": -8}])

    @classmethod
    def of(cls, found: TeamCorrection) -> Self:
        """Return it as clients see it."""
        return cls(
            id=found.id,
            amendment=found.amendment,
            reason=found.reason,
            at=found.at,
            tasks={task: points(moved) for task, moved in found.tasks},
        )


class DisputeIn(BaseModel):
    """What a team does not agree with."""

    model_config = ConfigDict(extra="forbid")
    task: str = Field(max_length=64, examples=["who"])
    text: _Text


class DisputeAnswerIn(BaseModel):
    """What a team is answered, and which correction followed if one did."""

    model_config = ConfigDict(extra="forbid")
    text: _Text
    correction: str = Field(default="", max_length=12)


class DisputeOut(BaseModel):
    """A dispute of a team; `answered_at` is null while it waits."""

    id: str
    team: str
    task: str
    text: str
    opened_by: str
    opened_at: datetime
    answer: str
    answered_by: str | None
    answered_at: datetime | None
    correction: str

    @classmethod
    def of(cls, found: Dispute, names: Mapping[UserId, str]) -> Self:
        """Return it as clients see it, by everybody's names."""
        body = {field: getattr(found, field) for field in cls.model_fields}
        body["opened_by"] = names[found.opened_by]
        body["answered_by"] = names[found.answered_by] if found.answered_by else None
        return cls.model_validate(body)


def names_of(services: Services) -> dict[UserId, str]:
    """Return everybody's login name."""
    return {user.id: user.name for user in services.users.everybody()}
