"""Rubrics as rules: levels in, an exact share out, whoever gave them and in whatever order."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scenario.schema_rubrics import Rubric
from scoring.domain.rubric import Levels, Scheme, Weighed, scheme_of, worth

REPORT = Rubric.model_validate(
    {
        "assessors": 2,
        "moderate_if_apart": "20%",
        "criteria": {
            "timeline": {"weight": 3, "levels": {0: "absent", 1: "some", 2: "all", 3: "sourced"}},
            "actions": {"weight": 2, "levels": {0: "none", 1: "listed", 2: "justified"}},
            "clarity": {"weight": 1, "levels": {0: "poor", 1: "fair", 2: "good"}},
        },
    }
)
NOTHING = {"timeline": 0, "actions": 0, "clarity": 0}
EVERYTHING = {"timeline": 3, "actions": 2, "clarity": 2}


def test_levels_count_by_the_weight_of_their_criterion() -> None:
    scheme = scheme_of(REPORT)
    assert scheme.share(NOTHING) == 0
    assert scheme.share(EVERYTHING) == 1
    some = {"timeline": 2, "actions": 1, "clarity": 2}
    assert scheme.share(some) == Fraction(3, 6) * Fraction(2, 3) + Fraction(1, 6) + Fraction(1, 6)


def test_a_criterion_that_is_left_out_takes_its_weight_with_it() -> None:
    scheme = scheme_of(REPORT, left_out={"timeline"})
    assert scheme.share({"actions": 1, "clarity": 2}) == Fraction(2, 3)
    assert scheme.share({"actions": 2, "clarity": 2}) == 1


def test_a_level_that_is_missing_is_an_error_and_no_zero() -> None:
    with pytest.raises(KeyError):
        scheme_of(REPORT).share({"timeline": 3, "actions": 2})


def test_assessors_as_far_apart_as_they_may_be_need_nobody_else() -> None:
    scheme = Scheme(
        criteria={"all": Weighed(weight=1, highest=100)}, assessors=2, apart=Fraction(1, 5)
    )
    assert not scheme.needs_moderation([{"all": 40}, {"all": 60}])
    assert scheme.needs_moderation([{"all": 40}, {"all": 61}])
    assert scheme.needs_moderation([{"all": 50}, {"all": 40}, {"all": 61}])


def test_without_a_threshold_nobody_moderates() -> None:
    scheme = Scheme(criteria={"all": Weighed(weight=1, highest=1)}, assessors=2, apart=None)
    assert not scheme.needs_moderation([{"all": 0}, {"all": 1}])
    assert scheme.agreed([{"all": 0}, {"all": 1}]) == Fraction(1, 2)


def test_a_true_zero_of_one_assessor_stays_in_the_mean() -> None:
    assert scheme_of(REPORT).agreed([NOTHING, EVERYTHING]) == Fraction(1, 2)
    assert scheme_of(REPORT).agreed([NOTHING, NOTHING]) == 0


@pytest.mark.parametrize(
    ("share", "points", "thousandths"),
    [
        (Fraction(1, 3), 10, 3333),
        (Fraction(2, 3), 10, 6666),
        (Fraction(), 10, 0),
        (Fraction(1), 0, 0),
    ],
)
def test_only_points_are_rounded_and_only_down(
    share: Fraction, points: int, thousandths: int
) -> None:
    assert worth(share, points * 1000) == thousandths


@st.composite
def marked(draw: st.DrawFn) -> tuple[Scheme, list[Levels]]:
    names = draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True))
    criteria = {
        name: Weighed(weight=draw(st.integers(1, 1000)), highest=draw(st.integers(1, 100)))
        for name in names
    }
    apart = draw(st.none() | st.fractions(0, 1))
    count = draw(st.integers(1, 5))
    sheets: list[Levels] = [
        {name: draw(st.integers(0, criterion.highest)) for name, criterion in criteria.items()}
        for _ in range(count)
    ]
    return Scheme(criteria=criteria, assessors=count, apart=apart), sheets


@given(marked())
def test_a_result_lies_between_the_marks_whoever_came_first(
    case: tuple[Scheme, list[Levels]],
) -> None:
    scheme, sheets = case
    shares = [scheme.share(levels) for levels in sheets]
    assert all(0 <= share <= 1 for share in shares)
    assert min(shares) <= scheme.agreed(sheets) <= max(shares)
    backwards = sheets[::-1]
    assert scheme.agreed(backwards) == scheme.agreed(sheets)
    assert scheme.difference(backwards) == scheme.difference(sheets) == max(shares) - min(shares)
    assert scheme.needs_moderation(backwards) == scheme.needs_moderation(sheets)


@given(marked(), st.integers(2, 50))
def test_weights_are_normalised(case: tuple[Scheme, list[Levels]], factor: int) -> None:
    scheme, sheets = case
    heavier = Scheme(
        criteria={
            name: Weighed(weight=c.weight * factor, highest=c.highest)
            for name, c in scheme.criteria.items()
        },
        assessors=scheme.assessors,
        apart=scheme.apart,
    )
    assert heavier.agreed(sheets) == scheme.agreed(sheets)


@given(marked(), st.data())
def test_a_higher_level_never_makes_a_result_lower(
    case: tuple[Scheme, list[Levels]], data: st.DataObject
) -> None:
    scheme, sheets = case
    name = data.draw(st.sampled_from(sorted(scheme.criteria)))
    higher = data.draw(st.integers(sheets[0][name], scheme.criteria[name].highest))
    better = [{**sheets[0], name: higher}, *sheets[1:]]
    assert scheme.agreed(better) >= scheme.agreed(sheets)


@given(st.fractions(0, 1), st.fractions(0, 1), st.integers(0, 100_000))
def test_points_follow_shares(one: Fraction, other: Fraction, points: int) -> None:
    lower, higher = sorted((one, other))
    assert 0 <= worth(lower, points) <= worth(higher, points) <= points
