"""When a task of a team counts: from an inject on, and until some time after one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from core.scenario.schema_tasks import Task, TimedTask
from orchestrator.domain.injects import PASSED, Firing, FiringState


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Since when a task is open, and until when, on the team's clock.

    `opened` is `None` while it is not, `due` without a limit.
    """

    opened: timedelta | None = timedelta()
    due: timedelta | None = None

    @property
    def is_open(self) -> bool:
        """Whether the task is open."""
        return self.opened is not None

    def is_over(self, elapsed: timedelta) -> bool:
        """Tell whether the task counts no more at this time of the team's clock."""
        return self.due is not None and elapsed > self.due


def is_timed(task: Task) -> bool:
    """Tell whether a task's times depend on injects."""
    return isinstance(task, TimedTask) and bool(task.opens or task.due)


def times_of(task: Task, firings: Iterable[Firing]) -> Times:
    """Return a task's times from what became of the team's injects.

    It opens when the inject has gone out or was skipped. It is due only after one that went out:
    what a team was never told of has no deadline.
    """
    if not isinstance(task, TimedTask):
        return Times()
    first = {f.inject: f for f in firings if f.occurrence == 1 and f.state in PASSED}
    opened: timedelta | None = timedelta()
    if task.opens is not None:
        opens = first.get(task.opens.with_)
        opened = opens.at if opens is not None else None
    after = first.get(task.due.after) if task.due is not None else None
    if task.due is None or after is None or after.state is not FiringState.FIRED:
        return Times(opened=opened)
    assert after.at is not None
    return Times(opened=opened, due=after.at + task.due.within)
