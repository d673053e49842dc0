"""What an engine tells of an exercise while its worlds stand."""

from dataclasses import dataclass
from enum import StrEnum

from core.ids import ExerciseId
from orchestrator.domain.world import HostKey


class ChangeKind(StrEnum):
    """What happened."""

    ENDED = "ended"
    GONE = "gone"
    OUT_OF_MEMORY = "out-of-memory"  # a process was killed; its host may run on


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something happened to a host; without one, to a router or a network."""

    exercise: ExerciseId
    kind: ChangeKind
    host: HostKey | None = None
