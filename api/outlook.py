"""What people are told of an exercise before it hurts.

It expires, the engine's disk is full, its scenario was not rehearsed.
"""

from api.bootstrap import Services
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase

_BEFORE_THE_START = frozenset({Phase.PROVISIONING, Phase.READY, Phase.DEGRADED})


def expiry_warning(services: Services, exercise: Exercise) -> str:
    """Return one sentence, without its stop, while an exercise is about to expire; else nothing."""
    expiry = services.janitor.outlook(exercise)
    if expiry is None or not expiry.is_near(services.clock.now()):
        return ""
    if not expiry.destroys:
        return "nobody has touched this exercise for long; its machines stay until it is ended"
    return (
        f"nobody touches this exercise; its machines are removed at {expiry.at:%Y-%m-%d %H:%M} UTC"
    )


def disk_warning(services: Services, exercise: Exercise) -> str:
    """Return one sentence, without its stop, while the engine's disk is full; else nothing."""
    told = services.exercises.shortages.full_disk(exercise)
    if not told:
        return ""
    return (
        "the engine's disk is almost full: machines may fail to write, nothing new is launched"
        f" ({told})"
    )


def rehearsal_warning(services: Services, exercise: Exercise) -> str:
    """Return one sentence, without its stop, before the start of what was not rehearsed as it is.

    Once it runs it is too late: what is broken then shows itself.
    """
    if exercise.phase not in _BEFORE_THE_START:
        return ""
    digest = exercise.scenario_digest
    doubt = services.rehearsals.doubts({digest: exercise.scenario_id})[digest]
    return f"nobody knows whether this scenario works: {doubt}" if doubt else ""


def warnings(services: Services, exercise: Exercise) -> list[str]:
    """Return all of these that hold now."""
    told = (
        expiry_warning(services, exercise),
        disk_warning(services, exercise),
        rehearsal_warning(services, exercise),
    )
    return [warning for warning in told if warning]
