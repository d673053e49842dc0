from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import TeamId, UserId
from scoring.domain.availability import Rounds
from scoring.domain.guards import is_lost
from scoring.domain.holds import CheckState
from scoring.domain.ledger import (
    Cause,
    Entry,
    EntryKind,
    Fact,
    availability_moved,
    charged,
    reversal_of,
    solved,
)
from scoring.domain.verdicts import Verdict
from scoring.errors import NotReversibleError

TEAM = TeamId("team")
FACT = Fact(cause=Cause.CHECK_RUN, id="run", at=datetime(2026, 11, 23, tzinfo=UTC))


def booked(verdicts: list[Verdict], points: int) -> tuple[list[Entry], Rounds]:
    """Return the entries of an availability task after these rounds, and the rounds."""
    entries: list[Entry] = []
    before = Rounds()
    for verdict in verdicts:
        after = before.after(verdict)
        entries += availability_moved(
            TEAM, "web", points=points, before=before, after=after, fact=FACT
        )
        before = after
    return entries, before


@given(st.lists(st.sampled_from(Verdict), max_size=60), st.integers(0, 1000))
def test_the_entries_of_availability_always_add_up_to_the_share(
    verdicts: list[Verdict], points: int
) -> None:
    entries, rounds = booked(verdicts, points)
    total = sum(entry.milli_points for entry in entries)
    assert total == rounds.worth(points * 1000)
    assert total <= points * 1000 * (rounds.share or Fraction(0)) < total + 1
    assert all(entry.milli_points for entry in entries)
    assert max(Counter(entry.key for entry in entries).values(), default=1) == 1


def test_a_service_that_stays_up_is_booked_once() -> None:
    entries, _ = booked([Verdict.UP] * 100, 20)
    assert [entry.milli_points for entry in entries] == [20_000]


def test_a_round_that_we_spoilt_moves_nothing() -> None:
    entries, _ = booked([Verdict.INFRA_ERROR] * 5, 20)
    assert entries == []
    before, _ = booked([Verdict.UP, Verdict.DOWN], 20)
    after, _ = booked([Verdict.UP, Verdict.DOWN, Verdict.INFRA_ERROR], 20)
    assert before == after


@given(st.lists(st.integers(0, 50), max_size=6), st.integers(0, 60))
def test_a_cost_is_paid_as_far_as_there_are_points_and_never_twice(
    gains: list[int], cost: int
) -> None:
    has = paid = 0
    keys: list[str] = []
    for gain in gains:
        has += gain
        for entry in charged(TEAM, "contain", cost=cost, has=has, paid=paid, fact=FACT):
            has, paid = has + entry.milli_points, paid - entry.milli_points
            keys.append(entry.key)
    assert paid == min(cost, sum(gains))
    assert has == sum(gains) - paid >= 0
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("seen", "lost"),
    [
        ([], False),
        ([Verdict.DOWN], False),
        ([Verdict.DOWN, Verdict.UP], False),
        ([Verdict.DOWN, Verdict.UP, Verdict.DOWN], False),
        ([Verdict.DOWN, Verdict.MUMBLE], True),
        ([Verdict.UP, Verdict.DOWN, Verdict.INFRA_ERROR, Verdict.DOWN], True),
    ],
)
def test_two_failures_in_a_row_are_a_loss(seen: list[Verdict], *, lost: bool) -> None:
    state = CheckState()
    for number, verdict in enumerate(seen):
        state = state.after(number, timedelta(seconds=number), verdict)
    assert is_lost(state) is lost


def test_a_reversal_takes_all_back_and_names_what_it_takes() -> None:
    entry = solved(TEAM, "contain", milli_points=30_000, fact=FACT)
    ruling = Fact(cause=Cause.CORRECTION, id="ruling", at=FACT.at, user=UserId("ada"))
    reversal = reversal_of(entry, ruling, "The question was void.")
    assert (reversal.milli_points, reversal.reverses) == (-30_000, entry.key)
    assert (reversal.kind, reversal.task, reversal.fact) == (EntryKind.SOLVE, "contain", ruling)
    assert reversal.reason == "The question was void."


def test_what_takes_back_is_not_taken_back_itself() -> None:
    entry = solved(TEAM, "contain", milli_points=30_000, fact=FACT)
    with pytest.raises(NotReversibleError, match="takes another entry back"):
        reversal_of(reversal_of(entry, FACT, "once"), FACT, "twice")


def test_a_solve_has_one_key_whoever_and_whatever_caused_it() -> None:
    by_hand = Fact(cause=Cause.SUBMISSION, id="x", at=FACT.at, user=UserId("ada"))
    one = solved(TEAM, "contain", milli_points=30_000, fact=FACT)
    other = solved(TEAM, "contain", milli_points=30_000, fact=by_hand)
    assert one.key == other.key
    assert one.milli_points == 30_000
