"""What scoring tells injects, and what it takes from teams for them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Transaction
from core.ids import ExerciseId, TeamId
from orchestrator.domain.injects import Passing
from scoring.costs import book_cost
from scoring.domain.ledger import MILLI
from scoring.repository import ScoreRepository


class Scorekeeping:
    """The `Scorekeeper` of injects, over facts and ledger."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def passing(
        self, session: Session, teams: Sequence[TeamId]
    ) -> Mapping[tuple[TeamId, str], Passing]:
        """Return (team, check) → since when it passes, on the team's clock; only those that do."""
        states = ScoreRepository(session).check_states(teams)
        return {
            (TeamId(team), check): Passing(since=state.passing_since, seen=state.passed_at)
            for (team, check), state in states.items()
            if state.passing_since is not None and state.passed_at is not None
        }

    def solved(
        self, session: Session, teams: Sequence[TeamId]
    ) -> Mapping[tuple[TeamId, str], datetime]:
        """Return (team, task) → when it was solved."""
        solves = ScoreRepository(session).solves(teams)
        return {(TeamId(team), task): solve.solved_at for (team, task), solve in solves.items()}

    def charge(
        self,
        transaction: Transaction,
        exercise: ExerciseId,
        team: TeamId,
        *,
        task: str,
        points: int,
        firing: str,
        at: datetime,
    ) -> None:
        """Take points from a solved task for a firing, once; an open one pays when it is solved."""
        repository = ScoreRepository(transaction.session)
        if repository.is_solved(team, task):
            book_cost(
                repository,
                exercise,
                team,
                task=task,
                milli_points=points * MILLI,
                firing=firing,
                at=at,
                recorded_at=self._clock.now(),
            )
