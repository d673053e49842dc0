"""Availability: a task's points by what the scored rounds of its check are worth.

A round in which it passes is worth one, one in which a service is recovering a half. Every round
counts the same, whether early or late; rounds that were our fault, that fell into maintenance, and
that never were, count on neither side.
"""

from fractions import Fraction
from typing import NamedTuple

from scoring.domain.verdicts import Verdict

# Bound here: Python 3.11 searches for a member by name each time, as long as all of `after` takes.
_RECOVERING = Verdict.RECOVERING


class Rounds(NamedTuple):
    """How many rounds of a check were scored so far; how many it passed, and how many by half."""

    scored: int = 0
    passed: int = 0
    recovering: int = 0

    def after(self, verdict: Verdict) -> "Rounds":
        """Return the counts with one round more."""
        if not verdict.scored:
            return self
        scored, passed, recovering = self
        after = (scored + 1, passed + verdict.passes, recovering + (verdict is _RECOVERING))
        return tuple.__new__(Rounds, after)

    @property
    def share(self) -> Fraction | None:
        """The share that was had, 0 to 1; `None` before anything was scored."""
        halves = 2 * self.passed + self.recovering
        return Fraction(halves, 2 * self.scored) if self.scored else None

    def worth(self, milli_points: int) -> int:
        """Return what the share is worth of `milli_points`, rounded down."""
        scored, passed, recovering = self
        if passed == scored:  # as most services do throughout: no division
            return milli_points if scored else 0
        return milli_points * (2 * passed + recovering) // (2 * scored)
