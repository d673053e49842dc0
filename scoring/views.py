"""What people see of scoring: a team's tasks, hints, signals. Points are in thousandths."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from core.ids import UserId
from scoring.domain.verdicts import Verdict


class TaskState(StrEnum):
    """Where a team is with a task."""

    LOCKED = "locked"  # it opens with an inject; until then a team sees its title
    OPEN = "open"
    HOLDING = "holding"  # all its checks pass; it is done when they have held long enough
    DONE = "done"
    NO_ATTEMPTS_LEFT = "no_attempts_left"
    OVERDUE = "overdue"  # it was not done in time
    LOST = "lost"  # a guard took its points


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """A check of a team: what was last seen, and how long it has been seen to pass.

    `title` is what the team reads of it, `milli_points` what it gives its task alone, `missed` how
    many rounds nobody carried out.
    """

    check: str
    title: str
    verdict: Verdict | None
    passing_since: timedelta | None
    held: timedelta | None
    hold: timedelta
    milli_points: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HintView:
    """A hint as its team sees it: `text` is empty until one of them takes it.

    `number` counts from 1, in the order of the scenario; `opens_at` is the team's clock, `None`
    while the task itself is locked. `at_once` says that it is paid for when it is taken.
    """

    number: int
    milli_points: int
    at_once: bool
    opens_at: timedelta | None
    is_open: bool
    text: str
    taken_at: datetime | None
    taken_by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an answer to a task is worth and costs, as its team is told before it sends one.

    A right one gives `milli_points` now, less costs so far, and at each time of the team's clock in
    `late` no more than what stands there. A wrong one costs `wrong_milli_points`, and `cooldown`
    passes before the next; that is taken from `next_at` of the team's clock on, `None` for now.
    `form` says what is asked for, such as `a number`; nothing where the author did not say.
    """

    milli_points: int
    form: str = ""
    late: tuple[tuple[timedelta, int], ...] = ()
    wrong_milli_points: int = 0
    cooldown: timedelta | None = None
    next_at: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A task as its team sees it.

    `kind` is answer, flag, checks, availability, guard, rubric or feed. `milli_points` is what the
    team has for it now, of `of_milli_points`; below zero for a guard. `share` is the availability
    so far. `attempts_left` is `None` when there is no limit. `due` is the team's clock; `None`
    without a deadline. `options` is what an answer is chosen from: what to send, and its text.
    `terms` are of a task that is answered, `source` is what gives points to one that is fed.
    """

    task: str
    kind: str
    title: str
    ask: str
    objective: str | None
    milli_points: int
    of_milli_points: int
    state: TaskState
    attempts: int
    attempts_left: int | None
    solved_at: datetime | None
    share: Fraction | None
    checks: tuple[CheckView, ...]
    due: timedelta | None = None
    options: tuple[tuple[str, str], ...] = ()
    hints: tuple[HintView, ...] = ()
    terms: Terms | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a team is told about an answer: what `AnswerVerdict` calls it, but for `foreign`.

    `milli_points` is what the task gives the team now; `hint` speaks of the form of what was sent.
    """

    verdict: str
    milli_points: int
    attempts_left: int | None
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HintTaken:
    """A hint that a team took, who asked for it, and what it costs when the task is solved."""

    team: str
    task: str
    hint: int
    milli_points: int
    user: UserId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A team sent a secret of another: for a person to look at, never a penalty by itself."""

    team: str
    user: UserId
    task: str
    owner: str
    value: str
    submission: str
    at: datetime
