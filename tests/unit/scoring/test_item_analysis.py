from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.item_analysis import (
    LEAST_TEAMS,
    Outcome,
    WrongAnswer,
    analysed,
    discrimination,
    most_given,
    quartiles,
)


def outcome(team: str, *, solved: bool = False, share: str = "0", rest: int = 0) -> Outcome:
    return Outcome(team=team, solved=solved, share=Fraction(share), rest=rest)


def test_a_team_with_nothing_counts_in_every_average() -> None:
    item = analysed(
        "who",
        [
            Outcome(team="a", solved=True, share=Fraction(1), rest=0, attempts=3, hints=2),
            Outcome(team="b", solved=False, share=Fraction(1, 2), rest=0, attempts=1),
            outcome("c"),
            outcome("d"),
        ],
    )
    assert (item.teams, item.solved, item.difficulty) == (4, 1, Fraction(1, 4))
    assert item.share == Fraction(3, 8)
    assert item.attempts == 1
    assert item.hints == 2


def test_a_task_that_counted_for_nobody_has_no_numbers() -> None:
    item = analysed("who", [])
    assert (item.teams, item.difficulty, item.share, item.attempts) == (0, None, None, None)
    assert (item.discrimination, item.took, item.wrong) == (None, None, ())


def test_discrimination_is_the_point_biserial_correlation() -> None:
    # Ten teams with 1 … 10 on the rest; the five best solved it. M1 = 8, M0 = 3, s² = 8.25.
    rising = [(rest > 5, rest) for rest in range(1, 11)]
    assert discrimination(rising) == pytest.approx(5 / 8.25**0.5 * 0.5)
    falling = [(not solved, rest) for solved, rest in rising]
    assert discrimination(falling) == pytest.approx(-0.8703882797784892)


def test_discrimination_says_nothing_of_few_teams_or_where_nothing_differs() -> None:
    few = [(rest > 5, rest) for rest in range(2, LEAST_TEAMS + 1)]
    assert len(few) == LEAST_TEAMS - 1
    assert discrimination(few) is None
    assert discrimination([(True, rest) for rest in range(12)]) is None
    assert discrimination([(rest > 5, 7) for rest in range(12)]) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 100_000)), min_size=LEAST_TEAMS))
def test_discrimination_is_a_correlation(teams: list[tuple[bool, int]]) -> None:
    found = discrimination(teams)
    assert found is None or -1.000001 <= found <= 1.000001


def test_quartiles_lie_between_the_nearest_times() -> None:
    minutes = [timedelta(minutes=m) for m in (1, 2, 4, 9)]
    found = quartiles(minutes)
    assert found is not None
    assert found.lower == timedelta(minutes=1, seconds=45)
    assert found.median == timedelta(minutes=3)
    assert found.upper == timedelta(minutes=5, seconds=15)
    one = quartiles(minutes[:1])
    assert one is not None
    assert one.lower == one.median == one.upper == timedelta(minutes=1)
    assert quartiles([]) is None


def test_wrong_answers_of_most_teams_come_first_whatever_their_capitals() -> None:
    found = most_given(
        {
            "a": ["root", "root", "root", "root"],
            "b": [" Admin", "x"],
            "c": ["admin ", "z"],
            "d": ["y", "y"],
        }
    )
    assert found == (
        WrongAnswer(text=" Admin", times=2, teams=2),
        WrongAnswer(text="root", times=4, teams=1),
        WrongAnswer(text="y", times=2, teams=1),
    )
