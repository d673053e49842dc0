"""Boards of each audience, and links to public boards."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Instructor, ServicesHere
from api.board_answers import PRIVATE, PUBLIC, answered, board_of_caller
from api.live.boards import FeedsHere, stream
from api.responses import RESPONSES
from api.v1.exercises import ExerciseHere
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By
from scoring.boards.making import Snapshot
from scoring.boards.public import PublicLink
from scoring.domain.boards import Audience

router = APIRouter(tags=["results"], responses=RESPONSES)
_Here = Annotated[tuple[Exercise, Snapshot], Depends(board_of_caller)]
Token = Annotated[str, Path(max_length=64, examples=["m2k8r0v9tq4c7x1a5b3d6e8f0g"])]


class FirstOut(BaseModel):
    """Which team solved a task first."""

    team: str = Field(examples=["team-1"])
    at: datetime


class BoardTaskOut(BaseModel):
    """A column of the board."""

    task: str = Field(examples=["who"])
    title: str = Field(examples=["Who came in?"])
    points: float = Field(examples=[20])
    first: FirstOut | None


class BoardRowOut(BaseModel):
    """A team's line; teams only, no people. Without a rank it is out of the ranking."""

    rank: int | None = Field(examples=[1])
    team: str = Field(examples=["team-1"])
    name: str = Field(examples=["Team 1"])
    points: float = Field(examples=[35])
    tasks: dict[str, float] = Field(examples=[{"who": 20, "when": 15}])
    reached_at: datetime | None


class CourseOut(BaseModel):
    """How a team's points went: seconds on its own clock, and what it had from then on."""

    team: str = Field(examples=["team-1"])
    points: list[tuple[int, float]] = Field(examples=[[[0, 0], [1260, 20]]])


class BoardOut(BaseModel):
    """The standings, best first, as of ledger entry `upto_entry`.

    `frozen_seconds` is the exercise time since which a team is shown nothing new, while that is so.
    `timeline` has the first ten teams.
    """

    exercise: str = Field(examples=["night-shift-k3f"])
    audience: Audience
    tasks: list[BoardTaskOut]
    rows: list[BoardRowOut]
    timeline: list[CourseOut]
    upto_entry: int = Field(examples=[17])
    frozen_seconds: int | None = Field(examples=[9900])


class PublicBoardIn(BaseModel):
    """How a public board calls teams."""

    model_config = ConfigDict(extra="forbid")
    anonymous: bool = Field(default=False, description="By other names, always the same ones.")


class PublicBoardOut(BaseModel):
    """Where anybody sees the board; empty while it is not public."""

    path: str = Field(examples=["/board/m2k8r0v9tq4c7x1a5b3d6e8f0g"])
    anonymous: bool


_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {"model": BoardOut},
    304: {"description": "Nothing has changed"},
}
_LIVE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


@router.get("/exercises/{name}/board", response_class=Response, responses=_SHOWN)
async def board(request: Request, here: _Here) -> Response:
    """Return the standings of all teams. Send the ETag back as If-None-Match."""
    return answered(request, here[1], PRIVATE)


@router.get("/exercises/{name}/board/live", response_class=Response, responses=_LIVE)
async def follow(here: _Here, feeds: FeedsHere) -> Response:
    """Tell each change of the board as a server-sent event, whose data is the new ETag."""
    exercise, snapshot = here
    return stream(feeds, exercise.id, snapshot.board.audience)


@router.get("/boards/{token}", response_class=Response, responses=_SHOWN)
def public_board(request: Request, token: Token, services: ServicesHere) -> Response:
    """Return the board that a link shows, to anybody."""
    exercise = services.public_boards.exercise_of(token)
    return answered(request, services.scoring.boards.latest(exercise, Audience.PUBLIC), PUBLIC)


@router.get("/boards/{token}/live", response_class=Response, responses=_LIVE)
def follow_public(token: Token, services: ServicesHere, feeds: FeedsHere) -> Response:
    """Tell each change of a public board as a server-sent event."""
    return stream(feeds, services.public_boards.exercise_of(token), Audience.PUBLIC)


@router.get("/exercises/{name}/public-board")
def show_link(
    _caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> PublicBoardOut:
    """Return where anybody sees the board."""
    return _link_out(services.public_boards.link(exercise))


@router.put("/exercises/{name}/public-board")
def open_link(
    sent: PublicBoardIn, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> PublicBoardOut:
    """Let anybody who has the link see the board."""
    by = By(user=caller.id)
    return _link_out(services.public_boards.open(exercise, anonymous=sent.anonymous, by=by))


@router.delete("/exercises/{name}/public-board", status_code=status.HTTP_204_NO_CONTENT)
def close_link(caller: Instructor, exercise: ExerciseHere, services: ServicesHere) -> None:
    """Withdraw the link; it never works again."""
    services.public_boards.close(exercise, by=By(user=caller.id))


def _link_out(link: PublicLink | None) -> PublicBoardOut:
    if link is None:
        return PublicBoardOut(path="", anonymous=False)
    return PublicBoardOut(path=f"/board/{link.token}", anonymous=link.anonymous)
