"""What an instructor does to clocks, as forms of the exercise's page."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import PageInstructor, SameOrigin, ServicesHere
from api.bootstrap import Services
from api.problems import problem_of, status_of
from api.v1.conduct import TeamMove, move_team
from api.web.exercise import ExerciseHere, instructor_page
from core.errors import PoligonError
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By

router = APIRouter(dependencies=[SameOrigin])

_TeamSlug = Annotated[str, Path(max_length=40)]
_Reason = Annotated[str, Form(max_length=500)]


@router.post("/exercises/{name}/extend")
def extend(
    request: Request,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    minutes: Annotated[int, Form(ge=1, le=7 * 24 * 60)],
    team: Annotated[str, Form(max_length=40)] = "",
    reason: _Reason = "",
) -> Response:
    """Let every team, or one, go on for longer."""
    by = By(user=caller.id, reason=reason.strip())
    time = timedelta(minutes=minutes)
    return answered(
        request,
        exercise,
        caller,
        services,
        lambda: services.timekeeping.extend(exercise.id, time, team=team, by=by),
    )


@router.post("/exercises/{name}/teams/{team}/{clock_move}")
def move_clock(
    request: Request,
    team: _TeamSlug,
    clock_move: TeamMove,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Stop the clock of one team, or let it run on."""
    by = By(user=caller.id)
    return answered(
        request,
        exercise,
        caller,
        services,
        lambda: move_team(services, clock_move, exercise, team, by=by),
    )


def answered(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    act: Callable[[], object],
) -> Response:
    """Do it and go back to the exercise's page; a refusal is shown there."""
    try:
        act()
    except PoligonError as error:
        now = services.exercises.get(exercise.id)
        problem = problem_of(error)
        return instructor_page(request, now, caller, services, problem, status=status_of(error))
    return RedirectResponse(f"/exercises/{exercise.name}", HTTPStatus.SEE_OTHER)
