"""The exercise's clock."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.clock import ClockEvent, Tick, elapsed

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def at(minute: float, tick: Tick) -> ClockEvent:
    return ClockEvent(tick=tick, at=NOON + timedelta(minutes=minute))


def test_before_the_start_no_time_has_passed() -> None:
    assert elapsed([], NOON) == timedelta()


def test_a_pause_for_lunch_does_not_count() -> None:
    events = [at(0, Tick.START), at(10, Tick.PAUSE), at(70, Tick.RESUME)]
    assert elapsed(events, NOON + timedelta(minutes=75)) == timedelta(minutes=15)


def test_after_the_end_it_stands_still() -> None:
    events = [at(0, Tick.START), at(30, Tick.END)]
    assert elapsed(events, NOON + timedelta(hours=5)) == timedelta(minutes=30)


def test_a_wall_clock_that_is_set_back_takes_no_time_away() -> None:
    events = [at(0, Tick.START), at(10, Tick.PAUSE), at(5, Tick.RESUME), at(3, Tick.PAUSE)]
    assert elapsed(events, NOON + timedelta(minutes=20)) == timedelta(minutes=10)


@given(st.lists(st.floats(0, 600), min_size=1, max_size=12), st.floats(0, 600), st.floats(0, 600))
def test_it_never_runs_backwards_nor_faster_than_the_wall(
    moments: list[float], first: float, second: float
) -> None:
    ticks = [Tick.START, *([Tick.PAUSE, Tick.RESUME] * len(moments))]
    events = [at(m, t) for m, t in zip(sorted(moments), ticks, strict=False)]
    early, late = sorted((first, second))
    before = elapsed(events, NOON + timedelta(minutes=early))
    after = elapsed(events, NOON + timedelta(minutes=late))
    assert timedelta() <= before <= after
    assert after - before <= timedelta(minutes=late - early) + timedelta(microseconds=2)
