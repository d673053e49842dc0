"""Tasks and answers of a team."""

import asyncio
import secrets
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from api.auth import Caller, ServicesHere, Trainee
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.exercises import ExerciseHere, LanguageHere
from api.v1.points import points
from orchestrator.domain.exercise import Team
from scoring.views import CheckView, HintView, Outcome, TaskState, TaskView, Terms

router = APIRouter(tags=["play"], responses=RESPONSES)


class CheckOut(BaseModel):
    """A check of a task: what was last seen, and how long it must be seen to pass."""

    check: str = Field(examples=["backdoor_gone"])
    verdict: str | None = Field(examples=["up"])
    held_seconds: int | None = Field(examples=[20])
    hold_seconds: int = Field(examples=[60])
    points: float = Field(default=0, examples=[15], description="What it gives the task alone.")
    missed: int = Field(default=0, description="Rounds that nobody carried out; not scored.")


class OptionOut(BaseModel):
    """Something to choose: what to send as the answer, and its text."""

    value: str = Field(examples=["phishing"])
    text: str = Field(examples=["A mail with a link"])


class HintOut(BaseModel):
    """A hint of a task; `text` is there once the team has taken it."""

    hint: int = Field(examples=[1])
    cost: float = Field(examples=[2])
    at_once: bool = Field(description="It is paid for when it is taken, else by its task's points.")
    opens_seconds: float | None = Field(
        examples=[1200], description="On the team's clock; null while the task is locked."
    )
    text: str | None = Field(examples=["Look at who logged in at night."])
    taken_at: datetime | None
    taken_by: str | None = Field(examples=["team-1-k3f"])


class HintIn(BaseModel):
    """Which hint of the task, from 1 on."""

    hint: int = Field(ge=1, le=1000, examples=[1])


class LateOut(BaseModel):
    """From when on, on the team's clock, a right answer gives no more than this."""

    from_seconds: float = Field(examples=[1800])
    points: float = Field(examples=[10])


class TermsOut(BaseModel):
    """What an answer is worth and costs, as it is now: a right one gives `points`.

    A wrong one costs `wrong_cost`, once the task is solved and never more than it gives. After one
    the team waits for `cooldown_seconds`; `next_seconds` is when on its clock, while it does.
    """

    points: float = Field(examples=[18])
    form: str = Field(examples=["an account name"], description="What is asked for, if told.")
    late: list[LateOut]
    wrong_cost: float = Field(examples=[2])
    cooldown_seconds: float | None = Field(examples=[30])
    next_seconds: float | None = Field(examples=[754])


class TaskOut(BaseModel):
    """A task as its team sees it; `points` is what the team has for it now.

    Where there are `options`, the answer is one of them. One of the `kind` rubric is `assessed`:
    people mark it, and it has no points before they do.
    """

    task: str = Field(examples=["who"])
    kind: str = Field(examples=["answer"])
    title: str = Field(examples=["Who came in?"])
    ask: str = Field(examples=["Which account did the intruder use?"])
    points: float = Field(examples=[0])
    of_points: float = Field(examples=[20])
    state: TaskState
    assessed: bool = Field(default=False, description="Assessors mark it.")
    attempts: int = Field(examples=[1])
    attempts_left: int | None = Field(examples=[4])
    solved_at: datetime | None
    share: float | None = Field(examples=[None])
    due_seconds: float | None = Field(default=None, description="On the team's clock.")
    checks: list[CheckOut] = []
    options: list[OptionOut] = []
    hints: list[HintOut] = []
    source: str = Field(default="", description="What gives the points of the `kind` feed.")
    terms: TermsOut | None = Field(default=None, description="Of a task that takes answers.")


class AnswerIn(BaseModel):
    """An answer to a task."""

    task: str = Field(max_length=64, examples=["who"])
    value: str = Field(max_length=10_000, examples=["s.hoxha"])


class OutcomeOut(BaseModel):
    """What the team is told: `correct`, `wrong`, `wrong_form`, `already` or `no_attempts_left`.

    `wrong_form`: nothing of this form can be right; it costs no attempt. `hint` says what was sent
    and what is asked for, as far as the form of the text tells.
    """

    verdict: str = Field(examples=["wrong"])
    points: float = Field(examples=[0])
    attempts_left: int | None = Field(examples=[3])
    hint: str = Field(
        default="", examples=["That looks like a hash; an account name is asked for."]
    )


