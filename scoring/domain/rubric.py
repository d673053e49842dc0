"""Rubrics: what levels are worth together, when assessors are too far apart, what is then right.

Everything is exact: a share is a fraction of the whole rubric, and only points are rounded.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.scenario.schema_rubrics import Rubric

Levels = Mapping[str, int]
"""Criterion → the level that somebody gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A criterion: how much it counts beside others, and its highest level."""

    weight: int
    highest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """What a team is marked by: the criteria that count for it, by how many, and how close.

    `apart` is how far their shares may be from each other before a moderator decides.
    """

    criteria: Mapping[str, Weighed]
    assessors: int
    apart: Fraction | None

    def share(self, levels: Levels) -> Fraction:
        """Return the share of the whole, from 0 to 1, that levels for every criterion come to.

        Weights are normalised over the criteria that count. Raises KeyError when one has no level.
        """
        of = sum(criterion.weight for criterion in self.criteria.values())
        got = sum(
            Fraction(criterion.weight * levels[name], criterion.highest)
            for name, criterion in self.criteria.items()
        )
        return Fraction(got) / of

    def difference(self, sheets: Sequence[Levels]) -> Fraction:
        """Return how far apart assessors are: the highest share of theirs less the lowest."""
        shares = [self.share(levels) for levels in sheets]
        return max(shares) - min(shares)

    def needs_moderation(self, sheets: Sequence[Levels]) -> bool:
        """Tell whether assessors are further apart than they may be."""
        return self.apart is not None and self.difference(sheets) > self.apart

    def agreed(self, sheets: Sequence[Levels]) -> Fraction:
        """Return the mean of the assessors' shares; one who gave nothing counts like any other."""
        return sum((self.share(levels) for levels in sheets), Fraction()) / len(sheets)


def scheme_of(rubric: Rubric, *, left_out: Collection[str] = ()) -> Scheme:
    """Return how a team is marked by a rubric, without criteria that cannot be marked for it."""
    return Scheme(
        criteria={
            name: Weighed(weight=criterion.weight, highest=max(criterion.levels))
            for name, criterion in rubric.criteria.items()
            if name not in left_out
        },
        assessors=rubric.assessors,
        apart=rubric.moderate_if_apart,
    )


def worth(share: Fraction, milli_points: int) -> int:
    """Return what a share of a task's points comes to, in thousandths, rounded down."""
    return share.numerator * milli_points // share.denominator


def result(rubric: Rubric, sheets: Sequence[Levels], moderator: Levels | None) -> Fraction:
    """Return the share that a team is given: the moderator's where there is one, else the mean.

    Over the criteria that were marked. All sheets have the same.
    """
    marked = moderator if moderator is not None else sheets[0]
    scheme = scheme_of(rubric, left_out=rubric.criteria.keys() - marked.keys())
    return scheme.agreed(sheets) if moderator is None else scheme.share(moderator)
