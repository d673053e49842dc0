"""Objectives and tasks: what a team is asked for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import Field, Tag, model_validator

from core.scenario.fields import (
    CompetencyRef,
    Duration,
    Part,
    Ref,
    Share,
    SomeTime,
    Text,
)
from core.scenario.kinds import Kinded, by_key, exactly_one
from core.scenario.schema_answers import WholeAnswer

_TASK_KINDS = ("answer", "flag", "checks", "availability", "guard")


class Objective(Part):
    """What the exercise wants to see: a competency, met from `pass` of its points on."""

    competency: CompetencyRef
    """The competency that it shows."""
    title: Text | None = None
    """What people call it."""
    pass_: Share = Field(alias="pass")
    """The share of its points from which on it is met."""


class Opens(Part):
    """What a task waits for: an inject that has gone out, or was skipped."""

    with_: Ref = Field(alias="with")
    """The inject."""


class Due(Part):
    """Until when a task counts: `within` of the moment at which an inject went out."""

    after: Ref
    """The inject."""
    within: SomeTime
    """How long after it."""


class Hint(Part):
    """Help with a task, for the team that asks for it."""

    text: Text
    """What it says."""
    cost: int = Field(default=0, ge=0, le=100_000)
    """What it takes from the task's points, once, when the task is solved."""
    after: Duration = timedelta()
    """How long after the task's opening it can be had, on the team's clock."""


class _Task(Kinded):
    title: Text | None = None
    """What people call it."""
    ask: Text | None = None
    """What the team is asked."""
    points: int = Field(default=0, ge=0, le=100_000)
    """What it gives."""
    objective: Ref | None = None
    """The objective that its points count for."""


class TimedTask(_Task):
    """A task that is done at some time, or never."""

    opens: Opens | None = None
    """What it waits for; it is locked until then."""
    due: Due | None = None
    """Until when it counts."""
    hints: tuple[Hint, ...] = Field(default=(), max_length=20)
    """Help that a team may take, in any order."""


class QuestionTask(TimedTask):
    """Answered in words, numbers or times."""

    kind: ClassVar[str] = "answer"
    answer: WholeAnswer
    """The right answer."""
    attempts: int | None = Field(default=None, ge=1, le=1000)
    """How often a team may answer; left out, without end."""


class FlagTask(TimedTask):
    """A flag to be found; `flag` names the value."""

    kind: ClassVar[str] = "flag"
    flag: Ref
    """The value that is the flag."""
    attempts: int | None = Field(default=None, ge=1, le=1000)
    """How often a team may try; left out, without end."""


class ChecksTask(TimedTask):
    """Done when all of `checks` pass."""

    kind: ClassVar[str] = "checks"
    checks: tuple[Ref, ...] = Field(min_length=1)
    """The checks that all pass."""
    partial: Mapping[Ref, Annotated[int, Field(ge=1, le=100_000)]] = {}
    """How many of the points some of the checks give alone, once each has passed for its hold."""

    @model_validator(mode="after")
    def _no_more_than_the_whole(self) -> "ChecksTask":
        added = sum(self.partial.values())
        if added > self.points:
            raise ValueError(f"partial adds to {added}, which is more than {self.points} points")
        return self


class AvailabilityTask(_Task):
    """Gives its points by the share of scored rounds in which the check passes."""

    kind: ClassVar[str] = "availability"
    availability: Ref
    """The check."""


class GuardTask(_Task):
    """Takes its points, once, after two failures in a row of the check."""

    kind: ClassVar[str] = "guard"
    guard: Ref
    """The check of what must not be lost."""
    points: int = Field(ge=-100_000, le=-1)
    """What the loss takes, below zero."""


Task = Annotated[
    Annotated[QuestionTask, Tag("<answer>")]
    | Annotated[FlagTask, Tag("<flag>")]
    | Annotated[ChecksTask, Tag("<checks>")]
    | Annotated[AvailabilityTask, Tag("<availability>")]
    | Annotated[GuardTask, Tag("<guard>")],
    by_key(*_TASK_KINDS),
    exactly_one("a task", *_TASK_KINDS),
]
