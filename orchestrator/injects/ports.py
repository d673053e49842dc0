"""What injects ask of scoring, which stands above the orchestrator."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from core.db import Transaction
from core.ids import ExerciseId, TeamId
from orchestrator.domain.injects import Passing


class Scorekeeper(Protocol):
    """Knows what teams have achieved, and takes points from them."""

    def passing(
        self, session: Session, teams: Sequence[TeamId]
    ) -> Mapping[tuple[TeamId, str], Passing]:
        """Return (team, check) → since when it passes, on the team's clock; only those that do."""
        ...

    def solved(
        self, session: Session, teams: Sequence[TeamId]
    ) -> Mapping[tuple[TeamId, str], datetime]:
        """Return (team, task) → when it was solved."""
        ...

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
        """Take points from a task for a firing, once, and never below zero.

        A task that has none yet is charged when it is solved: scoring reads what went out.
        """
        ...
