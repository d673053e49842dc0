from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.rounds import RoundState, current_round, deadline_of, decides, offset_of

EVERY = timedelta(seconds=30)
times = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=2))


def test_the_first_round_begins_after_the_offset() -> None:
    offset = timedelta(seconds=7)
    at = [current_round(timedelta(seconds=s), EVERY, offset) for s in (0, 6.9, 7, 36.9, 37, 67)]
    assert at == [None, None, 0, 0, 1, 2]


@given(st.text(max_size=12), st.text(max_size=40), st.timedeltas(timedelta(seconds=1)))
def test_an_offset_is_always_the_same_and_shorter_than_a_round(
    team: str, check: str, every: timedelta
) -> None:
    offset = offset_of(team, check, every)
    assert timedelta() <= offset < every
    assert offset == offset_of(team, check, every)


def test_a_class_is_spread_over_the_round() -> None:
    offsets = [offset_of(f"team-{n}", "web", EVERY) for n in range(100)]
    thirds = [sum(low <= o / EVERY < low + 1 / 3 for o in offsets) for low in (0, 1 / 3, 2 / 3)]
    assert all(count > 20 for count in thirds)


@given(times, times)
def test_rounds_never_go_back(a: timedelta, b: timedelta) -> None:
    first, second = (current_round(t, EVERY, timedelta()) for t in sorted((a, b)))
    assert first is not None
    assert second is not None
    assert first <= second


def test_a_round_can_be_decided_until_two_looks_that_begin_at_its_end_are_over() -> None:
    deadline = deadline_of(
        3, every=EVERY, offset=timedelta(seconds=7), timeout=timedelta(seconds=10)
    )
    assert deadline == timedelta(seconds=7 + 4 * 30 + 2 * 10 + 20)


def test_only_another_worker_or_the_only_one_decides_against_a_team() -> None:
    def decided(
        state: RoundState, worker: str, *, accuses: bool = True, again: bool = False
    ) -> bool:
        return decides(state, accuses=accuses, worker=worker, first="one", again=again)

    sent, doubted, decided_before = RoundState.SENT, RoundState.DOUBTED, RoundState.DECIDED
    assert not decided(sent, "one")
    assert decided(sent, "one", accuses=False)
    for state in (doubted, RoundState.CONFIRMING):
        assert not decided(state, "one")
        assert not decided(state, "one", accuses=False)
        assert decided(state, "two")
        assert decided(state, "one", again=True)
    assert not decided(decided_before, "two")
    assert not decided(decided_before, "two", accuses=False)
