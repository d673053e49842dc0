"""Phases of an exercise and of a team's world: tables of moves, and of what each permits.

The words are the ones that people see everywhere: pages, command line, interface, logs.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from core.errors import Fault, PoligonError


class Phase(StrEnum):
    """Where an exercise is."""

    DRAFT = "draft"
    PROVISIONING = "provisioning"
    READY = "ready"
    DEGRADED = "degraded"
    FAILED = "failed"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    CLOSED = "closed"
    CANCELLED = "cancelled"


MOVES: Mapping[Phase, frozenset[Phase]] = MappingProxyType(
    {
        Phase.DRAFT: frozenset({Phase.PROVISIONING, Phase.CANCELLED}),
        Phase.PROVISIONING: frozenset({Phase.READY, Phase.DEGRADED, Phase.FAILED, Phase.CANCELLED}),
        # Before the start an exercise follows its worlds, for better and for worse.
        Phase.READY: frozenset({Phase.RUNNING, Phase.DEGRADED, Phase.CANCELLED}),
        Phase.DEGRADED: frozenset(
            {Phase.RUNNING, Phase.READY, Phase.PROVISIONING, Phase.CANCELLED}
        ),
        Phase.FAILED: frozenset({Phase.PROVISIONING, Phase.CANCELLED}),
        Phase.RUNNING: frozenset({Phase.PAUSED, Phase.ENDED}),
        Phase.PAUSED: frozenset({Phase.RUNNING, Phase.ENDED}),
        Phase.ENDED: frozenset({Phase.CLOSED}),
        Phase.CLOSED: frozenset(),
        Phase.CANCELLED: frozenset(),
    }
)


class Act(StrEnum):
    """Something that depends on the phase."""

    ENTER = "enter"  # a trainee logs in to a host
    INSPECT = "inspect"  # an instructor does
    ANSWER = "answer"  # a team answers
    CHECK = "check"  # checks run and score
    STAND = "stand"  # worlds should stand
    MAINTAIN = "maintain"  # maintenance is declared
    CORRECT = "correct"  # scores are disputed and corrected


PERMITS: Mapping[Phase, frozenset[Act]] = MappingProxyType(
    {
        Phase.DRAFT: frozenset(),
        Phase.PROVISIONING: frozenset({Act.STAND, Act.MAINTAIN}),
        Phase.READY: frozenset({Act.STAND, Act.INSPECT, Act.MAINTAIN}),
        Phase.DEGRADED: frozenset({Act.STAND, Act.INSPECT, Act.MAINTAIN}),
        Phase.FAILED: frozenset({Act.STAND, Act.INSPECT, Act.MAINTAIN}),
        Phase.RUNNING: frozenset(
            {Act.STAND, Act.INSPECT, Act.ENTER, Act.ANSWER, Act.CHECK, Act.MAINTAIN, Act.CORRECT}
        ),
        Phase.PAUSED: frozenset({Act.STAND, Act.INSPECT, Act.MAINTAIN, Act.CORRECT}),
        Phase.ENDED: frozenset({Act.STAND, Act.INSPECT, Act.CORRECT}),
        Phase.CLOSED: frozenset({Act.CORRECT}),
        Phase.CANCELLED: frozenset(),
    }
)

# Whoever reads a refusal learns what to wait for.
BECAUSE: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.DRAFT: "the exercise is not launched yet",
        Phase.PROVISIONING: "the exercise is still being built",
        Phase.READY: "the exercise has not started yet; your instructor starts it",
        Phase.DEGRADED: "the exercise has not started yet; your instructor starts it",
        Phase.FAILED: "the exercise could not be built; your instructor knows",
        Phase.RUNNING: "the exercise is running",
        Phase.PAUSED: "the exercise is paused; your instructor resumes it",
        Phase.ENDED: "the exercise has ended",
        Phase.CLOSED: "the exercise has ended",
        Phase.CANCELLED: "the exercise was cancelled",
    }
)


class WorldPhase(StrEnum):
    """Where one team's world is."""

    PLANNED = "planned"
    BUILDING = "building"
    READY = "ready"
    DEGRADED = "degraded"
    FAILED = "failed"
    REMOVING = "removing"
    REMOVED = "removed"


UNDER_WAY = frozenset({Phase.RUNNING, Phase.PAUSED})
"""Exercises that have started and not ended."""

OVER = frozenset({Phase.ENDED, Phase.CLOSED})
"""Exercises that were played to their end."""

TO_BUILD = (WorldPhase.PLANNED, WorldPhase.BUILDING)
"""Worlds that are on their way to stand."""

STANDING = frozenset({WorldPhase.READY, WorldPhase.DEGRADED})
"""Worlds whose hosts may be entered and checked."""

WORLD_MOVES: Mapping[WorldPhase, frozenset[WorldPhase]] = MappingProxyType(
    {
        WorldPhase.PLANNED: frozenset(
            {WorldPhase.BUILDING, WorldPhase.FAILED, WorldPhase.REMOVING}
        ),
        # A worker that dies half-way leaves `building`; the next one begins it again.
        WorldPhase.BUILDING: frozenset(
            {
                WorldPhase.BUILDING,
                WorldPhase.READY,
                WorldPhase.DEGRADED,
                WorldPhase.FAILED,
                WorldPhase.REMOVING,
            }
        ),
        WorldPhase.READY: frozenset({WorldPhase.PLANNED, WorldPhase.DEGRADED, WorldPhase.REMOVING}),
        # What is wrong may change, and may pass by itself.
        WorldPhase.DEGRADED: frozenset(
            {
                WorldPhase.PLANNED,
                WorldPhase.READY,
                WorldPhase.DEGRADED,
                WorldPhase.REMOVING,
            }
        ),
        WorldPhase.FAILED: frozenset({WorldPhase.PLANNED, WorldPhase.REMOVING}),
        WorldPhase.REMOVING: frozenset({WorldPhase.REMOVING, WorldPhase.REMOVED}),
        WorldPhase.REMOVED: frozenset(),
    }
)


class IllegalMoveError(PoligonError):
    """A phase was asked for that the present one does not lead to."""

    code = "exercise.illegal_move"
    fault = Fault.CONFLICT

    def __init__(self, *, current: Phase, wanted: Phase) -> None:
        possible = ", ".join(sorted(MOVES[current])) or "nothing: this is the end"
        super().__init__(
            f"the exercise is {current}; it cannot become {wanted}",
            hint=f"From {current} it can become {possible}",
        )
        self.current = current
        self.wanted = wanted


class NotNowError(PoligonError):
    """The exercise's phase does not permit this."""

    code = "exercise.not_now"
    fault = Fault.CONFLICT

    def __init__(self, *, phase: Phase, act: Act, because: str = "") -> None:
        super().__init__(because or BECAUSE[phase])
        self.phase = phase
        self.act = act


def require_move(current: Phase, wanted: Phase) -> None:
    """Raise IllegalMoveError unless the table has the move."""
    if wanted not in MOVES[current]:
        raise IllegalMoveError(current=current, wanted=wanted)


def require(phase: Phase, act: Act) -> None:
    """Raise NotNowError unless `phase` permits `act`."""
    if act not in PERMITS[phase]:
        raise NotNowError(phase=phase, act=act)


def settled(worlds: Iterable[WorldPhase]) -> Phase | None:
    """Return what an exercise becomes once all its worlds are built; `None` while any is not."""
    phases = set(worlds)
    if phases.intersection(TO_BUILD):
        return None
    if phases <= {WorldPhase.READY}:
        return Phase.READY
    return Phase.FAILED if phases <= {WorldPhase.FAILED} else Phase.DEGRADED
