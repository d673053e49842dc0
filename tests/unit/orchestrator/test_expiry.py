"""Worlds that nobody uses expire; a running exercise never does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId, TeamId
from orchestrator.domain.clock import ClockEvent, Tick
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.expiry import WARNING, expiry_of, last_touched
from orchestrator.domain.phases import Phase, WorldPhase

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAYS = timedelta(days=3)

moments = st.timedeltas(min_value=timedelta(days=-30), max_value=timedelta(days=30)).map(
    lambda since: NOON + since
)


def team(since: datetime) -> Team:
    return Team(
        id=TeamId("t"),
        slug="team-1",
        name="Team 1",
        number=1,
        members=(),
        world=WorldPhase.READY,
        world_since=since,
        problem=None,
    )


def exercise(phase: Phase, *touched: datetime, kept: datetime | None = None) -> Exercise:
    return Exercise(
        id=ExerciseId("e"),
        name="harbour-k3f",
        phase=phase,
        scenario_id="harbour",
        scenario_version="1.0.0",
        scenario_title="The harbour",
        scenario_digest="d",
        duration=timedelta(hours=1),
        created_at=NOON,
        story_start=NOON,
        clock=tuple(ClockEvent(tick=Tick.START, at=at) for at in touched),
        teams=(team(NOON),),
        kept_at=kept,
    )


@given(st.sampled_from(Phase), st.lists(moments), moments)
def test_a_running_or_paused_exercise_is_never_taken_down(
    phase: Phase, touched: list[datetime], now: datetime
) -> None:
    expiry = expiry_of(exercise(phase, *touched), after=DAYS)
    if phase in {Phase.RUNNING, Phase.PAUSED, Phase.PROVISIONING, Phase.CLOSED}:
        assert expiry is None or not expiry.is_due(now)


@given(st.lists(moments), moments, moments)
def test_whatever_touches_an_exercise_only_puts_its_end_off(
    touched: list[datetime], kept: datetime, now: datetime
) -> None:
    before = exercise(Phase.ENDED, *touched)
    after = replace(before, kept_at=kept)
    assert last_touched(after) >= last_touched(before)
    first, second = expiry_of(before, after=DAYS), expiry_of(after, after=DAYS)
    assert first is not None
    assert second is not None
    assert second.is_due(now) <= first.is_due(now)


@given(st.lists(moments), moments)
def test_nothing_is_taken_down_without_a_warning_of_six_hours(
    touched: list[datetime], now: datetime
) -> None:
    expiry = expiry_of(exercise(Phase.READY, *touched), after=DAYS)
    assert expiry is not None
    if expiry.is_due(now):
        assert expiry.is_near(now - WARNING)
        assert now - last_touched(exercise(Phase.READY, *touched)) >= DAYS
