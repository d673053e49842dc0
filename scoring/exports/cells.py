"""How numbers and times are written in every export."""

from datetime import UTC, datetime
from fractions import Fraction

from scoring.domain.ledger import MILLI


def points(milli_points: int) -> float:
    """Return thousandths of a point as points."""
    return milli_points / MILLI


def share(exact: Fraction | None) -> float | None:
    """Return a share from 0 to 1 with four decimals."""
    return None if exact is None else round(float(exact), 4)


def time(at: datetime | None) -> str | None:
    """Return a time in ISO 8601, UTC, with `Z`."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
