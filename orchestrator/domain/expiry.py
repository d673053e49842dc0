"""When worlds that nobody uses any more are taken down. A running exercise never is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import UNDER_WAY, Phase

WARNING = timedelta(hours=6)

_EXPIRING = frozenset({Phase.READY, Phase.DEGRADED, Phase.FAILED, Phase.ENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """When an exercise has been left alone for too long, and what follows.

    `destroys` is false for one that runs or is paused: people are told, and nothing else happens.
    """

    at: datetime
    destroys: bool

    def is_due(self, now: datetime) -> bool:
        """Tell whether the worlds are to be taken down now."""
        return self.destroys and now >= self.at

    def is_near(self, now: datetime) -> bool:
        """Tell whether people should be warned: six hours before, and ever after."""
        return now >= self.at - WARNING


def expiry_of(exercise: Exercise, *, after: timedelta) -> Expiry | None:
    """Return when an exercise expires; `None` while it is built and once its worlds are not due."""
    if exercise.phase not in _EXPIRING | UNDER_WAY:
        return None
    return Expiry(at=last_touched(exercise) + after, destroys=exercise.phase in _EXPIRING)


def last_touched(exercise: Exercise) -> datetime:
    """Return when anybody or anything last did something with the exercise."""
    return max(
        exercise.created_at,
        *(event.at for event in exercise.clock),
        *(team.world_since for team in exercise.teams),
        *([exercise.kept_at] if exercise.kept_at else []),
    )
