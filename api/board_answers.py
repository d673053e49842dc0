"""A board as an answer: its hash is its ETag, and whoever has it already is not sent it again."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query, Request, Response

from api.auth import BearerShown, PageCaller, ServicesHere, api_caller
from api.bootstrap import Services
from api.errors import NotYourRoleError
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from scoring.boards.making import Snapshot
from scoring.domain.boards import Audience

PRIVATE = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Encoding"}
"""Kept by the reader's own browser only, and asked for each time whether it is still so."""
PUBLIC = {"Cache-Control": "public, max-age=1", "Vary": "Accept-Encoding"}

_Name = Annotated[str, Path(max_length=80, examples=["night-shift-k3f"])]


def board_of_caller(
    name: _Name,
    request: Request,
    services: ServicesHere,
    _shown_in_openapi: BearerShown,
    audience: Annotated[
        Audience | None, Query(description="For staff: what teams, or the public, are shown.")
    ] = None,
) -> tuple[Exercise, Snapshot]:
    """Return the exercise of the path, as far as the caller may see it, and their board of it.

    All in one go: each step of its own would be another thread's turn.
    """
    caller = api_caller(request, None)
    exercise = services.scoring.boards.visible_to(caller, name)
    return exercise, board_for(services, exercise, caller, audience)


def exercise_of_page(name: _Name, caller: PageCaller, services: ServicesHere) -> Exercise:
    """Return the exercise of a page's path, as far as the reader may see it."""
    return services.scoring.boards.visible_to(caller, name)


def own_audience(caller: User) -> Audience:
    """Return whose board somebody is shown who asks for no other."""
    return Audience.STAFF if caller.sees_results else Audience.TEAM


def board_for(
    services: Services, exercise: Exercise, caller: User, wanted: Audience | None = None
) -> Snapshot:
    """Return the board of who asks; staff may ask for what others see. Raises NotYourRoleError."""
    own = own_audience(caller)
    if wanted not in {None, own} and not caller.sees_results:
        raise NotYourRoleError(
            f"a user in the role {caller.role} sees the board of teams", hint="Leave audience out"
        )
    return services.scoring.boards.latest(exercise.id, wanted or own)


def answered(request: Request, snapshot: Snapshot, headers: dict[str, str]) -> Response:
    """Return a board, packed if the reader takes that, or that it has not changed."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    tag = f'"{snapshot.sha256}{"-gzip" if packed else ""}"'
    headers = {**headers, "ETag": tag}
    if _knows(request.headers.get("if-none-match", ""), snapshot):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = snapshot.packed if packed else snapshot.body
    return Response(body, media_type="application/json", headers=headers)


def _knows(sent: str, snapshot: Snapshot) -> bool:
    tags = {tag.strip().removeprefix("W/").strip('"') for tag in sent.split(",")}
    return bool(tags & {"*", snapshot.sha256, f"{snapshot.sha256}-gzip"})
