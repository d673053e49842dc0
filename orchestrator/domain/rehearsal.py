"""What a rehearsal of a scenario found, as it is shown and kept."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A part of a rehearsal, and how many seconds it took."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamUse:
    """What the hosts of a team used: bytes at most at one time, processor seconds in all.

    `peak_cpus` is the most processors that they kept busy between two looks.
    """

    team: str
    peak_memory: int
    cpu_seconds: float
    peak_cpus: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSize:
    """An image of the scenario, by a host that runs it, and its bytes."""

    host: str
    image: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """How many answers and files were accepted, checks seen to turn or to fail, injects out."""

    answers: int = 0
    files: int = 0
    checks: int = 0
    injects: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """How a rehearsal of a scenario's content (`digest`) went.

    `findings` are what is wrong with the scenario, a sentence each; `remarks` what its author
    should know, and may have meant.
    """

    scenario: str
    version: str
    digest: str
    at: datetime
    findings: tuple[str, ...]
    remarks: tuple[str, ...]
    steps: tuple[Step, ...]
    proven: Proven
    use: tuple[TeamUse, ...]
    images: tuple[ImageSize, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong with the scenario."""
        return not self.findings
