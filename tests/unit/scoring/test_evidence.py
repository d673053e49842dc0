from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.evidence import Frame, Happened, first_in

minutes = st.timedeltas(timedelta(), timedelta(hours=2))
frames = st.builds(
    Frame, begin=st.none() | minutes, within=st.none() | minutes, end=st.none() | minutes
)


def at(minute: float) -> timedelta:
    return timedelta(minutes=minute)


def test_a_frame_is_from_one_moment_on_for_some_time_and_before_another() -> None:
    frame = Frame(begin=at(5), within=at(10), end=at(12))
    assert [minute for minute in range(20) if frame.holds(at(minute))] == list(range(5, 12))
    assert Frame(within=at(10)).holds(at(10))
    assert not Frame(within=at(10)).holds(at(10.1))


def test_what_must_come_first_and_has_not_happened_lets_nothing_count() -> None:
    assert not Frame(begin=None).holds(at(1))


def test_what_must_not_come_first_and_has_not_happened_forbids_nothing() -> None:
    assert Frame(end=None).holds(at(100))


@given(frames, st.lists(minutes, max_size=8))
def test_the_first_thing_that_fits_is_found_whatever_the_order(
    frame: Frame, times: list[timedelta]
) -> None:
    happened = [Happened(at=time, what="") for time in times]
    found = first_in(frame, happened)
    fitting = sorted(time for time in times if frame.holds(time))
    assert (found.at if found else None) == (fitting[0] if fitting else None)
    assert first_in(frame, happened[::-1]) == found
