"""The tables of moves, tested as tables."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.phases import (
    BECAUSE,
    MOVES,
    PERMITS,
    WORLD_MOVES,
    Act,
    IllegalMoveError,
    NotNowError,
    Phase,
    WorldPhase,
    require,
    require_move,
    settled,
)

EDGES = {
    ("draft", "provisioning"),
    ("draft", "cancelled"),
    ("provisioning", "ready"),
    ("provisioning", "degraded"),
    ("provisioning", "failed"),
    ("provisioning", "cancelled"),
    ("ready", "running"),
    ("ready", "degraded"),
    ("ready", "cancelled"),
    ("degraded", "running"),
    ("degraded", "ready"),
    ("degraded", "provisioning"),
    ("degraded", "cancelled"),
    ("failed", "provisioning"),
    ("failed", "cancelled"),
    ("running", "paused"),
    ("running", "ended"),
    ("paused", "running"),
    ("paused", "ended"),
    ("ended", "closed"),
}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(Phase, Phase)))
def test_only_listed_moves_are_open(before: Phase, after: Phase) -> None:
    if (before.value, after.value) in EDGES:
        require_move(before, after)
    else:
        with pytest.raises(IllegalMoveError) as refused:
            require_move(before, after)
        assert before in str(refused.value)


def test_a_running_exercise_cannot_be_cancelled() -> None:
    assert Phase.CANCELLED not in MOVES[Phase.RUNNING] | MOVES[Phase.PAUSED] | MOVES[Phase.ENDED]


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_says_what_it_permits_and_why_not(phase: Phase) -> None:
    assert phase in PERMITS
    assert BECAUSE[phase]


def test_trainees_enter_and_answer_only_while_it_runs() -> None:
    for act in (Act.ENTER, Act.ANSWER, Act.CHECK):
        assert [phase for phase in Phase if act in PERMITS[phase]] == [Phase.RUNNING]


def test_a_refusal_says_what_to_wait_for() -> None:
    with pytest.raises(NotNowError, match="paused; your instructor resumes it"):
        require(Phase.PAUSED, Act.ANSWER)


@pytest.mark.parametrize("phase", WorldPhase)
def test_a_world_can_always_be_removed(phase: WorldPhase) -> None:
    if phase is not WorldPhase.REMOVED:
        assert WorldPhase.REMOVING in WORLD_MOVES[phase] or phase is WorldPhase.REMOVING
    assert WORLD_MOVES[WorldPhase.REMOVED] == frozenset()


@given(st.lists(st.sampled_from(WorldPhase), min_size=1))
def test_an_exercise_settles_only_when_no_world_is_on_its_way(worlds: list[WorldPhase]) -> None:
    after = settled(worlds)
    unsettled = {WorldPhase.PLANNED, WorldPhase.BUILDING} & set(worlds)
    assert (after is None) == bool(unsettled)
    if after is Phase.READY:
        assert set(worlds) == {WorldPhase.READY}
    if after is Phase.FAILED:
        assert set(worlds) == {WorldPhase.FAILED}
