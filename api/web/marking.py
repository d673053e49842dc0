"""Pages of assessors, and of those who run what they mark."""

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import (
    PageAssessor,
    PageInstructor,
    PageObserver,
    PageTrainee,
    SameOrigin,
    ServicesHere,
)
from api.bootstrap import Services
from api.downloads import download
from api.problems import Problem, problem_of, status_of
from api.teams import team_for
from api.v1.deliveries import TaskName
from api.web.exercise import ExerciseHere, trainee_refused
from api.web.mark_forms import FieldsHere, marks_of
from api.web.rendering import page
from core.errors import PoligonError
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By
from scoring.exports.marks_csv import marks_csv
from scoring.marking.views import CaseLine

router = APIRouter()


@router.get("/marking")
def queue(request: Request, caller: PageAssessor, services: ServicesHere) -> Response:
    """Show what somebody has to mark."""
    return page(request, "queue.html", user=caller, lines=services.marks.queue(caller))


@router.get("/exercises/{name}/marking")
def overview(
    request: Request, caller: PageObserver, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Show how far the marking of an exercise has come, and who marks."""
    return _overview(request, exercise, caller, services)


@router.get("/exercises/{name}/marks.csv")
def export(_caller: PageObserver, exercise: ExerciseHere, services: ServicesHere) -> Response:
    """Hand out every mark that nobody gives blind any more."""
    text = marks_csv(exercise, services.marks.all_in(exercise))
    name = f"{exercise.name}-marks.csv"
    return download(text, name, media_type="text/csv; charset=utf-8")


@router.post("/exercises/{name}/assessors", dependencies=[SameOrigin])
def appoint(
    request: Request,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    assessor: Annotated[str, Form(max_length=64)],
) -> Response:
    """Let somebody mark."""
    users, marking, by = services.users, services.marking, By(user=caller.id)
    return _overview_after(
        request,
        exercise,
        caller,
        services,
        lambda: marking.appoint(exercise, users.named(assessor.strip()), by=by),
    )


@router.post("/exercises/{name}/assessors/dismiss", dependencies=[SameOrigin])
def dismiss(
    request: Request,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    assessor: Annotated[str, Form(max_length=64)],
) -> Response:
    """Let somebody mark no more."""
    users, marking, by = services.users, services.marking, By(user=caller.id)
    return _overview_after(
        request,
        exercise,
        caller,
        services,
        lambda: marking.dismiss(exercise, users.named(assessor), by=by),
    )


@router.post("/exercises/{name}/tasks/{task}/release", dependencies=[SameOrigin])
def release(
    request: Request,
    task: TaskName,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Let teams read their marks."""
    marking, by = services.marking, By(user=caller.id)
    return _overview_after(
        request, exercise, caller, services, lambda: marking.release(exercise, task, by=by)
    )


@router.post("/exercises/{name}/tasks/{task}/own-marks", dependencies=[SameOrigin])
def assess_own(
    request: Request,
    task: TaskName,
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    fields: FieldsHere,
) -> Response:
    """Keep what a team gives itself."""
    team = team_for(exercise, caller, None)
    try:
        marks = marks_of(fields)
        services.marking.assess_own(exercise, team, caller.id, task=task, marks=marks)
    except PoligonError as error:
        return trainee_refused(request, exercise, caller, services, error, task=task)
    return RedirectResponse(f"/exercises/{exercise.name}#task-{task}", HTTPStatus.SEE_OTHER)


def _titles(lines: Iterable[CaseLine]) -> Iterator[tuple[str, str]]:
    """Yield each task with its title, as the first team has it."""
    told = set()
    for line in lines:
        if line.task not in told:
            told.add(line.task)
            yield line.task, line.title


def _overview_after(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    act: Callable[[], None],
) -> Response:
    try:
        act()
    except PoligonError as error:
        told, status = problem_of(error), status_of(error)
        return _overview(request, exercise, caller, services, told, status=status)
    return RedirectResponse(f"/exercises/{exercise.name}/marking", HTTPStatus.SEE_OTHER)


def _overview(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    problem: Problem | None = None,
    *,
    status: int = HTTPStatus.OK,
) -> Response:
    lines = services.marks.lines(exercise, caller)
    return page(
        request,
        "marking.html",
        status=status,
        user=caller,
        exercise=exercise,
        problem=problem,
        lines=lines,
        tasks=dict(_titles(lines)),
        begun=bool(lines),
        assessors=services.marks.assessors(exercise),
        released=services.marks.released(exercise),
    )
