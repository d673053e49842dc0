"""How long an LRS is left alone."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from scoring.lrs.waiting import LONGEST_ASKED, LONGEST_WAIT, wait_after

ROLLS = st.floats(0, 1)
FAILURES = st.integers(1, 10_000)
ASKED = st.none() | st.timedeltas(timedelta(), timedelta(days=30))


@given(failures=FAILURES, brief=st.booleans(), roll=ROLLS, asked=ASKED)
def test_nobody_is_left_alone_for_longer_than_the_bounds(
    *, failures: int, brief: bool, roll: float, asked: timedelta | None
) -> None:
    wait = wait_after(failures, brief=brief, roll=roll, asked=asked)
    assert timedelta() <= wait <= (LONGEST_WAIT if asked is None else LONGEST_ASKED)
    if asked is not None:
        assert wait >= min(asked, LONGEST_ASKED)


@given(failures=FAILURES, brief=st.booleans(), roll=ROLLS)
def test_waits_never_get_shorter(*, failures: int, brief: bool, roll: float) -> None:
    waits = [wait_after(n, brief=brief, roll=roll) for n in (failures, failures + 1)]
    assert waits == sorted(waits)


@given(failures=FAILURES, roll=ROLLS)
def test_what_is_no_brief_failure_is_left_alone_for_twenty_seconds_at_least(
    failures: int, roll: float
) -> None:
    assert wait_after(failures, brief=False, roll=roll) > timedelta(seconds=20)


def test_a_failure_alone_costs_no_time_and_the_next_ones_more_and_more() -> None:
    waits = [wait_after(n, brief=True, roll=0).total_seconds() for n in range(1, 7)]
    assert waits == [0, 0.02, 0.04, 0.08, 0.16, 0.32]


def test_chance_takes_off_up_to_half() -> None:
    waits = [wait_after(9, brief=True, roll=roll).total_seconds() for roll in (0, 0.5, 1)]
    assert waits == [2.56, 1.92, 1.28]
