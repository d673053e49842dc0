"""The page of corrections and disputes of an exercise, for staff and for a team."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from api.amending import decided
from api.auth import PageCaller, PageInstructor, PageTrainee, SameOrigin, ServicesHere
from api.bootstrap import Services
from api.problems import Problem, problem_of, status_of
from api.teams import team_for
from api.v1.correction_models import names_of
from api.v1.corrections import CorrectionId
from api.web.exercise import ExerciseHere
from api.web.rendering import page
from core.errors import PoligonError
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import PERMITS, Act
from scoring.corrections.service import told
from scoring.domain.attack_defence.entries import LEDGER_NAME, LEDGER_TITLE

router = APIRouter()

_Name = Annotated[str, Form(max_length=64)]
_Text = Annotated[str, Form(max_length=10_000)]


class CorrectionAct(StrEnum):
    """What is done about a proposal."""

    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


@router.get("/exercises/{name}/corrections")
def corrections(
    request: Request, caller: PageCaller, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Show what was corrected and disputed, in the way of the reader's role."""
    return _shown(request, exercise, caller, services)


@router.post("/exercises/{name}/corrections", dependencies=[SameOrigin])
def propose(  # a form's fields
    request: Request,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    kind: _Name,
    reason: Annotated[str, Form(max_length=2000)],
    team: _Name = "",
    task: _Name = "",
    points: _Name = "",
    check: _Name = "",
    service: _Name = "",
    since: _Name = "",
    until: _Name = "",
    value: Annotated[str, Form(max_length=2000)] = "",
    correction: _Name = "",
) -> Response:
    """Propose a correction and lead to its preview; a refusal is shown on the page."""
    fields = {
        "team": team,
        "task": task,
        "points": points,
        "check": check,
        "service": service,
        "since": since,
        "until": until,
        "value": value,
        "correction": correction,
    }
    try:
        found = services.corrections.propose(exercise, decided(kind, reason, fields), caller)
    except PoligonError as error:
        return _shown(request, exercise, caller, services, error)
    return _to(exercise, f"/{found.id}")


@router.get("/exercises/{name}/corrections/{correction}")
def preview(
    request: Request,
    correction: CorrectionId,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Show what a proposed correction would change now, for each team."""
    return _preview(request, correction, exercise, caller, services)


@router.post("/exercises/{name}/corrections/{correction}/{act}", dependencies=[SameOrigin])
def decide(
    request: Request,
    correction: CorrectionId,
    act: CorrectionAct,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    digest: _Name = "",
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Approve, reject or withdraw, and go back to the list; a refusal is shown."""
    use = services.corrections
    try:
        match act:
            case CorrectionAct.APPROVE:
                use.approve(exercise, correction, caller, digest=digest)
            case CorrectionAct.REJECT:
                use.reject(exercise, correction, caller, note=note.strip())
            case CorrectionAct.WITHDRAW:
                use.withdraw(exercise, correction, caller)
    except PoligonError as error:
        return _shown(request, exercise, caller, services, error)
    return _to(exercise)


@router.post("/exercises/{name}/disputes", dependencies=[SameOrigin])
def dispute(
    request: Request,
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    task: _Name,
    text: _Text,
) -> Response:
    """Open a dispute, and go back to the page; a refusal is shown there."""
    team = team_for(exercise, caller, None)
    try:
        services.disputes.open(exercise, team, caller.id, task=task, text=text)
    except PoligonError as error:
        return _shown(request, exercise, caller, services, error)
    return _to(exercise)


@router.post("/exercises/{name}/disputes/{dispute}/answer", dependencies=[SameOrigin])
def answer(
    request: Request,
    dispute: Annotated[str, Path(max_length=12)],
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    text: _Text,
    correction: _Name = "",
) -> Response:
    """Answer a dispute, and go back to the page; a refusal is shown there."""
    try:
        services.disputes.answer(exercise, dispute, caller, text=text, correction=correction)
    except PoligonError as error:
        return _shown(request, exercise, caller, services, error)
    return _to(exercise)


def _to(exercise: Exercise, rest: str = "") -> Response:
    here = f"/exercises/{exercise.name}/corrections{rest}"
    return RedirectResponse(here, HTTPStatus.SEE_OTHER)


def _shown(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    error: PoligonError | None = None,
) -> Response:
    problem = problem_of(error) if error is not None else None
    status = status_of(error) if error is not None else HTTPStatus.OK
    if caller.sees_results:
        return _for_staff(request, exercise, caller, services, problem, status)
    team = team_for(exercise, caller, None)
    tasks = services.scoring.tasks(exercise, team)
    return page(
        request,
        "corrections_team.html",
        status=status,
        user=caller,
        exercise=exercise,
        team=team,
        problem=problem,
        tasks=tasks,
        titled={task.task: task.title for task in tasks} | {LEDGER_NAME: LEDGER_TITLE},
        corrections=services.corrections.of_team(team),
        disputes=services.disputes.of_team(exercise, team),
        open_now=Act.CORRECT in PERMITS[exercise.phase],
        people={member.user: member.name for member in team.members},
    )


def _for_staff(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    problem: Problem | None,
    status: int,
) -> Response:
    scenario = services.exercises.scenario(exercise).scenario
    return page(
        request,
        "corrections.html",
        status=status,
        user=caller,
        exercise=exercise,
        problem=problem,
        corrections=services.corrections.all(exercise),
        disputes=services.disputes.all(exercise),
        tasks={name: task.title or name for name, task in scenario.tasks.items()},
        checks=tuple(scenario.checks),
        services=tuple(scenario.services),
        teams={team.slug: team.name for team in exercise.teams},
        names=names_of(services),
        told=told,
        may_decide=caller.runs_exercises and Act.CORRECT in PERMITS[exercise.phase],
    )


def _preview(
    request: Request, correction: str, exercise: Exercise, caller: User, services: Services
) -> Response:
    seen = services.corrections.preview(exercise, correction, caller)
    found = next(c for c in services.corrections.all(exercise) if c.id == correction)
    return page(
        request,
        "correction.html",
        user=caller,
        exercise=exercise,
        correction=found,
        seen=seen,
        names=names_of(services),
        told=told,
        is_own=found.proposed_by == caller.id,
    )
