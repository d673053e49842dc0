"""Guards: what must not be lost, and is after two failures in a row."""

from scoring.domain.holds import CheckState

FAILURES = 2


def is_lost(state: CheckState) -> bool:
    """Tell whether the latest scored rounds of a check are a loss."""
    return state.failures >= FAILURES
