"""What one look of a check says, and which of it counts."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a round of a check saw."""

    UP = "up"
    MUMBLE = "mumble"  # it answers, but not as it should
    DOWN = "down"
    RECOVERING = "recovering"  # a service works, and lacks a flag of an earlier round
    INFRA_ERROR = "infra_error"  # our fault: we could not look
    MISSING = "missing"  # our fault: nobody looked in time, or nobody looked again

    scored: bool
    """Whether the round counts; one that we spoilt never does."""
    passes: bool
    """Whether the team has what the check asks for."""

    def __init__(self, value: str) -> None:
        # Once for each: a replay asks for millions.
        self.scored = value not in {"infra_error", "missing"}
        self.passes = value == "up"

    @property
    def accuses(self) -> bool:
        """Whether it costs the team something, so that one look alone does not do."""
        return self.scored and not self.passes
