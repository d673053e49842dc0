"""Availability: a task's points by the share of scored rounds in which its check passed.

Every round counts the same, whether early or late; rounds that were our fault, and rounds that
never were, count on neither side.
"""

from dataclasses import dataclass
from fractions import Fraction

from scoring.domain.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """How many rounds of a check were scored so far, and how many of them it passed."""

    scored: int = 0
    passed: int = 0

    def after(self, verdict: Verdict) -> "Rounds":
        """Return the counts with one round more."""
        if not verdict.scored:
            return self
        return Rounds(scored=self.scored + 1, passed=self.passed + verdict.passes)

    @property
    def share(self) -> Fraction | None:
        """The share that passed, 0 to 1; `None` before anything was scored."""
        return Fraction(self.passed, self.scored) if self.scored else None

    def worth(self, milli_points: int) -> int:
        """Return what the share is worth of `milli_points`, rounded down."""
        return milli_points * self.passed // self.scored if self.scored else 0
