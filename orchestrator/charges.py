"""What injects and resets take from teams, as scoring is asked for it, which stands above."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.db import Transaction
from core.ids import ExerciseId, TeamId


class ChargedFor(StrEnum):
    """Which kind of event a team pays for."""

    INJECT = "inject"
    RESET = "reset"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """Points that one event, an inject's firing or a reset, takes from a task."""

    cause: ChargedFor
    id: str
    task: str
    points: int
    at: datetime


class Treasurer(Protocol):
    """Takes points from teams."""

    def charge(
        self, transaction: Transaction, exercise: ExerciseId, team: TeamId, charge: Charge
    ) -> None:
        """Take the points, once for an event, and never more than the task gave.

        A task that has given none yet pays when it is solved: scoring reads what has happened.
        """
        ...
