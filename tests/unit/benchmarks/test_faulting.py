"""The fault harness itself: schedules that can be had again, and a judge that can say no."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.faulting.judge import REMNANTS, Facts, judge
from tests.benchmarks.faulting.play import Acknowledged, Story
from tests.benchmarks.faulting.schedule import Kind, Step, schedule
from tests.benchmarks.faulting.watch import EngineWatch

RIGHT = Acknowledged(team="team-1", task="harbour", value="bar", key="k1", verdict="correct")
SUBMISSION = {
    "id": "s1",
    "team_id": "t1",
    "task": "harbour",
    "value": "bar",
    "client_key": "k1",
    "verdict": "correct",
    "received_at": datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC),
}
ENTRY = {"team_id": "t1", "idem_key": "solve:t1:harbour", "milli_points": 5000}
RUN = {
    "id": "r1",
    "team_id": "t1",
    "round": 0,
    "exercise_ms": 2000,
    "verdict": "up",
    "output": "",
    "started_at": datetime(2026, 11, 23, 12, 0, 2, tzinfo=UTC),
    "window_id": None,
}
WELL = Facts(
    exercises=[{"name": "faulty-x", "phase": "closed"}],
    teams=[
        {"id": "t1", "slug": "team-1", "world": "removed", "problem": None},
        {"id": "t2", "slug": "team-2", "world": "removed", "problem": None},
    ],
    subnets=[],
    ticks=["start", "pause", "resume", "end"],
    submissions=[SUBMISSION],
    check_runs=[],
    entries=[ENTRY],
    messages=[{"team_id": "t1"}, {"team_id": "t2"}],
    firings=[
        {"team_id": team, "inject": inject, "state": "fired"}
        for team in ("t1", "t2")
        for inject in ("greeting", "mark")
    ],
)


@pytest.fixture
def watch() -> EngineWatch:
    watch = EngineWatch(Path("/nowhere"), "x")
    watch.looks, watch.most = 9, 8
    return watch


@pytest.fixture
def story() -> Story:
    rows = [{"team": "team-1", "points": 5}, {"team": "team-2", "points": 0}]
    return Story(answers=[RIGHT], board={"rows": rows}, marks={"team-1": 1, "team-2": 1})


def test_a_seed_that_went_well_is_judged_so(watch: EngineWatch, story: Story) -> None:
    assert judge(WELL, story, watch, []) == []
    assert judge(WELL, story, watch, sorted(REMNANTS)) == []


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(WELL, exercises=[*WELL.exercises, *WELL.exercises]), "exercises"),
        (replace(WELL, exercises=[{"name": "faulty-x", "phase": "ended"}]), "exercises"),
        (replace(WELL, teams=[WELL.teams[0], {**WELL.teams[1], "world": "removing"}]), "worlds"),
        (replace(WELL, subnets=[{"subnet": "10.0.0.0/28"}]), "addresses"),
        (replace(WELL, ticks=["start", "start", "end"]), "clock"),
        (replace(WELL, submissions=[]), "not written down"),
        (replace(WELL, submissions=[{**SUBMISSION, "verdict": "wrong"}]), "not written down"),
        (
            replace(WELL, submissions=[SUBMISSION, {**SUBMISSION, "client_key": "k2"}]),
            "never acknowledged",
        ),
        (replace(WELL, entries=[]), "otherwise than the facts"),
        (replace(WELL, entries=[ENTRY, ENTRY]), "twice"),
        (replace(WELL, entries=[{**ENTRY, "milli_points": 4000}]), "otherwise than the facts"),
        (replace(WELL, check_runs=[{**RUN, "verdict": "down"}]), "blamed"),
        (replace(WELL, check_runs=[RUN]), "otherwise than the facts"),
        (replace(WELL, messages=[*WELL.messages, {"team_id": "t2"}]), "greeted 2 times"),
        (replace(WELL, messages=WELL.messages[:1]), "greeted 0 times"),
        (replace(WELL, firings=[*WELL.firings, WELL.firings[0]]), "more than once"),
    ],
)
def test_whatever_does_not_hold_is_told(
    watch: EngineWatch, story: Story, facts: Facts, said: str
) -> None:
    assert any(said in sentence for sentence in judge(facts, story, watch, []))


def test_what_stood_twice_or_stands_still_is_told(watch: EngineWatch, story: Story) -> None:
    assert judge(WELL, story, watch, ["host x team-1 desk"])
    watch.doubled.add("network x team-1 office")
    assert judge(WELL, story, watch, [])


@pytest.mark.parametrize(("ran", "state"), [(2, "fired"), (0, "fired"), (2, "failed")])
def test_a_command_that_ran_otherwise_than_once_is_told(
    watch: EngineWatch, story: Story, ran: int, state: str
) -> None:
    story.marks["team-2"] = ran
    facts = replace(WELL, firings=[*WELL.firings[:3], {**WELL.firings[3], "state": state}])
    assert any("the command ran" in sentence for sentence in judge(facts, story, watch, []))


def test_a_command_that_failed_with_its_worker_may_not_have_run(
    watch: EngineWatch, story: Story
) -> None:
    story.marks["team-2"] = 0
    facts = replace(WELL, firings=[*WELL.firings[:3], {**WELL.firings[3], "state": "failed"}])
    assert judge(facts, story, watch, []) == []


def test_a_watch_that_saw_nothing_is_no_proof(watch: EngineWatch, story: Story) -> None:
    watch.looks = 0
    assert judge(WELL, story, watch, [])


def test_a_board_that_shows_something_else_is_told(watch: EngineWatch, story: Story) -> None:
    story.board["rows"][1]["points"] = 3
    assert any("board" in sentence for sentence in judge(WELL, story, watch, []))


@given(st.integers(), st.sets(st.sampled_from(Kind), min_size=1))
def test_a_seed_has_one_schedule_of_possible_faults_in_order(seed: int, kinds: set[Kind]) -> None:
    faults = schedule(seed, kinds)
    assert faults == schedule(seed, frozenset(kinds))
    assert {fault.kind for fault in faults} <= kinds
    order = [(list(Step).index(fault.step), fault.after) for fault in faults]
    assert order == sorted(order)
    assert all(bool(fault.shift) == (fault.kind is Kind.SHIFT_CLOCK) for fault in faults)


def test_every_kind_strikes_in_some_seed() -> None:
    assert {f.kind for seed in range(100) for f in schedule(seed, frozenset(Kind))} == set(Kind)


def test_of_two_workers_each_is_killed_in_some_seed() -> None:
    faults = [f for seed in range(100) for f in schedule(seed, frozenset(Kind))]
    assert {f.lot % 2 for f in faults if f.kind is Kind.KILL_WORKER} == {0, 1}
