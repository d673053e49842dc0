import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.ids import TeamId
from scoring.domain.ledger import Cause, Entry, EntryKind, Fact, reversal_of
from scoring.domain.standings import Standing, Total, board_hash, standings

START = datetime(2026, 11, 23, tzinfo=UTC)


def entry(milli_points: int, minute: int, task: str = "who") -> Entry:
    fact = Fact(cause=Cause.SUBMISSION, id="sent", at=START + timedelta(minutes=minute))
    return Entry(
        team=TeamId("a"),
        task=task,
        kind=EntryKind.SOLVE,
        milli_points=milli_points,
        key=f"{task} {minute}",
        fact=fact,
    )


def total(milli_points: int, minute: int, *more: Entry) -> Total:
    return Total.of([entry(milli_points, minute), *more])


def ranks(found: tuple[Standing, ...]) -> list[tuple[str, int]]:
    return [(standing.team, standing.rank) for standing in found]


def test_more_points_are_ahead_and_ties_go_to_whoever_was_there_first() -> None:
    found = standings(
        ["a", "b", "c"], {"a": total(20_000, 9), "b": total(20_000, 3), "c": total(20_001, 50)}
    )
    assert ranks(found) == [("c", 1), ("b", 2), ("a", 3)]
    assert found[1].reached_at == START + timedelta(minutes=3)


def test_teams_that_are_equal_in_all_share_a_rank_and_the_next_is_skipped() -> None:
    found = standings(
        ["a", "b", "c", "d"],
        {"a": total(5, 1), "b": total(9, 2), "c": total(9, 2), "d": total(1, 1)},
    )
    assert ranks(found) == [("b", 1), ("c", 1), ("a", 3), ("d", 4)]


def test_a_task_without_points_never_changes_ranks() -> None:
    # A peer counts the time of a zero-point solve, and lets it lose a tie.
    before = {"a": total(20_000, 3), "b": total(20_000, 9)}
    after = {**before, "a": total(20_000, 3, entry(0, 30, task="survey"))}
    assert ranks(standings(["a", "b"], before)) == ranks(standings(["a", "b"], after))


def test_points_that_were_taken_back_decide_no_tie() -> None:
    # A peer lets a later adjustment lose a tie that was won.
    void = entry(5_000, 20, task="void")
    taken_back = reversal_of(void, Fact(Cause.CORRECTION, "x", START + timedelta(hours=2)), "void")
    found = standings(["a", "b"], {"a": total(20_000, 3, void, taken_back), "b": total(20_000, 9)})
    assert ranks(found) == [("a", 1), ("b", 2)]
    assert found[0].reached_at == START + timedelta(minutes=3)


def test_a_team_without_entries_is_there_with_nothing() -> None:
    found = standings(["a", "b"], {})
    assert ranks(found) == [("a", 1), ("b", 1)]
    assert [(s.milli_points, s.tasks, s.reached_at) for s in found] == [(0, {}, None)] * 2


drawn = st.lists(
    st.builds(entry, st.integers(-5, 5), st.integers(0, 9), st.sampled_from("xyz")),
    unique_by=lambda found: found.key,
)


@given(drawn, st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_neither_totals_nor_hash(
    entries: list[Entry], shuffle: random.Random
) -> None:
    mixed = entries.copy()
    shuffle.shuffle(mixed)
    assert Total.of(mixed) == Total.of(entries)
    assert board_hash({"a": Total.of(mixed)}) == board_hash({"a": Total.of(entries)})


@given(drawn.filter(bool))
def test_a_total_that_grows_is_the_total_of_all(entries: list[Entry]) -> None:
    grown = Total()
    for found in entries:
        grown.add(found)
    assert grown == Total.of(entries)


def test_the_hash_is_of_teams_tasks_points_and_times() -> None:
    same = board_hash({"b": total(5, 1), "a": total(9, 2)})
    assert same == board_hash({"a": total(9, 2), "b": total(5, 1)})
    others = (
        {"b": total(5, 1), "c": total(9, 2)},
        {"b": total(5, 1), "a": total(8, 2)},
        {"b": total(5, 1), "a": total(9, 3)},
        {"b": total(5, 1), "a": total(9, 2, entry(0, 0, "x"))},
    )
    assert len({same, *map(board_hash, others)}) == 5
