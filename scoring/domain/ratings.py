"""Ratings of the after-action report, as HSEEP names them, from shares of points.

HSEEP 2020 (Appendix C, after-action report template) rates how a capability was performed: P, S, M
or U. Where those lie on a scale of points is ours, and every report says so.
"""

from collections.abc import Sequence
from enum import StrEnum
from fractions import Fraction

PERFORMED_FROM = Fraction(9, 10)
"""From this share on nothing stood in the way, if the pass mark is not higher."""
MAJOR_FROM = Fraction(1, 2)
"""From this part of the pass mark on it was performed, with major challenges."""


class Rating(StrEnum):
    """How an objective or a competency was performed."""

    P = "P"
    S = "S"
    M = "M"
    U = "U"

    @property
    def words(self) -> str:
        """HSEEP's words for it."""
        return {
            Rating.P: "Performed without challenges",
            Rating.S: "Performed with some challenges",
            Rating.M: "Performed with major challenges",
            Rating.U: "Unable to be performed",
        }[self]


def rated(share: Fraction | None, pass_mark: Fraction) -> Rating | None:
    """Return the rating of a share of points from 0 to 1; `None` for what was not assessed."""
    if share is None:
        return None
    if share >= max(PERFORMED_FROM, pass_mark):
        return Rating.P
    if share >= pass_mark:
        return Rating.S
    return Rating.M if share >= pass_mark * MAJOR_FROM else Rating.U


def average(shares: Sequence[Fraction | None]) -> Fraction | None:
    """Return the mean of the shares that were assessed, zeros among them."""
    assessed = [share for share in shares if share is not None]
    return sum(assessed, Fraction()) / len(assessed) if assessed else None
