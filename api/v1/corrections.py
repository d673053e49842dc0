"""Corrections of scores, and disputes about them."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from api.auth import Caller, Instructor, Observer, ServicesHere, Trainee
from api.idempotency import RememberingRoute
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.correction_models import (
    ApprovalIn,
    CorrectionOut,
    DisputeAnswerIn,
    DisputeIn,
    DisputeOut,
    PreviewOut,
    RefusalIn,
    TeamCorrectionOut,
    names_of,
)
from api.v1.exercises import ExerciseHere, document_key
from scoring.domain.amendments import Decided

router = APIRouter(tags=["corrections"], responses=RESPONSES)
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])

CorrectionId = Annotated[str, Path(max_length=12, examples=["0123456789ab"])]


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
