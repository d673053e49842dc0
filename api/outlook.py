"""What people are told of an exercise before it hurts: it expires, the engine's disk is full."""

from api.bootstrap import Services
from orchestrator.domain.exercise import Exercise


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


def warnings(services: Services, exercise: Exercise) -> list[str]:
    """Return all of these that hold now."""
    told = (expiry_warning(services, exercise), disk_warning(services, exercise))
    return [warning for warning in told if warning]
