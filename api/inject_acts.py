"""What an instructor does about an inject, by name."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from api.bootstrap import Services
from core.ids import ExerciseId
from orchestrator.journal import By


class InjectAct(StrEnum):
    """What is done about one inject."""

    FIRE = "fire"
    HOLD = "hold"
    RELEASE = "release"
    SKIP = "skip"


def act_on(
    services: Services,
    act: InjectAct,
    exercise: ExerciseId,
    inject: str,
    *,
    team: str,
    by: By,
) -> tuple[str, ...]:
    """Do it, and return the slugs of the teams for which it was done."""
    injects = services.injects
    acts: Mapping[InjectAct, Callable[..., tuple[str, ...]]] = {
        InjectAct.FIRE: injects.fire,
        InjectAct.HOLD: injects.hold,
        InjectAct.RELEASE: injects.release,
        InjectAct.SKIP: injects.skip,
    }
    return acts[act](exercise, inject, team=team, by=by)
