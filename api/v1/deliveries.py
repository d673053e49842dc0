"""Files that teams hand in."""

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response, status
from pydantic import BaseModel, Field

from api.auth import Caller, ServicesHere, Trainee
from api.bootstrap import Services
from api.downloads import BYTES, download
from api.errors import TeamUnknownError
from api.responses import RESPONSES
from api.teams import team_for
from api.uploading import Upload, from_body
from api.v1.exercises import ExerciseHere
from core.users.model import User
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.service import ExerciseUnknownError
from scoring.uploads.errors import DeliveryUnknownError
from scoring.uploads.scanning import Scan
from scoring.uploads.views import Delivery, Offer

router = APIRouter(tags=["play"], responses=RESPONSES)

TaskName = Annotated[str, Path(max_length=64, examples=["report"])]
DeliveryId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-z]+$", examples=["7k2m9x4c1q0a"])]


class DeliveryOut(BaseModel):
    """A file that was handed in: SHA-256 in hexadecimal, what it is by its content, and when.

    `elapsed_seconds` is the team's clock. `scan` is what the site's scanner said of it.
    """

    id: str = Field(examples=["7k2m9x4c1q0a"])
    revision: int = Field(examples=[2])
    user: str = Field(examples=["team-1-k3f"])
    name: str = Field(examples=["report.pdf"])
    media_type: str = Field(examples=["application/pdf"])
    size: int = Field(examples=[48_213])
    sha256: str
    scan: Scan
    at: datetime
    elapsed_seconds: float = Field(examples=[5423])


class OfferOut(BaseModel):
    """What may be handed in for a task, and what was: the first of `revisions` counts.

    `files` are endings of names, `roles` those of the scenario that hand it in (all, when empty).
    `because` says why the caller may not now, and is empty when they may. `due_seconds` is the
    team's clock, `grace_seconds` how long after the end files are taken.
    """

    task: str = Field(examples=["report"])
    files: list[str] = Field(examples=[["pdf", "odt", "md"]])
    max_bytes: int = Field(examples=[5_242_880])
    roles: list[str] = Field(examples=[["lead"]])
    because: str = Field(examples=["report is not open yet"])
    due_seconds: float | None
    grace_seconds: float | None
    revisions: list[DeliveryOut]


@router.get("/exercises/{name}/deliveries")
def list_deliveries(
    exercise: ExerciseHere,
    caller: Caller,
    services: ServicesHere,
    team: Annotated[str | None, Query(max_length=64, description="For staff: whose.")] = None,
) -> list[OfferOut]:
    """List what a team may hand in, and what it has: a trainee's own, everybody else says whose."""
    whose = team_for(exercise, caller, team)
    offers = services.uploads.offers(exercise, whose, caller.id)
    return [offer_out(offer, whose) for offer in offers]


@router.post(
    "/exercises/{name}/tasks/{task}/deliveries",
    status_code=status.HTTP_201_CREATED,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def deliver(
    request: Request,
    task: TaskName,
    caller: Trainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    file: Annotated[str, Query(max_length=1000, description="Its name, such as report.pdf.")],
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=100,
            description="Send the same file again with the same key: it is taken once.",
        ),
    ] = None,
) -> DeliveryOut:
    """Hand a file in for one's team, as the body; the last one before the deadline counts."""
    team = team_for(exercise, caller, None)
    upload = Upload(services, exercise, team, caller, task)
    taken = await from_body(request, upload, file, idempotency_key or secrets.token_hex(16))
    return delivery_out(taken, team)


@router.get(
    "/exercises/{name}/deliveries/{delivery}",
    response_class=Response,
    responses={200: {"content": {BYTES: {}}}},
)
def download_delivery(
    name: Annotated[str, Path(max_length=80)],
    delivery: DeliveryId,
    caller: Caller,
    services: ServicesHere,
) -> Response:
    """Download a file: its team's members, staff, and assessors of the exercise."""
    return delivery_response(services, name, caller, delivery)


def delivery_response(services: Services, name: str, caller: User, delivery: str) -> Response:
    """Return a file to keep, if somebody may see it; anything else is unknown."""
    exercise = exercise_for_marks(services, name, caller)
    found = services.uploads.find(exercise, delivery)
    own = exercise.team_of(caller.id)
    if own is not None and not caller.sees_results and found.team != own.id:
        raise DeliveryUnknownError("there is no such file for you", hint="Reload the page")
    team = exercise.team_with(found.team)
    return download(services.uploads.content(found), f"{team.slug}-{found.kept_name}")


def exercise_for_marks(services: Services, name: str, caller: User) -> Exercise:
    """Return an exercise that somebody sees, or in which they mark; otherwise it is unknown."""
    exercise = services.exercises.get(name)
    if caller.sees_results or exercise.team_of(caller.id) is not None:
        return exercise
    if services.marks.is_assessor(exercise, caller.id):
        return exercise
    raise ExerciseUnknownError(name)


def team_to_mark(exercise: Exercise, slug: str) -> Team:
    """Return a team by its slug; raises TeamUnknownError."""
    team = exercise.team(slug)
    if team is None:
        raise TeamUnknownError(
            f"there is no team {slug!r} in {exercise.name}", hint="Look at your list"
        )
    return team


def offer_out(offer: Offer, team: Team) -> OfferOut:
    """Return what may be handed in as clients see it."""
    return OfferOut(
        task=offer.task,
        files=list(offer.files),
        max_bytes=offer.max_bytes,
        roles=list(offer.roles),
        because=offer.because,
        due_seconds=None if offer.due is None else offer.due.total_seconds(),
        grace_seconds=None if offer.grace is None else offer.grace.total_seconds(),
        revisions=[delivery_out(delivery, team) for delivery in offer.revisions],
    )


def delivery_out(delivery: Delivery, team: Team) -> DeliveryOut:
    """Return a file as its team and the staff see it."""
    names = {member.user: member.name for member in team.members}
    return DeliveryOut(
        id=delivery.id,
        revision=delivery.revision,
        user=names.get(delivery.user, delivery.user),
        name=delivery.name,
        media_type=delivery.media_type,
        size=delivery.size,
        sha256=delivery.sha256,
        scan=delivery.scan,
        at=delivery.at,
        elapsed_seconds=delivery.elapsed.total_seconds(),
    )
