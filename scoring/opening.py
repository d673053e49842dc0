"""Whether a task of a team is open, as far as injects decide on it."""

from datetime import timedelta

from sqlalchemy.orm import Session

from core.ids import TeamId
from core.scenario.schema_tasks import Task
from orchestrator.domain.injects import PASSED
from orchestrator.injects.repository import InjectRepository
from scoring.domain.books import Books
from scoring.domain.deriving import take
from scoring.domain.ledger import Cause, Fact
from scoring.domain.rules import NO_RULES
from scoring.domain.timing import Times, is_timed, times_of
from scoring.errors import TaskLockedError, TaskOverdueError


def times_now(session: Session, team: TeamId, task: Task) -> Times:
    """Return when a task of a team counts."""
    if not is_timed(task):
        return Times()
    records = InjectRepository(session).records([team])[team]
    return times_of(task, [record.firing for record in records])


def note_passed(session: Session, books: Books, team: TeamId) -> None:
    """Put injects that went out or were skipped among the facts, as scoring gets to know of them.

    Injects take the team's turn as scoring does, so what has passed now had passed before the next
    fact in every replay.
    """
    known = {(firing.inject, firing.occurrence) for firing in books.passed()}
    for record in InjectRepository(session).records([team])[team]:
        firing = record.firing
        if firing.state not in PASSED or (firing.inject, firing.occurrence) in known:
            continue
        fact = Fact(
            cause=Cause.PASSED,
            id=record.id,
            at=record.changed_at,
            subject=firing.inject,
            number=firing.occurrence,
            outcome=firing.state,
            elapsed=firing.at or timedelta(),
        )
        take(fact, books, NO_RULES)


def require_open(name: str, times: Times, elapsed: timedelta) -> None:
    """Raise TaskLockedError or TaskOverdueError unless the task is open at this time."""
    if not times.is_open:
        raise TaskLockedError(f"{name} is not open yet", hint="It opens while you play")
    if times.is_over(elapsed):
        raise TaskOverdueError(
            f"the time for {name} is up: it was due at {times.due} of your clock",
            hint="Go on with another task",
        )
