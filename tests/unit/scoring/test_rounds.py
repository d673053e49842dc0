from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.rounds import current_round, offset_of

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
