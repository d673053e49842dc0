"""Time: aware UTC, always from a clock that was passed in."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that knows the wall time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock, the only reader of it in the program."""

    def now(self) -> datetime:
        """Return the machine's current time, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251  # this is the clock the rule sends people to
