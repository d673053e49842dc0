from datetime import timedelta
from fractions import Fraction
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.availability import Rounds
from scoring.domain.holds import CheckRun, CheckState
from scoring.domain.verdicts import Verdict

verdict_lists = st.lists(st.sampled_from(Verdict), max_size=40)
UP, DOWN, MUMBLE, OURS = Verdict.UP, Verdict.DOWN, Verdict.MUMBLE, Verdict.INFRA_ERROR


def run(number: int, verdict: Verdict, *, excused: bool = False) -> CheckRun:
    return CheckRun(
        round=number, at=timedelta(seconds=10 * number), verdict=verdict, excused=excused
    )


def runs(*verdicts: Verdict) -> list[CheckRun]:
    """Return a run each 10 seconds of exercise time."""
    return [run(number, verdict) for number, verdict in enumerate(verdicts)]


def folded(seen: list[CheckRun]) -> CheckState:
    def after(state: CheckState, run: CheckRun) -> CheckState:
        return state.after(run.round, run.at, run.outcome)

    return reduce(after, seen, CheckState())


def held(*verdicts: Verdict) -> float | None:
    time = folded(runs(*verdicts)).held
    return None if time is None else time.total_seconds()


def test_a_check_holds_from_its_first_pass_to_its_last() -> None:
    assert held() is None
    assert held(UP) == 0
    assert held(DOWN, UP, UP, UP) == 20
    assert held(UP, UP, DOWN) is None
    assert held(UP, UP, MUMBLE, UP, UP) == 10


def test_a_fault_of_ours_neither_breaks_a_hold_nor_counts_as_seen() -> None:
    assert held(UP, OURS, UP) == 20
    assert held(UP, UP, OURS, OURS) == 10
    assert held(OURS) is None
    assert held(DOWN, OURS) is None


def test_a_hold_of_nothing_takes_one_pass() -> None:
    state = folded(runs(UP))
    assert state.has_held(timedelta())
    assert not state.has_held(timedelta(seconds=1))
    assert not folded(runs(DOWN)).has_held(timedelta())


@given(verdict_lists)
def test_passing_on_only_lengthens_a_hold(verdicts: list[Verdict]) -> None:
    before = folded(runs(*verdicts))
    after = folded(runs(*verdicts, UP))
    assert after.held is not None
    assert after.held >= (before.held or timedelta())


@given(verdict_lists)
def test_a_failure_ends_every_hold(verdicts: list[Verdict]) -> None:
    assert folded(runs(*verdicts, DOWN)).held is None
    assert folded(runs(*verdicts, MUMBLE)).held is None


@given(verdict_lists, st.data())
def test_a_run_that_is_late_or_comes_twice_changes_nothing(
    verdicts: list[Verdict], data: st.DataObject
) -> None:
    seen = runs(*verdicts)
    again: list[CheckRun] = []
    for place, run in enumerate(seen, start=1):
        again += [run, *data.draw(st.lists(st.sampled_from(seen[:place]), max_size=3))]
    assert folded(again) == folded(seen)


@given(verdict_lists)
def test_the_share_of_rounds_is_between_none_and_all(verdicts: list[Verdict]) -> None:
    rounds = folded(runs(*verdicts)).rounds
    scored: list[Verdict] = [v for v in verdicts if v not in {OURS, Verdict.MISSING}]
    assert (rounds.scored, rounds.passed) == (len(scored), scored.count(UP))
    assert rounds.recovering == scored.count(Verdict.RECOVERING)
    assert (rounds.share is None) == (not scored)
    assert rounds.share is None or 0 <= rounds.share <= 1
    assert 0 <= rounds.worth(20_000) <= 20_000


def test_availability_depends_on_every_round_and_not_on_the_last_streak() -> None:
    # A peer charges for the streak of failures that is on when the exercise ends.
    early, late = (folded(runs(*order)) for order in ([DOWN] * 3 + [UP] * 7, [UP] * 7 + [DOWN] * 3))
    assert early.rounds == late.rounds
    assert early.rounds.worth(20_000) == 14_000


def test_a_round_in_which_a_service_recovers_is_worth_a_half() -> None:
    rounds = folded(runs(UP, Verdict.RECOVERING, DOWN, OURS, Verdict.MISSING)).rounds
    assert rounds.share == Fraction(1, 2)
    assert (rounds.worth(1000), rounds.worth(1)) == (500, 0)
    assert folded(runs(UP, UP, Verdict.RECOVERING)).rounds.worth(1000) == 833


@given(verdict_lists)
def test_the_order_of_rounds_does_not_change_the_share(verdicts: list[Verdict]) -> None:
    there, back = folded(runs(*verdicts)), folded(runs(*reversed(verdicts)))
    assert there.rounds == back.rounds


def test_a_round_in_maintenance_counts_on_neither_side_and_breaks_nothing() -> None:
    seen = [*runs(UP, UP), run(2, DOWN, excused=True), run(3, UP)]
    assert folded(seen).held == timedelta(seconds=30)
    assert folded(seen).rounds == Rounds(scored=3, passed=3)
    excused = [run(number, UP, excused=True) for number in range(5)]
    assert folded(excused).held is None


def test_rounds_that_nobody_carried_out_are_counted_and_break_nothing() -> None:
    seen = [run(0, UP), run(3, UP), run(4, Verdict.MISSING), run(5, UP)]
    state = folded(seen)
    assert (state.missed, state.held) == (3, timedelta(seconds=50))
