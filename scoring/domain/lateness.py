"""What a task gives the later it is solved, by the steps that its author wrote."""

from collections.abc import Iterator
from datetime import timedelta

from core.scenario.schema_tasks import AnsweredTask, Task
from scoring.domain.ledger import MILLI
from scoring.domain.timing import Times


def gives(task: Task, times: Times, elapsed: timedelta) -> int:
    """Return the thousandths that a solve gives at a time of the team's clock, rounded down."""
    given = task.points * MILLI
    for at, milli_points in steps(task, times):
        if elapsed >= at:
            given = milli_points
    return given


def steps(task: Task, times: Times) -> Iterator[tuple[timedelta, int]]:
    """Yield from which time of the team's clock on a task gives how many thousandths only.

    Nothing for a task that is not open yet: its steps count from then on.
    """
    if not isinstance(task, AnsweredTask) or times.opened is None:
        return
    for step in task.late:
        yield times.opened + step.after, int(task.points * MILLI * step.share)


def left(given: int, *, costs: int, has: int) -> int:
    """Return what a task has after a solve that gives so much, all in thousandths.

    It pays its costs as far as that goes. `has` is what it had before: less than nothing where the
    team paid for a hint at once, of all that it had.
    """
    return max(given - costs, min(0, given + has))
