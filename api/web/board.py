"""The board as a page: for a team, for staff, and for whoever has the link to a public one."""

from collections import OrderedDict
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from api.auth import PageCaller, PageInstructor, SameOrigin, ServicesHere
from api.board_answers import board_for, exercise_of_page
from api.bootstrap import Services
from api.live.boards import FeedsHere, stream
from api.v1.boards import Token
from api.web.exercise import ExerciseHere
from api.web.rendering import page, part
from api.web.timeline import HEIGHT, WIDTH, drawing_of
from core.ids import UserId
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase
from orchestrator.journal import By
from scoring.boards.making import Snapshot
from scoring.domain.boards import Audience

router = APIRouter()
_Here = Annotated[Exercise, Depends(exercise_of_page)]
_Drawn = OrderedDict[tuple[str, str], Markup]
_DRAWN_KEPT = 32
_drawn: _Drawn = OrderedDict()


@router.get("/exercises/{name}/board")
def show(
    request: Request, caller: PageCaller, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Show the board, and to who runs the exercise what may be done about it."""
    own = exercise.team_of(caller.id)
    snapshot = board_for(services, exercise, caller)
    runs = caller.runs_exercises
    return page(
        request,
        "board.html",
        user=caller,
        link=services.public_boards.link(exercise) if runs else None,
        runs=runs,
        address=str(request.base_url),
        **_shown(services, exercise, snapshot, own.slug if own is not None else ""),
    )


@router.get("/exercises/{name}/board/live")
def follow(
    exercise: _Here, caller: PageCaller, services: ServicesHere, feeds: FeedsHere
) -> Response:
    """Tell the page of each change."""
    snapshot = board_for(services, exercise, caller)
    return stream(feeds, exercise.id, snapshot.board.audience)


@router.get("/exercises/{name}/criterion")
def criterion(
    request: Request, caller: PageCaller, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Show what was achieved of each objective; a team sees its own, and no ranks."""
    whose = exercise if caller.sees_results else _alone(exercise, caller.id)
    return page(
        request,
        "criterion.html",
        user=caller,
        exercise=exercise,
        record=services.scoring.record(whose),
    )


@router.get("/board/{token}")
def show_public(request: Request, token: Token, services: ServicesHere) -> Response:
    """Show a public board, in a room or to whoever has the link."""
    exercise = services.exercises.get(services.public_boards.exercise_of(token))
    snapshot = services.scoring.boards.latest(exercise.id, Audience.PUBLIC)
    return page(request, "board.html", runs=False, **_shown(services, exercise, snapshot, ""))


@router.get("/board/{token}/live")
def follow_public(token: Token, services: ServicesHere, feeds: FeedsHere) -> Response:
    """Tell the page of each change."""
    return stream(feeds, services.public_boards.exercise_of(token), Audience.PUBLIC)


@router.post("/exercises/{name}/public-board", dependencies=[SameOrigin])
def open_or_close(
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    act: Annotated[str, Form(pattern="^(open|close)$")],
    names: Annotated[str, Form(pattern="^(shown|hidden)$")] = "shown",
) -> Response:
    """Make the board public, or withdraw its link."""
    by = By(user=caller.id)
    if act == "open":
        services.public_boards.open(exercise, anonymous=names == "hidden", by=by)
    else:
        services.public_boards.close(exercise, by=by)
    return RedirectResponse(f"/exercises/{exercise.name}/board", HTTPStatus.SEE_OTHER)


def _shown(services: Services, exercise: Exercise, snapshot: Snapshot, own: str) -> dict[str, Any]:
    return {
        "exercise": exercise,
        "elapsed": exercise.elapsed(services.clock.now()),
        "running": exercise.phase is Phase.RUNNING,
        "board": snapshot.board,
        "tag": snapshot.sha256,
        "table": _table(snapshot, own),
    }


def _table(snapshot: Snapshot, own: str) -> Markup:
    """Return the board as it is drawn, once for everybody who is shown the same."""
    key = (snapshot.sha256, own)
    if key not in _drawn:
        _drawn[key] = part(
            "board_parts.html",
            "whole",
            snapshot.board,
            own=own,
            drawing=drawing_of(snapshot.board),
            width=WIDTH,
            height=HEIGHT,
        )
        while len(_drawn) > _DRAWN_KEPT:
            _drawn.popitem(last=False)
    return _drawn[key]


def _alone(exercise: Exercise, user: UserId) -> Exercise:
    return replace(exercise, teams=tuple(t for t in exercise.teams if t == exercise.team_of(user)))
