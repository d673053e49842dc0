"""Points from another system, signed with the key of the exercise's feed."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from api.auth import ServicesHere
from api.bootstrap import Services
from api.errors import TeamUnknownError
from api.responses import RESPONSES
from api.v1.points import points
from orchestrator.domain.exercise import Exercise
from orchestrator.service import ExerciseUnknownError
from scoring.domain.ledger import MILLI
from scoring.feeding import FeedItem, Signed

router = APIRouter(tags=["play"], responses=RESPONSES)

_Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[!-~]+$")]


class FeedIn(BaseModel):
    """An event of another system: its own name there, and what it gives a team, or takes."""

    model_config = ConfigDict(extra="forbid")

    event: _Name = Field(examples=["run-17/phish-3"])
    team: _Name = Field(examples=["team-1"])
    task: _Name = Field(examples=["reports"])
    points: Decimal = Field(ge=-100_000, le=100_000, decimal_places=3, examples=[5])
    reason: str = Field(
        max_length=300,
        pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$",
        examples=["reported within 10 minutes"],
    )


class FeedOut(BaseModel):
    """What the task gives the team now."""

    points: float = Field(examples=[15])


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post(
    "/exercises/{name}/feed",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": FeedIn.model_json_schema()}},
        }
    },
)
def feed(
    name: Annotated[str, Path(max_length=80)],
    services: ServicesHere,
    body: Annotated[bytes, Depends(_body)],
    x_poligon_timestamp: Annotated[
        str, Header(max_length=20, description="When it is sent: seconds since 1970.")
    ] = "",
    x_poligon_signature: Annotated[
        str,
        Header(max_length=100, description="HMAC-SHA-256 of `timestamp.body`, in hex."),
    ] = "",
) -> FeedOut:
    """Give points of a task that is fed; an event is taken once, its retry is a conflict."""
    exercise = _named(services, name)
    signed = Signed(timestamp=x_poligon_timestamp, signature=x_poligon_signature, body=body)
    services.feeding.verify(exercise, signed)
    assert exercise is not None  # or it was refused
    sent = _read(body)
    team = exercise.team(sent.team)
    if team is None:
        raise TeamUnknownError(f"the exercise has no team {sent.team!r}", hint="Send its slug")
    item = FeedItem(
        event=sent.event,
        task=sent.task,
        milli_points=int(sent.points * MILLI),
        reason=sent.reason,
        sent_at=datetime.fromtimestamp(int(x_poligon_timestamp), UTC),
    )
    return FeedOut(points=points(services.feeding.take(exercise, team, item)))


def _named(services: Services, name: str) -> Exercise | None:
    try:
        return services.exercises.get(name)
    except ExerciseUnknownError:
        return None


def _read(body: bytes) -> FeedIn:
    try:
        return FeedIn.model_validate_json(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error
