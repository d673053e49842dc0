"""Checks: whether they pass now, for the team that asks, and declared maintenance, for staff."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.auth import Instructor, Observer, ServicesHere, Trainee
from api.idempotency import RememberingRoute
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.exercises import ExerciseHere, document_key
from scoring.asking import Question
from scoring.maintenance import Declared, Window

router = APIRouter(tags=["checks"], responses=RESPONSES)
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])


class CheckAnswerOut(BaseModel):
    """What was seen of a check: `yes`, `no`, or `unknown` when nobody could look.

    There is an `output` only where the scenario's author lets teams see it.
    """

    check: str = Field(examples=["backdoor_gone"])
    holds: str = Field(examples=["no"])
    output: str = Field(default="", examples=[""])


class QuestionOut(BaseModel):
    """Whether the checks of a task pass; without an answer as long as nobody has looked."""

    question: str
    task: str = Field(examples=["contain"])
    asked_at: datetime
    answered_at: datetime | None
    answer: list[CheckAnswerOut]


class MaintenanceIn(BaseModel):
    """A stretch of time whose rounds count for nobody.

    From `start`, or now; without a team for all teams, without a check for all checks.
    """

    model_config = ConfigDict(extra="forbid")
    minutes: float = Field(gt=0, le=7 * 24 * 60, examples=[10])
    reason: str = Field(min_length=1, max_length=500, examples=["the uplink is replaced"])
    start: AwareDatetime | None = None
    team: str = Field(default="", max_length=40, examples=["team-1"])
    check: str = Field(default="", max_length=64, examples=["mail_up"])


class WindowOut(BaseModel):
    """A maintenance window: from `start` until `end`, which is not in it."""

    window: str
    team: str | None
    check: str | None
    start: datetime
    end: datetime
    reason: str
    declared_at: datetime


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


def question_out(question: Question) -> QuestionOut:
    """Return a question as clients see it."""
    return QuestionOut(
        question=question.id,
        task=question.task,
        asked_at=question.asked_at,
        answered_at=question.answered_at,
        answer=[
            CheckAnswerOut(check=one.check, holds=one.holds, output=one.output)
            for one in question.answer
        ],
    )


def window_out(window: Window) -> WindowOut:
    """Return a window as clients see it."""
    return WindowOut(
        window=window.id,
        team=window.team,
        check=window.check,
        start=window.start,
        end=window.end,
        reason=window.reason,
        declared_at=window.declared_at,
    )


router.include_router(repeatable)
