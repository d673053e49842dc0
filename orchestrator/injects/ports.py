"""What injects ask of scoring, which stands above the orchestrator."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from core.ids import TeamId
from orchestrator.charges import Treasurer
from orchestrator.domain.injects import Passing


class Scorekeeper(Treasurer, Protocol):
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
