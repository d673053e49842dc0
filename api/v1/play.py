"""Tasks and answers of a team."""

import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field

from api.auth import Caller, ServicesHere, Trainee
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.exercises import ExerciseHere
from api.v1.points import points
from scoring.views import CheckView, Outcome, TaskState, TaskView

router = APIRouter(tags=["play"], responses=RESPONSES)


class CheckOut(BaseModel):
    """A check of a task: what was last seen, and how long it must be seen to pass."""

    check: str = Field(examples=["backdoor_gone"])
    verdict: str | None = Field(examples=["up"])
    held_seconds: int | None = Field(examples=[20])
    hold_seconds: int = Field(examples=[60])


class OptionOut(BaseModel):
    """Something to choose: what to send as the answer, and its text."""

    value: str = Field(examples=["phishing"])
    text: str = Field(examples=["A mail with a link"])


class TaskOut(BaseModel):
    """A task as its team sees it; `points` is what the team has for it now.

    Where there are `options`, the answer is one of them.
    """

    task: str = Field(examples=["who"])
    kind: str = Field(examples=["answer"])
    title: str = Field(examples=["Who came in?"])
    ask: str = Field(examples=["Which account did the intruder use?"])
    points: float = Field(examples=[0])
    of_points: float = Field(examples=[20])
    state: TaskState
    attempts: int = Field(examples=[1])
    attempts_left: int | None = Field(examples=[4])
    solved_at: datetime | None
    share: float | None = Field(examples=[None])
    due_seconds: float | None = Field(default=None, description="On the team's clock.")
    checks: list[CheckOut] = []
    options: list[OptionOut] = []


class AnswerIn(BaseModel):
    """An answer to a task."""

    task: str = Field(max_length=64, examples=["who"])
    value: str = Field(max_length=10_000, examples=["s.hoxha"])


class OutcomeOut(BaseModel):
    """What the team is told: `correct`, `wrong`, `already` or `no_attempts_left`."""

    verdict: str = Field(examples=["wrong"])
    points: float = Field(examples=[0])
    attempts_left: int | None = Field(examples=[3])


@router.get("/exercises/{name}/tasks")
def list_tasks(
    exercise: ExerciseHere,
    caller: Caller,
    services: ServicesHere,
    team: Annotated[str | None, Query(max_length=64, description="For staff: whose.")] = None,
) -> list[TaskOut]:
    """List a team's tasks: a trainee's own, everybody else says whose."""
    return [
        task_out(task)
        for task in services.scoring.tasks(exercise, team_for(exercise, caller, team))
    ]


@router.post("/exercises/{name}/answers")
def answer(
    sent: AnswerIn,
    caller: Trainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=100,
            description="Send the same answer again with the same key: it is judged once.",
        ),
    ] = None,
) -> OutcomeOut:
    """Answer a task for one's team."""
    outcome = services.scoring.answer(
        exercise,
        team_for(exercise, caller, None),
        caller.id,
        task=sent.task,
        value=sent.value,
        client_key=idempotency_key or secrets.token_hex(16),
    )
    return outcome_out(outcome)


def task_out(task: TaskView) -> TaskOut:
    """Return a task as clients see it."""
    return TaskOut(
        task=task.task,
        kind=task.kind,
        title=task.title,
        ask=task.ask,
        points=points(task.milli_points),
        of_points=points(task.of_milli_points),
        state=task.state,
        attempts=task.attempts,
        attempts_left=task.attempts_left,
        solved_at=task.solved_at,
        share=None if task.share is None else float(task.share),
        due_seconds=None if task.due is None else task.due.total_seconds(),
        checks=[_check_out(check) for check in task.checks],
        options=[OptionOut(value=value, text=text) for value, text in task.options],
    )


def _check_out(check: CheckView) -> CheckOut:
    return CheckOut(
        check=check.check,
        verdict=check.verdict,
        held_seconds=None if check.held is None else int(check.held.total_seconds()),
        hold_seconds=int(check.hold.total_seconds()),
    )


def outcome_out(outcome: Outcome) -> OutcomeOut:
    """Return what a team is told about an answer."""
    return OutcomeOut(
        verdict=outcome.verdict,
        points=points(outcome.milli_points),
        attempts_left=outcome.attempts_left,
    )
