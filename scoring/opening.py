"""Whether a task of a team is open now, as far as injects decide on it."""

from datetime import timedelta

from sqlalchemy.orm import Session

from core.ids import TeamId
from core.scenario.schema_tasks import Task
from orchestrator.injects.repository import InjectRepository
from scoring.domain.timing import Times, is_timed, times_of
from scoring.errors import TaskLockedError, TaskOverdueError


def times_now(session: Session, team: TeamId, task: Task) -> Times:
    """Return when a task of a team counts."""
    if not is_timed(task):
        return Times()
    records = InjectRepository(session).records([team])[team]
    return times_of(task, [record.firing for record in records])


def require_open(name: str, times: Times, elapsed: timedelta) -> None:
    """Raise TaskLockedError or TaskOverdueError unless the task is open at this time."""
    if not times.is_open:
        raise TaskLockedError(f"{name} is not open yet", hint="It opens while you play")
    if times.is_over(elapsed):
        raise TaskOverdueError(
            f"the time for {name} is up: it was due at {times.due} of your clock",
            hint="Go on with another task",
        )
