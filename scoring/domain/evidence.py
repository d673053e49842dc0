"""Evidence: whether something happened in the order and the time that a scenario asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that happened, on the team's clock; `what` is for people."""

    at: timedelta
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """When it must have happened: not before `begin`, and until `within` of that; before `end`.

    `begin` is `None` as long as what must come first has not happened, `end` as long as what must
    not come first has not, either.
    """

    begin: timedelta | None = timedelta()
    within: timedelta | None = None
    end: timedelta | None = None

    def holds(self, at: timedelta) -> bool:
        """Tell whether a moment is in it."""
        return (
            self.begin is not None
            and at >= self.begin
            and (self.within is None or at - self.begin <= self.within)
            and (self.end is None or at < self.end)
        )


def first_in(frame: Frame, happened: Iterable[Happened]) -> Happened | None:
    """Return the first thing that happened within a frame."""
    inside = (one for one in happened if frame.holds(one.at))
    return min(inside, key=lambda one: one.at, default=None)
