"""What one look of a check says, and which of it counts."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a check saw. A round in which nobody looked has none."""

    UP = "up"
    MUMBLE = "mumble"  # it answers, but not as it should
    DOWN = "down"
    RECOVERING = "recovering"  # a service works, and lacks a flag of an earlier round
    INFRA_ERROR = "infra_error"  # our fault: we could not look

    @property
    def scored(self) -> bool:
        """Whether the round counts; one that we spoilt never does."""
        return self is not Verdict.INFRA_ERROR

    @property
    def passes(self) -> bool:
        """Whether the team has what the check asks for."""
        return self is Verdict.UP
