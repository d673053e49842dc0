"""Guards: what must not be lost, and is after two failures in a row."""

from collections.abc import Sequence

from scoring.domain.verdicts import Verdict

FAILURES = 2


def is_lost(latest: Sequence[Verdict]) -> bool:
    """Tell whether the latest scored rounds of a check, `FAILURES` at most, are a loss."""
    return len(latest) == FAILURES and not any(verdict.passes for verdict in latest)
