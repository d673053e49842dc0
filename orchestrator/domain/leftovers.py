"""What of ours stands on an engine and belongs to nothing any more. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.ids import ExerciseId

# Younger things may be of a launch that is just being written down, or of a probe under way; and
# the engine's clock may differ from ours.
GRACE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A container or network of this installation, as its labels tell; `id` is the engine's.

    A throw-away is a probe, a helper or a sentinel. `made_at` is by the engine's clock.
    """

    id: str
    name: str
    is_network: bool
    throwaway: bool
    exercise: ExerciseId | None
    team: str | None
    made_at: datetime


def leftovers(
    standing: Iterable[Standing], *, wanted: Iterable[tuple[ExerciseId, str]], now: datetime
) -> tuple[Standing, ...]:
    """Return what may go: older than the grace, and a throw-away or of no wanted world.

    `wanted` are the worlds (exercise and team) that the database has not seen removed. What carries
    an exercise and no team is wanted with any of the exercise's worlds.
    """
    worlds = set(wanted)
    exercises = {exercise for exercise, _ in worlds}
    return tuple(
        thing
        for thing in standing
        if now - thing.made_at > GRACE and not _is_wanted(thing, worlds, exercises)
    )


def _is_wanted(
    thing: Standing, worlds: set[tuple[ExerciseId, str]], exercises: set[ExerciseId]
) -> bool:
    if thing.throwaway or thing.exercise is None:
        return False
    if thing.team is None:
        return thing.exercise in exercises
    return (thing.exercise, thing.team) in worlds
