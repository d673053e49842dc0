"""The page on which a team's task is marked: what came from the team, beside its rubric."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import PageAssessor, PageInstructor, SameOrigin, ServicesHere
from api.bootstrap import Services
from api.problems import Problem, problem_of, status_of
from api.v1.deliveries import TaskName, exercise_for_marks, team_to_mark
from api.web.exercise import ExerciseHere
from api.web.mark_forms import FieldsHere, marks_of
from api.web.rendering import page
from core.errors import PoligonError
from core.file_types import TEXT
from core.scenario.schema_tasks import RubricTask
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By
from scoring.marking.views import CaseView
from scoring.uploads.views import Delivery

router = APIRouter()

_CASE = "/exercises/{name}/marking/{task}/{team}"
_MOST_SHOWN = 64 * 1024
_KEPT = {
    "keep": "Your draft is kept; nobody else sees it.",
    "hand_in": "Your marks are handed in.",
    "decided": "Your decision is the result.",
}

TeamSlug = Annotated[str, Path(max_length=64)]


def _for_marks(
    name: Annotated[str, Path(max_length=80)], caller: PageAssessor, services: ServicesHere
) -> Exercise:
    return exercise_for_marks(services, name, caller)


MarkedHere = Annotated[Exercise, Depends(_for_marks)]


@router.get(_CASE)
def show_case(
    request: Request,
    task: TaskName,
    team: TeamSlug,
    caller: PageAssessor,
    exercise: MarkedHere,
    services: ServicesHere,
    kept: str = "",
) -> Response:
    """Show a team's task with its rubric, for whoever marks it."""
    told = _KEPT.get(kept, "")
    return _case_page(request, exercise, caller, services, task=task, team=team, kept=told)


@router.post(_CASE, dependencies=[SameOrigin])
def mark(
    request: Request,
    task: TaskName,
    team: TeamSlug,
    caller: PageAssessor,
    exercise: MarkedHere,
    services: ServicesHere,
    fields: FieldsHere,
) -> Response:
    """Keep marks or hand them in, and go back to the case; a refusal is shown there."""
    hand_in = fields.get("act") == "hand_in"
    return _case_after(
        request,
        exercise,
        caller,
        services,
        fields,
        task=task,
        team=team,
        kept="hand_in" if hand_in else "keep",
        act=lambda: services.marking.mark(
            exercise,
            team_to_mark(exercise, team),
            caller.id,
            task=task,
            place=fields.get("place", ""),
            marks=marks_of(fields),
            hand_in=hand_in,
        ),
    )


@router.post(f"{_CASE}/moderation", dependencies=[SameOrigin])
def moderate(
    request: Request,
    task: TaskName,
    team: TeamSlug,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    fields: FieldsHere,
) -> Response:
    """Decide, as a third person."""
    return _case_after(
        request,
        exercise,
        caller,
        services,
        fields,
        task=task,
        team=team,
        kept="decided",
        act=lambda: services.marking.moderate(
            exercise, team_to_mark(exercise, team), caller.id, task=task, marks=marks_of(fields)
        ),
    )


@router.post(f"{_CASE}/again", dependencies=[SameOrigin])
def mark_again(
    request: Request,
    task: TaskName,
    team: TeamSlug,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    reason: Annotated[str, Form(max_length=500)],
) -> Response:
    """Have it marked again."""
    by = By(user=caller.id, reason=reason)
    return _case_after(
        request,
        exercise,
        caller,
        services,
        {},
        task=task,
        team=team,
        kept="",
        act=lambda: services.marking.mark_again(
            exercise, team_to_mark(exercise, team), task=task, by=by
        ),
    )


def _case_after(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    fields: Mapping[str, str],
    *,
    task: str,
    team: str,
    kept: str,
    act: Callable[[], None],
) -> Response:
    try:
        act()
    except PoligonError as error:
        return _case_page(
            request,
            exercise,
            caller,
            services,
            task=task,
            team=team,
            problem=problem_of(error),
            status=status_of(error),
            typed=fields,
        )
    here = f"/exercises/{exercise.name}/marking/{task}/{team}"
    return RedirectResponse(f"{here}?kept={kept}" if kept else here, HTTPStatus.SEE_OTHER)


def _case_page(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    *,
    task: str,
    team: str,
    problem: Problem | None = None,
    status: int = HTTPStatus.OK,
    typed: Mapping[str, str] | None = None,
    kept: str = "",
) -> Response:
    case = services.marks.case(exercise, team_to_mark(exercise, team), task, caller)
    found = services.exercises.scenario(exercise).scenario.tasks[task]
    return page(
        request,
        "case.html",
        status=status,
        user=caller,
        exercise=exercise,
        case=case,
        takes_file=isinstance(found, RubricTask) and found.submit is not None,
        shown=_shown(services, case),
        problem=problem,
        typed=typed or {},
        kept=kept,
    )


def _shown(services: Services, case: CaseView) -> str | None:
    """Return the text of what counts, where it is text that fits beside the rubric."""
    last = [place.deliveries[0] for place in case.places if place.deliveries]
    if not last or last[0].media_type != TEXT or last[0].size > _MOST_SHOWN:
        return None
    return _as_text(services, last[0])


def _as_text(services: Services, delivery: Delivery) -> str:
    content = services.uploads.content(delivery)
    utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if utf_16 else "utf-8-sig", errors="replace")
