"""Checks: whether they pass now, for the team that asks, and declared maintenance, for staff."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from api.auth import Instructor, Observer, ServicesHere, Trainee
from api.idempotency import RememberingRoute
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.check_models import MaintenanceIn, QuestionOut, WindowOut, question_out, window_out
from api.v1.exercises import ExerciseHere, document_key
from scoring.maintenance import Declared

router = APIRouter(tags=["checks"], responses=RESPONSES)
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])


@router.post("/exercises/{name}/tasks/{task}/questions")
def ask(
    task: Annotated[str, Path(max_length=64)],
    caller: Trainee,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> QuestionOut:
    """Ask whether the checks of a task pass now: unscored, and once in 30 seconds for a team."""
    team = team_for(exercise, caller, None)
    return question_out(services.scoring.asking.ask(exercise, team, caller.id, task))


@router.get("/exercises/{name}/questions")
def list_questions(
    caller: Trainee, exercise: ExerciseHere, services: ServicesHere
) -> list[QuestionOut]:
    """List the last question of one's team about each task, with its answer once there is one."""
    team = team_for(exercise, caller, None)
    return [question_out(q) for q in services.scoring.asking.latest(team).values()]


@repeatable.post("/exercises/{name}/maintenance")
def declare_maintenance(
    sent: MaintenanceIn, caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> WindowOut:
    """Declare maintenance, now or later: its rounds of checks count on neither side."""
    declared = Declared(
        length=timedelta(minutes=sent.minutes),
        reason=sent.reason,
        start=sent.start,
        team=team_for(exercise, caller, sent.team) if sent.team else None,
        check=sent.check or None,
    )
    return window_out(services.scoring.maintenance.declare(exercise, declared, by=caller.id))


@router.get("/exercises/{name}/maintenance")
def list_maintenance(
    _caller: Observer, exercise: ExerciseHere, services: ServicesHere
) -> list[WindowOut]:
    """List the maintenance windows of an exercise, by when they begin."""
    return [window_out(window) for window in services.scoring.maintenance.all(exercise)]


router.include_router(repeatable)
