"""Objectives and tasks: what a team is asked for."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, Tag, model_validator

from core.scenario.fields import (
    ByteSize,
    CompetencyRef,
    Duration,
    FileType,
    Part,
    PlainText,
    Ref,
    Share,
    SomeTime,
    Text,
)
from core.scenario.kinds import Kinded, by_key, exactly_one
from core.scenario.schema_answers import WholeAnswer

_TASK_KINDS = ("answer", "flag", "checks", "availability", "guard", "rubric", "feed")
LARGEST_FILE = 100 * 2**20
"""The most that a file may have that is handed in, in bytes."""


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
    """What it takes, once."""
    charge: Literal["solve", "at-once"] = "solve"
    """When it is paid for: with points that its task gives, or at once, of what the team has."""
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
    """A task that counts for some time: from an inject on, until some time after one."""

    opens: Opens | None = None
    """What it waits for; it is locked until then."""
    due: Due | None = None
    """Until when it counts."""


class SolvableTask(TimedTask):
    """A task that a team solves at some moment, or never."""

    hints: tuple[Hint, ...] = Field(default=(), max_length=20)
    """Help that a team may take, in any order."""


class Late(Part):
    """From when on a task gives only a share of its points."""

    after: SomeTime
    """How long after the task's opening, on the team's clock."""
    share: Share
    """What it gives then, of its points."""


def _falling(steps: tuple[Late, ...]) -> tuple[Late, ...]:
    if steps and steps[0].share == 1:
        raise ValueError("the first step gives less than all of the points")
    for before, step in pairwise(steps):
        if step.after <= before.after:
            raise ValueError("each step is later than the one before it")
        if step.share >= before.share:
            raise ValueError("each step gives less than the one before it")
    return steps


class _Answered(SolvableTask):
    """A task to which a team sends answers."""

    attempts: int | None = Field(default=None, ge=1, le=1000)
    """How often a team may answer; left out, without end."""
    cooldown: SomeTime | None = None
    """How long a team waits after a wrong answer before the next, on its clock."""
    wrong_cost: int = Field(default=0, ge=0, le=100_000)
    """What each wrong answer takes of the task's points, once the task is solved."""
    late: Annotated[tuple[Late, ...], Field(max_length=20), AfterValidator(_falling)] = ()
    """Steps by which the task gives less, the later it is solved."""


class QuestionTask(_Answered):
    """Answered in words, numbers or times."""

    kind: ClassVar[str] = "answer"
    answer: WholeAnswer
    """The right answer."""


class FlagTask(_Answered):
    """A flag to be found; `flag` names the value."""

    kind: ClassVar[str] = "flag"
    flag: Ref
    """The value that is the flag."""


AnsweredTask = QuestionTask | FlagTask


class ChecksTask(SolvableTask):
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


def _file_size(size: int) -> int:
    if not 1 <= size <= LARGEST_FILE:
        raise ValueError("a file that is handed in has 1k at least and 100m at most")
    return size


class Submit(Part):
    """A file that a team hands in."""

    files: tuple[FileType, ...] = Field(min_length=1, max_length=20)
    """What it may be, by the ending of its name."""
    max: Annotated[ByteSize, AfterValidator(_file_size)] = Field(
        default="10m", validate_default=True
    )
    """The most that it may have."""
    by: tuple[Ref, ...] = ()
    """Roles that hand it in, and those that extend them; left out, everybody of the team."""

    @model_validator(mode="after")
    def _each_once(self) -> "Submit":
        for key, names in (("files", self.files), ("by", self.by)):
            twice = next((n for i, n in enumerate(names) if n in names[:i]), None)
            if twice is not None:
                raise ValueError(f"{key} names {twice} twice")
        return self


class RubricTask(TimedTask):
    """Marked by assessors, along a rubric: a file that is handed in, or what they saw and heard."""

    kind: ClassVar[str] = "rubric"
    rubric: Ref
    """The rubric that it is marked by."""
    submit: Submit | None = None
    """The file that the team hands in; left out, it is marked without one."""


class Feed(Part):
    """Another system, which gives points and signs what it sends."""

    source: Annotated[PlainText, Field(max_length=80)]
    """What it is called: teams read it, and it stands with every point that it gives."""


class FeedTask(_Task):
    """Gets its points from another system, event by event."""

    kind: ClassVar[str] = "feed"
    feed: Feed
    """The system; what it gives adds up to `points` at most, and to nothing at least."""


Task = Annotated[
    Annotated[QuestionTask, Tag("<answer>")]
    | Annotated[FlagTask, Tag("<flag>")]
    | Annotated[ChecksTask, Tag("<checks>")]
    | Annotated[AvailabilityTask, Tag("<availability>")]
    | Annotated[GuardTask, Tag("<guard>")]
    | Annotated[RubricTask, Tag("<rubric>")]
    | Annotated[FeedTask, Tag("<feed>")],
    by_key(*_TASK_KINDS),
    exactly_one("a task", *_TASK_KINDS),
]
