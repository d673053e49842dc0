"""Checks as clients see them: what a team asked, and declared maintenance."""

from datetime import datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from scoring.asking import Question
from scoring.maintenance import Window


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
