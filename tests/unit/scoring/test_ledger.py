from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from core.ids import TeamId, UserId
from scoring.domain.availability import Rounds
from scoring.domain.ledger import Cause, Entry, Fact, availability_moved, solved
from scoring.domain.verdicts import Verdict

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


def test_a_solve_has_one_key_whoever_and_whatever_caused_it() -> None:
    by_hand = Fact(cause=Cause.SUBMISSION, id="x", at=FACT.at, user=UserId("ada"))
    one = solved(TEAM, "contain", points=30, fact=FACT)
    other = solved(TEAM, "contain", points=30, fact=by_hand)
    assert one.key == other.key
    assert one.milli_points == 30_000
