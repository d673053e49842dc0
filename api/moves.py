"""What an instructor does with an exercise, by name, and when it is of use."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType

from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import PERMITS, UNDER_WAY, Act, Phase, WorldPhase
from orchestrator.journal import By
from orchestrator.service import Exercises


class Move(StrEnum):
    """Something that an instructor does with a whole exercise."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"
    KEEP = "keep"
    DESTROY = "destroy"
    RETRY = "retry"


_OFFERED: Mapping[Move, frozenset[Phase]] = MappingProxyType(
    {
        Move.START: frozenset({Phase.READY, Phase.DEGRADED}),
        Move.PAUSE: frozenset({Phase.RUNNING}),
        Move.RESUME: frozenset({Phase.PAUSED}),
        Move.END: UNDER_WAY,
        Move.KEEP: frozenset({Phase.READY, Phase.DEGRADED, Phase.FAILED, Phase.ENDED}),
        Move.DESTROY: frozenset(
            {Phase.PROVISIONING, Phase.READY, Phase.DEGRADED, Phase.FAILED, Phase.ENDED}
        ),
    }
)


def offered(exercise: Exercise) -> tuple[Move, ...]:
    """Return the moves that would be carried out now, in the order of an exercise's life."""
    moves = [move for move, phases in _OFFERED.items() if exercise.phase in phases]
    broken = any(t.world in {WorldPhase.FAILED, WorldPhase.DEGRADED} for t in exercise.teams)
    if broken and Act.STAND in PERMITS[exercise.phase]:
        moves.append(Move.RETRY)
    return tuple(moves)


def carry_out(exercises: Exercises, move: Move, exercise: Exercise, *, by: By) -> Exercise:
    """Do it, and return the exercise afterwards; raises IllegalMoveError."""
    acts: Mapping[Move, Callable[..., Exercise]] = {
        Move.START: exercises.start,
        Move.PAUSE: exercises.pause,
        Move.RESUME: exercises.resume,
        Move.END: exercises.end,
        Move.KEEP: exercises.keep,
        Move.DESTROY: exercises.destroy,
        Move.RETRY: exercises.retry,
    }
    return acts[move](exercise.id, by=by)
