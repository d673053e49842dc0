"""When injects are due: on the team's clock, once, in order, whatever happens in between."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenario.schema import Scenario
from core.scenario.schema_injects import Expect
from core.scenario.yaml_reader import read
from orchestrator.domain.clock import ClockEvent, Tick, elapsed
from orchestrator.domain.injects import (
    FIRING_MOVES,
    LATE_FROM,
    Choice,
    Due,
    Expectation,
    Firing,
    FiringState,
    Observed,
    Passing,
    Shift,
    Situation,
    due,
    expectation,
    next_time,
)

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
AFTERWARDS = {
    Choice.FIRE: FiringState.FIRED,
    Choice.SKIP: FiringState.SKIPPED,
    Choice.ASK: FiringState.UNDECIDED,
}


def scenario(*injects: str) -> Scenario:
    """Return a scenario with these injects: a, b, c and so on."""
    lines = [f"  {name}: {{{text}}}" for name, text in zip("abcdefghij", injects, strict=False)]
    text = "\n".join(
        [
            "language: 1",
            "scenario: {id: s, version: 1.0.0, title: S, kind: tabletop, duration: 3h}",
            "roles: {lead: {}}",
            "checks: {up: {host: box, tcp: 80, every: 30s, hold: 2m}}",
            "tasks: {door: {ask: Who?, answer: me, points: 5}}",
            "injects:",
            *lines,
        ]
    )
    return Scenario.model_validate(read(text.encode()).data)


def message(trigger: str) -> str:
    return f"{trigger}, message: {{text: Hello.}}"


def at(minutes: float, of: Scenario, *firings: Firing, **facts: object) -> Situation:
    situation = Situation(scenario=of, elapsed=minutes * MINUTE, firings=firings)
    return replace(situation, **facts)  # type: ignore[arg-type]


def names(situation: Situation) -> list[str]:
    return [found.inject for found in due(situation)]


def fired(inject: str, minutes: float, occurrence: int = 1) -> Firing:
    return Firing(
        inject=inject, occurrence=occurrence, state=FiringState.FIRED, at=minutes * MINUTE
    )


def test_nothing_is_due_before_its_time_and_it_is_at_its_time() -> None:
    one = scenario(message("at: 5m"))
    assert names(at(4.99, one)) == []
    assert names(at(5, one)) == ["a"]
    assert names(at(6, one, fired("a", 5))) == []


def test_what_comes_after_another_waits_from_when_that_went_out() -> None:
    two = scenario(message("at: 5m"), message("after: a, wait: 10m"))
    assert names(at(20, two)) == ["a"]
    assert names(at(29, two, fired("a", 20))) == []
    assert names(at(30, two, fired("a", 20))) == ["b"]


@pytest.mark.parametrize("state", [FiringState.HELD, FiringState.FIRING, FiringState.FAILED])
def test_what_comes_after_one_that_did_not_pass_waits(state: FiringState) -> None:
    two = scenario(message("at: 5m"), message("after: a"))
    stuck = Firing(inject="a", occurrence=1, state=state, at=5 * MINUTE)
    assert names(at(60, two, stuck)) == []


def test_what_comes_after_a_skipped_one_goes_on_from_there() -> None:
    two = scenario(message("at: 5m"), message("after: a, wait: 1m"))
    skipped = Firing(inject="a", occurrence=1, state=FiringState.SKIPPED, at=2 * MINUTE)
    assert names(at(2.9, two, skipped)) == []
    assert names(at(3, two, skipped)) == ["b"]


def test_a_manual_one_is_never_due() -> None:
    assert names(at(170, scenario(message("manual: true")))) == []


def test_a_check_must_hold_and_then_pass_for_its_time() -> None:
    one = scenario(message("when: {check: up, passing: 5m, before: 90m}"))
    for since, seen, expected in [(10, 16.9, []), (10, 17, ["a"]), (84, 92, [])]:
        passing = Passing(since=since * MINUTE, seen=seen * MINUTE)
        observed = Observed(passing={"up": passing})
        assert names(at(seen, one, observed=observed)) == expected
    assert names(at(60, one)) == []


def test_a_tip_is_due_for_a_task_that_is_still_open_and_praise_for_one_that_is_not() -> None:
    two = scenario(
        message("when: {task: door, open_at: 60m}"), message("when: {task: door, solved: true}")
    )
    solved = Observed(solved={"door": 61 * MINUTE})
    assert names(at(59, two)) == []
    assert names(at(60, two)) == ["a"]
    assert names(at(61.5, two, observed=solved)) == ["b"]


def test_a_repetition_comes_again_until_its_end_and_never_overlaps_itself() -> None:
    one = scenario("at: 5m, every: 4m, until: 14m, message: {text: Again.}")
    assert [(d.occurrence, d.at / MINUTE) for d in due(at(5, one))] == [(1, 5)]
    assert due(at(8.9, one, fired("a", 5))) == ()
    assert [(d.occurrence, d.at / MINUTE) for d in due(at(9, one, fired("a", 5)))] == [(2, 9)]
    under_way = Firing(inject="a", occurrence=1, state=FiringState.FIRING, at=5 * MINUTE)
    assert due(at(9, one, under_way)) == ()
    three = (fired("a", 5), fired("a", 9, 2), fired("a", 13, 3))
    assert due(at(100, one, *three)) == ()
    assert next_time(at(100, one, *three), "a") is None


def test_missed_repetitions_are_passed_over() -> None:
    one = scenario("at: 5m, every: 4m, host: box, run: [a]")
    (found,) = due(at(30, one, fired("a", 5)))
    assert (found.occurrence, found.at / MINUTE, found.choice) == (7, 29, Choice.FIRE)
    (found,) = due(at(32, one, fired("a", 5)))
    assert (found.occurrence, found.choice) == (7, Choice.SKIP)


def test_the_rest_is_shifted_and_what_went_out_is_not() -> None:
    two = scenario(message("at: 5m"), message("after: a, wait: 10m"), message("at: 30m"))
    shift = (Shift(at=8 * MINUTE, by=10 * MINUTE),)
    times = [next_time(at(8, two, fired("a", 5), shifts=shift), name) for name in "bc"]
    assert times == [(1, 25 * MINUTE), (1, 40 * MINUTE)]
    later = at(60, two, fired("a", 50), shifts=shift)
    assert next_time(later, "b") == (1, 60 * MINUTE), "the shift was before a went out"


def test_what_is_shifted_into_the_past_is_on_time() -> None:
    one = scenario("at: 30m, host: box, run: [a]")
    (found,) = due(at(10, one, shifts=(Shift(at=10 * MINUTE, by=-25 * MINUTE),)))
    assert (found.at, found.choice) == (5 * MINUTE, Choice.FIRE)


@pytest.mark.parametrize(
    ("inject", "choice"),
    [
        (message("at: 5m"), Choice.FIRE),
        (message("at: 5m, late: skip"), Choice.SKIP),
        (message("at: 5m, host: box, run: [a]"), Choice.ASK),
        ("at: 5m, host: box, run: [a]", Choice.ASK),
        ("at: 5m, host: box, run: [a], late: fire", Choice.FIRE),
        ("at: 5m, script: Call.", Choice.ASK),
        (message("at: 5m, late: ask"), Choice.ASK),
    ],
)
def test_a_late_one_goes_the_way_that_the_language_says(inject: str, choice: Choice) -> None:
    one = scenario(inject)
    assert [d.choice for d in due(at(6, one))] == [Choice.FIRE], "a minute is not late"
    assert [d.choice for d in due(at(6.1, one))] == [choice]


def test_a_condition_that_a_rare_check_sees_is_not_late() -> None:
    one = scenario("when: {check: up}, host: box, run: [a]")
    passing = Passing(since=5 * MINUTE, seen=8.4 * MINUTE)
    observed = Observed(passing={"up": passing})
    assert [d.choice for d in due(at(8.5, one, observed=observed))] == [Choice.FIRE]
    assert [d.choice for d in due(at(8.6, one, observed=observed))] == [Choice.ASK]


def test_every_state_has_its_moves() -> None:
    assert FIRING_MOVES.keys() == {None, *FiringState}
    assert [s for s in FiringState if not FIRING_MOVES[s]] == [
        FiringState.FIRED,
        FiringState.SKIPPED,
    ]


@pytest.mark.parametrize(
    ("solved", "now", "state"),
    [
        (None, 14, Expectation.OPEN),
        (None, 15, Expectation.OPEN),
        (None, 15.1, Expectation.MISSED),
        (15, 40, Expectation.MET),
        (15.1, 40, Expectation.MISSED),
        (2, 5, Expectation.MET),
    ],
)
def test_what_is_expected_is_met_in_time_or_missed(
    solved: float | None, now: float, state: Expectation
) -> None:
    expect = Expect(task="door", within=10 * MINUTE)
    done = {} if solved is None else {"door": solved * MINUTE}
    found = expectation(expect, 5 * MINUTE, now * MINUTE, solved=done, replied=None)
    assert found is state


def test_a_reply_answers_a_message_and_a_solve_does_not() -> None:
    expect = Expect(reply="text", within=10 * MINUTE)
    for replied, state in [(None, Expectation.OPEN), (8 * MINUTE, Expectation.MET)]:
        solved = {"door": 8 * MINUTE}
        found = expectation(expect, 5 * MINUTE, 9 * MINUTE, solved=solved, replied=replied)
        assert found is state


# Properties

TRIGGERS = st.one_of(
    st.integers(0, 60).map(lambda m: f"at: {m}m"),
    st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda t: f"at: {t[0]}m, every: {t[1]}m"),
    st.integers(0, 20).map(lambda m: f"after: a, wait: {m}m"),
)
HOW_LATE = st.sampled_from(["", ", late: fire", ", late: skip", ", late: ask"])
STORIES = st.lists(st.tuples(TRIGGERS, HOW_LATE), min_size=1, max_size=5).map(
    lambda story: scenario(message("at: 1m"), *(message(t) + late for t, late in story))
)
SWEEPS = st.lists(st.integers(0, 120 * 60), max_size=40).map(
    lambda seconds: [s * SECOND for s in sorted(seconds)]
)


def played(of: Scenario, sweeps: Sequence[timedelta]) -> list[tuple[timedelta, Due]]:
    """Return what went out with each sweep, every one starting anew from the facts."""
    firings: list[Firing] = []
    seen = []
    for moment in sweeps:
        for found in due(Situation(scenario=of, elapsed=moment, firings=firings)):
            firings.append(
                Firing(
                    inject=found.inject,
                    occurrence=found.occurrence,
                    state=AFTERWARDS[found.choice],
                    at=moment,
                )
            )
            seen.append((moment, found))
    return seen


@given(STORIES, SWEEPS)
def test_whenever_it_is_asked_nothing_goes_out_twice(
    story: Scenario, sweeps: list[timedelta]
) -> None:
    seen = [(found.inject, found.occurrence) for _, found in played(story, sweeps)]
    assert len(seen) == len(set(seen))


@given(STORIES, SWEEPS)
def test_nothing_goes_out_before_its_time_and_all_of_a_sweep_in_order(
    story: Scenario, sweeps: list[timedelta]
) -> None:
    seen = played(story, sweeps)
    assert all(found.at <= moment for moment, found in seen)
    order = [(moment, found.at, list(story.injects).index(found.inject)) for moment, found in seen]
    assert order == sorted(order)


@given(STORIES, SWEEPS)
def test_asking_again_after_a_restart_changes_nothing(
    story: Scenario, sweeps: list[timedelta]
) -> None:
    twice = [moment for moment in sweeps for _ in range(2)]
    once = [moment for i, moment in enumerate(sweeps) if moment not in sweeps[:i]]
    # A second look at the same moment may only find what the first one's firings have let loose.
    loose = [name for name, inject in story.injects.items() if inject.after and not inject.wait]
    first = [s for s in played(story, once) if s[1].inject not in loose]
    assert [s for s in played(story, twice) if s[1].inject not in loose] == first


@given(STORIES, SWEEPS)
def test_at_the_end_everything_with_a_time_has_gone_one_way_or_another(
    story: Scenario, sweeps: list[timedelta]
) -> None:
    seen = {found.inject for _, found in played(story, [*sweeps, 121 * MINUTE])}
    assert seen >= {name for name, inject in story.injects.items() if inject.at is not None}


@given(STORIES, SWEEPS)
def test_only_what_is_late_goes_another_way_than_out(
    story: Scenario, sweeps: list[timedelta]
) -> None:
    for moment, found in played(story, sweeps):
        if moment - found.at <= LATE_FROM:
            assert found.choice is Choice.FIRE
        elif story.injects[found.inject].late is not None:
            assert found.choice == story.injects[found.inject].late


@settings(deadline=None, max_examples=40)
@given(STORIES, st.integers(0, 60), st.integers(0, 240))
def test_a_pause_moves_everything_by_its_length(story: Scenario, begins: int, lasts: int) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    pause = [
        ClockEvent(tick=Tick.PAUSE, at=noon + begins * MINUTE),
        ClockEvent(tick=Tick.RESUME, at=noon + (begins + lasts) * MINUTE),
    ]
    start = ClockEvent(tick=Tick.START, at=noon)

    def wall(events: list[ClockEvent]) -> dict[tuple[str, int], int]:
        moments = range(120 + (lasts if len(events) > 1 else 0))
        clock = [elapsed(events, noon + minute * MINUTE) for minute in moments]
        first: dict[timedelta, int] = {}
        for minute, moment in enumerate(clock):
            first.setdefault(moment, minute)
        seen = played(story, list(first))  # nobody looks while the clock stands
        return {(found.inject, found.occurrence): first[moment] for moment, found in seen}

    plain, paused = wall([start]), wall([start, *pause])
    assert paused.keys() == plain.keys()
    assert all(
        paused[key] == minute + (lasts if minute > begins else 0) for key, minute in plain.items()
    )
