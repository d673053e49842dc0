"""Costs of injects, resets and hints: taken from a task, and never more than it gave."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import SolvableTask
from orchestrator.domain.injects import FiringState
from orchestrator.injects.repository import InjectRepository
from orchestrator.repair_repository import RepairRepository
from scoring.domain.ledger import MILLI, Cause, Fact, charged
from scoring.repository import ScoreRepository

_OUT = frozenset({FiringState.FIRING, FiringState.FIRED})


def worth(session: Session, scenario: Scenario, team: TeamId, task: str) -> int:
    """Return what a solve gives a team, in thousandths: what it gave, or would give now."""
    repository = ScoreRepository(session)
    if repository.is_solved(team, task):
        return repository.sum_of(team, task)
    costs = sum(cost.milli_points for cost in _so_far(session, scenario, team, task))
    return max(0, scenario.tasks[task].points * MILLI - costs)


def settle_costs(
    session: Session,
    scenario: Scenario,
    exercise: ExerciseId,
    team: TeamId,
    task: str,
    *,
    at: datetime,
    recorded_at: datetime,
) -> None:
    """Book, with points that a task gives, what injects, resets and hints cost it before.

    What it has too little for is taken from what it gives later.
    """
    for cost in _so_far(session, scenario, team, task):
        book_cost(
            ScoreRepository(session),
            exercise,
            team,
            task=task,
            milli_points=cost.milli_points,
            fact=Fact(cause=cost.cause, id=cost.id, at=at),
            recorded_at=recorded_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cost:
    cause: Cause
    id: str
    milli_points: int


def _so_far(session: Session, scenario: Scenario, team: TeamId, task: str) -> tuple[_Cost, ...]:
    return (
        *_of_injects(session, scenario, team, task),
        *_of_resets(session, scenario, team, task),
        *_of_hints(session, scenario, team, task),
    )


def _of_injects(session: Session, scenario: Scenario, team: TeamId, task: str) -> Iterator[_Cost]:
    costs = {
        name: inject.cost * MILLI
        for name, inject in scenario.injects.items()
        if inject.cost is not None and inject.when is not None and inject.when.task == task
    }
    records = InjectRepository(session).records([team])[team] if costs else ()
    for record in records:
        if record.firing.inject in costs and record.firing.state in _OUT:
            milli_points = costs[record.firing.inject]
            yield _Cost(cause=Cause.INJECT, id=record.id, milli_points=milli_points)


def _of_resets(session: Session, scenario: Scenario, team: TeamId, task: str) -> Iterator[_Cost]:
    costs = {
        name: host.reset.cost.points * MILLI
        for name, host in scenario.hosts.items()
        if host.reset is not None and host.reset.cost is not None and host.reset.cost.task == task
    }
    resets = RepairRepository(session).own_resets(team) if costs else {}
    for host, milli_points in costs.items():
        for reset in resets.get(host, ()):
            yield _Cost(cause=Cause.RESET, id=reset, milli_points=milli_points)


def _of_hints(session: Session, scenario: Scenario, team: TeamId, task: str) -> Iterator[_Cost]:
    asked = scenario.tasks[task]
    hints = asked.hints if isinstance(asked, SolvableTask) else ()
    taken = ScoreRepository(session).hints([team]).get((team, task), []) if hints else []
    for row in taken:
        milli_points = hints[row.hint - 1].cost * MILLI
        yield _Cost(cause=Cause.HINT, id=row.id, milli_points=milli_points)


def book_cost(
    repository: ScoreRepository,
    exercise: ExerciseId,
    team: TeamId,
    *,
    task: str,
    milli_points: int,
    fact: Fact,
    recorded_at: datetime,
) -> None:
    """Book what one event costs a task, as far as it has points and did not pay before."""
    has, paid = repository.sum_of(team, task), repository.paid(team, task, fact.id)
    for entry in charged(team, task, cost=milli_points, has=has, paid=paid, fact=fact):
        repository.book(exercise, entry, recorded_at=recorded_at)
