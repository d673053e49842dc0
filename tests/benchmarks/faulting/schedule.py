"""Which faults strike when: decided by a seed alone, so that a run can be had again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from types import MappingProxyType


class Step(StrEnum):
    """Where an exercise is when a fault strikes, in the order of its life."""

    LAUNCH = "launch"
    START = "start"
    PLAY = "play"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"
    DESTROY = "destroy"


class Kind(StrEnum):
    """What can go wrong."""

    KILL_WORKER = "worker killed"
    KILL_API = "api killed"
    KILL_GATEWAY = "gateway killed"
    KILL_ALL = "all processes killed"
    LOSE_MESSAGES = "task messages lost"
    DOUBLE_MESSAGES = "task messages doubled"
    LOCK_DATABASE = "database locked"
    KILL_BROKER = "broker killed"
    KILL_DATABASE = "database killed"
    SHIFT_CLOCK = "wall clock set"
    FILL_HOME = "home full"
    CUT_ENGINE = "engine out of reach"
    KILL_ENGINE = "engine killed"
    RESET_ENGINE = "engine killed with all containers"
    FILL_ENGINE = "engine's disk full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault: it strikes `after` seconds of a step and lasts for `lasts` seconds.

    `shift` is by how many seconds the wall clock is set; zero for every other kind.
    """

    kind: Kind
    step: Step
    after: float
    lasts: float
    shift: int = 0

    @property
    def lot(self) -> int:
        """A number that follows from the seed: it picks one of several processes of a kind."""
        return round(self.after * 100)

    def __str__(self) -> str:
        size = f" by {self.shift:+d} s" if self.shift else f" for {self.lasts:g} s"
        return f"{self.step}+{self.after:g} s: {self.kind}{size}"


# Building and removing hold most of what can be left half done.
_WEIGHTS: Mapping[Step, int] = MappingProxyType(
    {
        Step.LAUNCH: 6,
        Step.START: 1,
        Step.PLAY: 4,
        Step.PAUSE: 1,
        Step.RESUME: 1,
        Step.END: 1,
        Step.DESTROY: 3,
    }
)
_LASTS: Mapping[Kind, tuple[float, float]] = MappingProxyType(
    {
        Kind.LOSE_MESSAGES: (0.5, 3),
        Kind.DOUBLE_MESSAGES: (1, 4),
        Kind.LOCK_DATABASE: (0.5, 6),
        Kind.KILL_BROKER: (0.1, 3),
        Kind.KILL_DATABASE: (0.1, 3),
        Kind.FILL_HOME: (0.5, 3),
        Kind.CUT_ENGINE: (0.2, 3),
        Kind.KILL_ENGINE: (0.1, 1.5),
        Kind.RESET_ENGINE: (0.1, 1.5),
        Kind.FILL_ENGINE: (0.5, 2),
    }
)
# A summer-time mistake, a machine that slept, a late time server. In a running exercise the clock
# goes back a little only: the exercise's own clock stands still until the wall's has caught up.
_SHIFTS = (-3600, -90, -10, 20, 90, 3600)
_SHIFTS_WHILE_RUNNING = (-10, -5, 20, 90, 3600)
_RUNNING = frozenset({Step.START, Step.PLAY, Step.PAUSE, Step.RESUME})
_FEWEST, _MOST = 2, 5
_LATEST_S = 3.0


def schedule(seed: int, kinds: Collection[Kind]) -> tuple[Fault, ...]:
    """Return the faults of a seed, of those kinds only, in the order in which they strike."""
    random = Random(seed)
    possible = sorted(kinds)
    faults = [
        _fault(random, random.choice(possible)) for _ in range(random.randint(_FEWEST, _MOST))
    ]
    order = list(Step)
    return tuple(sorted(faults, key=lambda fault: (order.index(fault.step), fault.after)))


def _fault(random: Random, kind: Kind) -> Fault:
    step = random.choices(list(Step), [_WEIGHTS[step] for step in Step])[0]
    return Fault(
        kind=kind,
        step=step,
        after=round(random.uniform(0, _LATEST_S), 2),
        lasts=round(random.uniform(*_LASTS.get(kind, (0, 0))), 2),
        shift=_shift(random, step) if kind is Kind.SHIFT_CLOCK else 0,
    )


def _shift(random: Random, step: Step) -> int:
    return random.choice(_SHIFTS_WHILE_RUNNING if step in _RUNNING else _SHIFTS)
