"""What scoring tells injects, and what it takes from teams for them and for resets."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Transaction
from core.ids import ExerciseId, TeamId
from orchestrator.charges import Charge
from orchestrator.domain.injects import Passing
from scoring.booking import TeamBooks
from scoring.domain.deriving import take
from scoring.domain.ledger import MILLI, Cause, Fact
from scoring.domain.rules import NO_RULES
from scoring.repository import ScoreRepository


class Scorekeeping:
    """The `Scorekeeper` of injects and the `Treasurer` of resets, over facts and ledger."""

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
        self, transaction: Transaction, exercise: ExerciseId, team: TeamId, charge: Charge
    ) -> None:
        """Take points for an event from what a task gave; one that gives more later pays then.

        The team's turn is taken here, if the transaction has not.
        """
        ScoreRepository(transaction.session).take_turn(exercise, team)
        recorded_at = self._clock.now()
        fact = Fact(
            cause=Cause(charge.cause),
            id=charge.id,
            at=charge.at,
            subject=charge.task,
            milli_points=charge.points * MILLI,
        )
        books = TeamBooks(transaction.session, exercise, team, recorded_at=recorded_at)
        take(fact, books, NO_RULES)
