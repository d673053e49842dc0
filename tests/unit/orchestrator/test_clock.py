"""The exercise's clock, and the clocks of its teams."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.ids import TeamId
from orchestrator.domain.clock import ClockEvent, Tick, elapsed, extended, reached

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
RED, BLUE = TeamId("red"), TeamId("blue")


def at(minute: float, tick: Tick, team: TeamId | None = None, by: float = 0) -> ClockEvent:
    moment = NOON + timedelta(minutes=minute)
    return ClockEvent(tick=tick, at=moment, team=team, by=timedelta(minutes=by))


def minutes(events: list[ClockEvent], minute: float, team: TeamId | None = None) -> float:
    return elapsed(events, NOON + timedelta(minutes=minute), team=team) / timedelta(minutes=1)


def test_before_the_start_no_time_has_passed() -> None:
    assert elapsed([], NOON) == timedelta()


def test_a_pause_for_lunch_does_not_count() -> None:
    events = [at(0, Tick.START), at(10, Tick.PAUSE), at(70, Tick.RESUME)]
    assert minutes(events, 75) == 15


def test_after_the_end_it_stands_still() -> None:
    events = [at(0, Tick.START), at(30, Tick.END)]
    assert minutes(events, 300) == 30


def test_a_wall_clock_that_is_set_back_takes_no_time_away() -> None:
    events = [at(0, Tick.START), at(10, Tick.PAUSE), at(5, Tick.RESUME), at(3, Tick.PAUSE)]
    assert minutes(events, 20) == 10


def test_a_team_that_starts_late_keeps_its_offset() -> None:
    events = [at(0, Tick.START), at(0, Tick.PAUSE, RED), at(7, Tick.RESUME, RED)]
    assert minutes(events, 5, RED) == 0
    assert minutes(events, 20, RED) == 13
    assert minutes(events, 20, BLUE) == minutes(events, 20) == 20


def test_a_teams_own_pause_and_everybodys_count_once_where_they_overlap() -> None:
    events = [
        at(0, Tick.START),
        at(10, Tick.PAUSE, RED),
        at(12, Tick.PAUSE),
        at(15, Tick.RESUME, RED),
        at(20, Tick.RESUME),
    ]
    assert minutes(events, 18, RED) == 10, "resumed alone while everybody pauses"
    assert minutes(events, 30, RED) == 20
    assert minutes(events, 30, BLUE) == 22


def test_an_extension_moves_the_end_and_no_clock() -> None:
    events = [at(0, Tick.START), at(5, Tick.EXTEND, by=10), at(6, Tick.EXTEND, RED, by=5)]
    assert minutes(events, 20, RED) == 20
    assert extended(events) == extended(events, team=BLUE) == timedelta(minutes=10)
    assert extended(events, team=RED) == timedelta(minutes=15)


clock_events = st.lists(
    st.tuples(
        st.floats(0, 600),
        st.sampled_from([Tick.PAUSE, Tick.RESUME, Tick.EXTEND]),
        st.sampled_from([None, RED, BLUE]),
    ),
    max_size=15,
)


@given(clock_events, st.floats(0, 600), st.floats(0, 600), st.sampled_from([None, RED]))
def test_no_clock_runs_backwards_nor_faster_than_the_wall(
    touched: list[tuple[float, Tick, TeamId | None]],
    first: float,
    second: float,
    team: TeamId | None,
) -> None:
    events = [at(0, Tick.START), *(at(*event) for event in sorted(touched, key=lambda t: t[0]))]
    early, late = sorted((first, second))
    before, after = minutes(events, early, team), minutes(events, late, team)
    assert 0 <= before <= after + 1e-6
    assert after - before <= late - early + 1e-6


@given(clock_events, st.floats(0, 600))
def test_no_team_is_ahead_of_its_exercise(
    touched: list[tuple[float, Tick, TeamId | None]], now: float
) -> None:
    events = [at(0, Tick.START), *(at(*event) for event in sorted(touched, key=lambda t: t[0]))]
    assert minutes(events, now, RED) <= minutes(events, now) + 1e-6


@given(clock_events, st.floats(0, 600))
def test_what_is_done_to_another_team_changes_nothing(
    touched: list[tuple[float, Tick, TeamId | None]], now: float
) -> None:
    ordered = sorted(touched, key=lambda t: t[0])
    events = [at(0, Tick.START), *(at(*event) for event in ordered)]
    without = [event for event in events if event.team != BLUE]
    assert minutes(events, now, RED) == minutes(without, now, RED)


def test_when_a_time_was_reached_leaves_pauses_out() -> None:
    events = [at(0, Tick.START), at(10, Tick.PAUSE), at(70, Tick.RESUME)]
    now = NOON + timedelta(minutes=75)
    assert reached(events, timedelta(minutes=5), now) == NOON + timedelta(minutes=5)
    assert reached(events, timedelta(minutes=12), now) == NOON + timedelta(minutes=72)
    assert reached(events, timedelta(minutes=16), now) is None
    assert reached([], timedelta(), now) is None


@given(clock_events, st.floats(0, 600), st.floats(0, 600), st.sampled_from([None, RED]))
def test_a_time_was_reached_when_the_clock_showed_it(
    touched: list[tuple[float, Tick, TeamId | None]],
    minute: float,
    now: float,
    team: TeamId | None,
) -> None:
    events = [at(0, Tick.START), *(at(*event) for event in sorted(touched, key=lambda t: t[0]))]
    wanted, moment = timedelta(minutes=minute), NOON + timedelta(minutes=now)
    when = reached(events, wanted, moment, team=team)
    if when is None:
        assert elapsed(events, moment, team=team) < wanted or not wanted
    else:
        assert when <= moment
        assert elapsed(events, when, team=team) == wanted
