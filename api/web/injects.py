"""Injects and messages on the exercise's page: forms and files; how they look is in templates."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import PageCaller, PageInstructor, PageTrainee, SameOrigin, ServicesHere
from api.bootstrap import Services
from api.inject_acts import InjectAct, act_on
from api.problems import problem_of, status_of
from api.teams import team_for
from api.v1.injects import ShiftIn
from api.v1.messages import FileNumber, MessageNumber, file_response
from api.web.exercise import ExerciseHere, instructor_page, trainee_refused
from core.errors import PoligonError
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By

router = APIRouter()

_Team = Annotated[str, Form(max_length=40)]
_Reason = Annotated[str, Form(max_length=500)]


@router.post("/exercises/{name}/injects/shift", dependencies=[SameOrigin])
def shift(
    request: Request,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    sent: Annotated[ShiftIn, Form()],
) -> Response:
    """Move what has not gone out yet, and go back to the page."""
    by = By(user=caller.id, reason=sent.reason)
    try:
        services.injects.shift(exercise.id, sent.time, team=sent.team, by=by)
    except PoligonError as error:
        return _refused(request, exercise, caller, services, error)
    return RedirectResponse(f"/exercises/{exercise.name}#injects", HTTPStatus.SEE_OTHER)


@router.post("/exercises/{name}/injects/{inject}/{act}", dependencies=[SameOrigin])
def act_on_inject(
    request: Request,
    inject: Annotated[str, Path(max_length=64)],
    act: InjectAct,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    team: _Team = "",
    reason: _Reason = "",
) -> Response:
    """Do it, and go back to the page; a refusal is shown there."""
    by = By(user=caller.id, reason=reason)
    try:
        act_on(services, act, exercise.id, inject, team=team, by=by)
    except PoligonError as error:
        return _refused(request, exercise, caller, services, error)
    return RedirectResponse(f"/exercises/{exercise.name}#inject-{inject}", HTTPStatus.SEE_OTHER)


@router.get("/exercises/{name}/messages/{message}/files/{number}")
def message_file(
    message: MessageNumber,
    number: FileNumber,
    caller: PageCaller,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Hand out a file of a message that the reader may read."""
    return file_response(services, exercise, caller, message, number)


@router.post("/exercises/{name}/messages/{message}/reply", dependencies=[SameOrigin])
def reply(
    request: Request,
    message: MessageNumber,
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    text: Annotated[str, Form(max_length=10_000)],
    client_key: Annotated[str, Form(max_length=100)],
) -> Response:
    """Take a reply, and go back to the page; a refusal is shown there."""
    team = team_for(exercise, caller, None)
    # A browser ends lines as forms do; what is kept has the ends that texts have everywhere else.
    plain = text.replace("\r\n", "\n")
    try:
        services.injects.reply(
            exercise, team, caller.id, message, text=plain, client_key=client_key
        )
    except PoligonError as error:
        return trainee_refused(request, exercise, caller, services, error)
    return RedirectResponse(f"/exercises/{exercise.name}#messages", HTTPStatus.SEE_OTHER)


def _refused(
    request: Request, exercise: Exercise, caller: User, services: Services, error: PoligonError
) -> Response:
    now = services.exercises.get(exercise.id)
    problem = problem_of(error)
    return instructor_page(request, now, caller, services, problem, status=status_of(error))
