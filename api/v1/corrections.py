"""Corrections of scores, and disputes about them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Caller, Instructor, Observer, ServicesHere, Trainee
from api.bootstrap import Services
from api.idempotency import RememberingRoute
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.exercises import ExerciseHere, document_key
from api.v1.points import points
from core.ids import UserId
from scoring.corrections.preview import Preview, TeamDiff
from scoring.corrections.views import Correction, CorrectionState, Dispute, TeamCorrection
from scoring.domain.amendments import Amendment, Decided

router = APIRouter(tags=["corrections"], responses=RESPONSES)
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])

CorrectionId = Annotated[str, Path(max_length=12, examples=["0123456789ab"])]
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


class Refusal(StrEnum):
    """How a correction is turned down."""

    REJECT = "reject"  # by somebody else
    WITHDRAW = "withdraw"  # by whoever proposed it


@router.get("/exercises/{name}/corrections")
def list_corrections(
    _caller: Observer, exercise: ExerciseHere, services: ServicesHere
) -> list[CorrectionOut]:
    """List the corrections of an exercise, oldest first."""
    names = names_of(services)
    return [CorrectionOut.of(found, names) for found in services.corrections.all(exercise)]


@repeatable.post("/exercises/{name}/corrections")
def propose_correction(
    sent: Decided, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> CorrectionOut:
    """Propose a correction; it changes nothing until somebody else approves it."""
    return CorrectionOut.of(
        services.corrections.propose(exercise, sent, caller), names_of(services)
    )


@router.get("/exercises/{name}/corrections/{correction}/preview")
def preview_correction(
    correction: CorrectionId, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> PreviewOut:
    """Return what a proposed correction would change now, for each team."""
    return PreviewOut.of(services.corrections.preview(exercise, correction, caller))


@repeatable.post("/exercises/{name}/corrections/{correction}/approve")
def approve_correction(
    correction: CorrectionId,
    sent: ApprovalIn,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> CorrectionOut:
    """Book a correction that somebody else proposed, as its preview showed it."""
    found = services.corrections.approve(exercise, correction, caller, digest=sent.digest)
    return CorrectionOut.of(found, names_of(services))


@repeatable.post("/exercises/{name}/corrections/{correction}/{refusal}")
def turn_down_correction(
    correction: CorrectionId,
    refusal: Refusal,
    sent: RefusalIn,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> CorrectionOut:
    """Reject somebody else's proposal, or withdraw one's own."""
    corrections = services.corrections
    if refusal is Refusal.REJECT:
        found = corrections.reject(exercise, correction, caller, note=sent.note)
    else:
        found = corrections.withdraw(exercise, correction, caller)
    return CorrectionOut.of(found, names_of(services))


@router.get("/exercises/{name}/teams/{team}/corrections")
def list_corrections_of_team(
    team: Annotated[str, Path(max_length=40, examples=["team-1"])],
    caller: Caller,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> list[TeamCorrectionOut]:
    """List what was corrected for a team; a trainee's own."""
    found = team_for(exercise, caller, team)
    return [TeamCorrectionOut.of(each) for each in services.corrections.of_team(found)]


@router.get("/exercises/{name}/disputes")
def list_disputes(
    caller: Caller, exercise: ExerciseHere, services: ServicesHere
) -> list[DisputeOut]:
    """List disputes, oldest first: a trainee's team's own, for everybody else all."""
    if caller.sees_results:
        found = services.disputes.all(exercise)
    else:
        found = services.disputes.of_team(exercise, team_for(exercise, caller, None))
    names = names_of(services)
    return [DisputeOut.of(dispute, names) for dispute in found]


@repeatable.post("/exercises/{name}/disputes")
def open_dispute(
    sent: DisputeIn, caller: Trainee, exercise: ExerciseHere, services: ServicesHere
) -> DisputeOut:
    """Say for one's team that a task's score is not right; one at a time for each task."""
    team = team_for(exercise, caller, None)
    found = services.disputes.open(exercise, team, caller.id, task=sent.task, text=sent.text)
    return DisputeOut.of(found, names_of(services))


@repeatable.post("/exercises/{name}/disputes/{dispute}/answer")
def answer_dispute(
    dispute: Annotated[str, Path(max_length=12)],
    sent: DisputeAnswerIn,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> DisputeOut:
    """Answer a dispute, once."""
    found = services.disputes.answer(
        exercise, dispute, caller, text=sent.text, correction=sent.correction
    )
    return DisputeOut.of(found, names_of(services))


router.include_router(repeatable)
