"""The terms of a task that is answered: what is told of it before anything is sent."""

from dataclasses import dataclass
from datetime import timedelta

from core.scenario.schema_tasks import AnsweredTask, Task
from scoring.domain.forms import form_of
from scoring.domain.lateness import gives, left, steps
from scoring.domain.ledger import MILLI
from scoring.domain.timing import Times
from scoring.views import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of a team's answers to a task: points and costs in thousandths.

    `last` is when one was last judged, on the team's clock.
    """

    is_solved: bool
    milli_points: int
    costs: int
    last: timedelta | None


def terms_of(task: Task, times: Times, elapsed: timedelta, sent: Sent) -> Terms | None:
    """Return the terms at a time of the team's clock; `None` for a task that takes no answers.

    `task` is as the reader reads it, in their language.
    """
    if not isinstance(task, AnsweredTask):
        return None
    form = form_of(task)
    now = sent.milli_points
    if not sent.is_solved:
        now = left(gives(task, times, elapsed), costs=sent.costs, has=now)
    next_at = None
    if task.cooldown is not None and sent.last is not None and not sent.is_solved:
        next_at = sent.last + task.cooldown
    return Terms(
        milli_points=now,
        form=form.words if form is not None else "",
        late=tuple(steps(task, times)),
        wrong_milli_points=task.wrong_cost * MILLI,
        cooldown=task.cooldown,
        next_at=next_at if next_at is not None and next_at > elapsed else None,
    )
