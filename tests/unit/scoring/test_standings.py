import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.standings import Standing, TaskSum, standings

START = datetime(2026, 11, 23, tzinfo=UTC)


def line(team: str, milli_points: int, minute: int | None, task: str = "who") -> TaskSum:
    moved_at = None if minute is None else START + timedelta(minutes=minute)
    return TaskSum(team=team, task=task, milli_points=milli_points, moved_at=moved_at)


def ranks(found: tuple[Standing, ...]) -> list[tuple[str, int]]:
    return [(standing.team, standing.rank) for standing in found]


def test_more_points_are_ahead_and_ties_go_to_whoever_was_there_first() -> None:
    found = standings(
        ["a", "b", "c"], [line("a", 20_000, 9), line("b", 20_000, 3), line("c", 20_001, 50)]
    )
    assert ranks(found) == [("c", 1), ("b", 2), ("a", 3)]
    assert found[1].reached_at == START + timedelta(minutes=3)


def test_teams_that_are_equal_in_all_share_a_rank_and_the_next_is_skipped() -> None:
    found = standings(
        ["a", "b", "c", "d"], [line("a", 5, 1), line("b", 9, 2), line("c", 9, 2), line("d", 1, 1)]
    )
    assert ranks(found) == [("b", 1), ("c", 1), ("a", 3), ("d", 4)]


def test_a_task_without_points_never_changes_ranks() -> None:
    # A peer counts the time of a zero-point solve, and lets it lose a tie.
    before = [line("a", 20_000, 3), line("b", 20_000, 9)]
    after = [*before, line("a", 0, None, task="survey")]
    assert ranks(standings(["a", "b"], before)) == ranks(standings(["a", "b"], after))


def test_a_team_without_entries_is_there_with_nothing() -> None:
    found = standings(["a", "b"], [])
    assert ranks(found) == [("a", 1), ("b", 1)]
    assert [(s.milli_points, s.tasks, s.reached_at) for s in found] == [(0, {}, None)] * 2


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.integers(0, 5)),
        unique_by=lambda sums: sums[:2],
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_sums_changes_nothing(
    drawn: list[tuple[str, str, int]], shuffle: random.Random
) -> None:
    sums = [line(team, points, points, task) for team, task, points in drawn]
    mixed = sums.copy()
    shuffle.shuffle(mixed)
    assert standings("abcd", mixed) == standings("abcd", sums)
