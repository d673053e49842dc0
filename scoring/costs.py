"""Costs of injects: taken from the task that they help with, and never more than it gave."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId
from core.scenario.schema import Scenario
from orchestrator.domain.injects import FiringState
from orchestrator.injects.repository import InjectRepository
from scoring.domain.ledger import MILLI, Cause, Fact, charged
from scoring.repository import ScoreRepository

_OUT = frozenset({FiringState.FIRING, FiringState.FIRED})


def worth(session: Session, scenario: Scenario, team: TeamId, task: str) -> int:
    """Return what a solve gives a team, in thousandths: what it gave, or would give now."""
    repository = ScoreRepository(session)
    if repository.is_solved(team, task):
        return repository.sum_of(team, task)
    costs = sum(cost for _, cost in _so_far(session, scenario, team, task))
    return max(0, scenario.tasks[task].points * MILLI - costs)


def book_costs_so_far(
    session: Session,
    scenario: Scenario,
    exercise: ExerciseId,
    team: TeamId,
    task: str,
    *,
    at: datetime,
    recorded_at: datetime,
) -> None:
    """Book, with a solve, what injects cost the task before it."""
    for firing, cost in _so_far(session, scenario, team, task):
        book_cost(
            ScoreRepository(session),
            exercise,
            team,
            task=task,
            milli_points=cost,
            firing=firing,
            at=at,
            recorded_at=recorded_at,
        )


def _so_far(
    session: Session, scenario: Scenario, team: TeamId, task: str
) -> tuple[tuple[str, int], ...]:
    """Return each firing that costs the task something, and how much."""
    costs = {
        name: inject.cost * MILLI
        for name, inject in scenario.injects.items()
        if inject.cost is not None and inject.when is not None and inject.when.task == task
    }
    records = InjectRepository(session).records([team])[team] if costs else ()
    return tuple(
        (record.id, costs[record.firing.inject])
        for record in records
        if record.firing.inject in costs and record.firing.state in _OUT
    )


def book_cost(
    repository: ScoreRepository,
    exercise: ExerciseId,
    team: TeamId,
    *,
    task: str,
    milli_points: int,
    firing: str,
    at: datetime,
    recorded_at: datetime,
) -> None:
    """Book what one firing costs a solved task; booked twice, it costs once."""
    has = repository.sum_of(team, task)
    fact = Fact(cause=Cause.INJECT, id=firing, at=at)
    for entry in charged(team, task, cost=milli_points, has=has, fact=fact):
        if not repository.is_booked(entry.key):
            repository.book(exercise, entry, recorded_at=recorded_at)