@router.get("/exercises/{name}/tasks")
def list_tasks(
    exercise: ExerciseHere,
    caller: Caller,
    services: ServicesHere,
    language: LanguageHere,
    team: Annotated[str | None, Query(max_length=64, description="For staff: whose.")] = None,
) -> list[TaskOut]:
    """List a team's tasks: a trainee's own, everybody else says whose.

    In the language of the scenario that `Accept-Language` asks for, as far as it is translated.
    """
    whose = team_for(exercise, caller, team)
    found = services.scoring.tasks(exercise, whose, language=language)
    return [task_out(task, whose) for task in found]


@router.post("/exercises/{name}/answers")
async def answer(
    name: Annotated[str, Path(max_length=80, examples=["night-shift-k3f"])],
    sent: AnswerIn,
    caller: Trainee,
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
    # What has to be read costs a thread's turn, so it is not read with every answer.
    exercise = services.exercises.played_at_hand(caller, name)
    if exercise is None:
        exercise = await run_in_threadpool(services.exercises.played_by, caller, name)
    told = services.scoring.answer_soon(
        exercise,
        team_for(exercise, caller, None),
        caller.id,
        task=sent.task,
        value=sent.value,
        client_key=idempotency_key or secrets.token_hex(16),
    )
    return outcome_out(await asyncio.wrap_future(told))


@router.post("/exercises/{name}/tasks/{task}/hints")
def take_hint(
    task: Annotated[str, Path(max_length=64)],
    sent: HintIn,
    caller: Trainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    language: LanguageHere,
) -> HintOut:
    """Take a hint for one's team, at its cost; one that the team has is shown again for nothing."""
    team = team_for(exercise, caller, None)
    hint = services.scoring.take_hint(
        exercise, team, caller.id, task=task, hint=sent.hint, language=language
    )
    return _hint_out(hint, team)


def task_out(task: TaskView, team: Team) -> TaskOut:
    """Return a task of a team as clients see it."""
    return TaskOut(
        task=task.task,
        kind=task.kind,
        title=task.title,
        ask=task.ask,
        points=points(task.milli_points),
        of_points=points(task.of_milli_points),
        state=task.state,
        assessed=task.kind == "rubric",
        attempts=task.attempts,
        attempts_left=task.attempts_left,
        solved_at=task.solved_at,
        share=None if task.share is None else float(task.share),
        due_seconds=None if task.due is None else task.due.total_seconds(),
        checks=[_check_out(check) for check in task.checks],
        options=[OptionOut(value=value, text=text) for value, text in task.options],
        hints=[_hint_out(hint, team) for hint in task.hints],
        source=task.source,
        terms=None if task.terms is None else _terms_out(task.terms),
    )


def _terms_out(terms: Terms) -> TermsOut:
    return TermsOut(
        points=points(terms.milli_points),
        form=terms.form,
        late=[LateOut(from_seconds=at.total_seconds(), points=points(p)) for at, p in terms.late],
        wrong_cost=points(terms.wrong_milli_points),
        cooldown_seconds=None if terms.cooldown is None else terms.cooldown.total_seconds(),
        next_seconds=None if terms.next_at is None else terms.next_at.total_seconds(),
    )


def _hint_out(hint: HintView, team: Team) -> HintOut:
    names = {member.user: member.name for member in team.members}
    return HintOut(
        hint=hint.number,
        cost=points(hint.milli_points),
        at_once=hint.at_once,
        opens_seconds=None if hint.opens_at is None else hint.opens_at.total_seconds(),
        text=hint.text or None,
        taken_at=hint.taken_at,
        taken_by=None if hint.taken_by is None else names.get(hint.taken_by, hint.taken_by),
    )


def _check_out(check: CheckView) -> CheckOut:
    return CheckOut(
        check=check.check,
        verdict=check.verdict,
        held_seconds=None if check.held is None else int(check.held.total_seconds()),
        hold_seconds=int(check.hold.total_seconds()),
        points=points(check.milli_points),
        missed=check.missed,
    )


def outcome_out(outcome: Outcome) -> OutcomeOut:
    """Return what a team is told about an answer."""
    return OutcomeOut(
        verdict=outcome.verdict,
        points=points(outcome.milli_points),
        attempts_left=outcome.attempts_left,
        hint=outcome.hint,
    )
