"""Messages to teams, and their replies."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Caller, ServicesHere, Trainee
from api.bootstrap import Services
from api.downloads import BYTES, download
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.exercises import ExerciseHere, LanguageHere
from api.v1.inject_models import MessageOut, message_out
from core.users.model import User
from orchestrator.domain.exercise import Exercise

router = APIRouter(tags=["play"], responses=RESPONSES)

MessageNumber = Annotated[int, Path(ge=1, examples=[17])]
FileNumber = Annotated[int, Path(ge=1, examples=[1])]


class ReplyIn(BaseModel):
    """A reply to a message."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(max_length=10_000, examples=["We look into it."])


@router.get("/exercises/{name}/messages")
def list_messages(
    exercise: ExerciseHere,
    caller: Caller,
    services: ServicesHere,
    language: LanguageHere,
    team: Annotated[str | None, Query(max_length=64, description="For staff: whose.")] = None,
) -> list[MessageOut]:
    """List messages, newest first: a trainee's own by role, everybody else all or one team's.

    A trainee's come in the language that `Accept-Language` asks for; others see what was sent.
    """
    if caller.sees_results:
        slug = team_for(exercise, caller, team).slug if team is not None else ""
        return [message_out(m) for m in services.injects.messages(exercise, team=slug)]
    own = team_for(exercise, caller, team)
    found = services.injects.messages_to(exercise, own, caller.id, language=language)
    return [message_out(message) for message in found]


@router.get(
    "/exercises/{name}/messages/{message}/files/{number}",
    response_class=Response,
    responses={200: {"content": {BYTES: {}}}},
)
def message_file(
    message: MessageNumber,
    number: FileNumber,
    caller: Caller,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Download a file of a message that the caller may read."""
    return file_response(services, exercise, caller, message, number)


def file_response(
    services: Services, exercise: Exercise, caller: User, message: int, number: int
) -> Response:
    """Return a file of a message to keep: a trainee's own by role, anybody's to observers."""
    injects = services.injects
    if caller.sees_results:
        found = injects.message_file(exercise, message, number)
    else:
        own = team_for(exercise, caller, None)
        found = injects.message_file_to(exercise, own, caller.id, message, number)
    return download(found.content, found.name)


@router.post("/exercises/{name}/messages/{message}/reply", status_code=status.HTTP_204_NO_CONTENT)
def reply(
    message: MessageNumber,
    sent: ReplyIn,
    caller: Trainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=100,
            description="Send the same reply again with the same key: it is taken once.",
        ),
    ] = None,
) -> None:
    """Reply to a message for one's team."""
    services.injects.reply(
        exercise,
        team_for(exercise, caller, None),
        caller.id,
        message,
        text=sent.text,
        client_key=idempotency_key or secrets.token_hex(16),
    )
