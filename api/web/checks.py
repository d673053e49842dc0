"""Whether checks pass now, for who asks, and maintenance, as forms of the exercise's page."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import PageInstructor, PageTrainee, SameOrigin, ServicesHere
from api.teams import team_for
from api.web.conduct import answered
from api.web.exercise import ExerciseHere, trainee_refused
from core.errors import PoligonError
from scoring.maintenance import Declared

router = APIRouter(dependencies=[SameOrigin])


@router.post("/exercises/{name}/tasks/{task}/questions")
def ask(
    request: Request,
    task: Annotated[str, Path(max_length=64)],
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Ask whether a task's checks pass now, and go back to it; a refusal is shown there."""
    team = team_for(exercise, caller, None)
    try:
        services.scoring.asking.ask(exercise, team, caller.id, task)
    except PoligonError as error:
        return trainee_refused(request, exercise, caller, services, error, task=task)
    return RedirectResponse(f"/exercises/{exercise.name}#task-{task}", HTTPStatus.SEE_OTHER)


@router.post("/exercises/{name}/maintenance")
def declare(
    request: Request,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    minutes: Annotated[int, Form(ge=1, le=7 * 24 * 60)],
    reason: Annotated[str, Form(min_length=1, max_length=500)],
    team: Annotated[str, Form(max_length=40)] = "",
    check: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Declare maintenance from now on."""

    def act() -> None:
        declared = Declared(
            length=timedelta(minutes=minutes),
            reason=reason,
            team=team_for(exercise, caller, team) if team else None,
            check=check or None,
        )
        services.scoring.maintenance.declare(exercise, declared, by=caller.id)

    return answered(request, exercise, caller, services, act)
