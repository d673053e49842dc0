import itertools

import pytest

from scoring.domain.attempts import AnswerVerdict, Decision, decide


@pytest.mark.parametrize(
    ("right", "foreign", "verdict"),
    [
        (True, False, AnswerVerdict.CORRECT),
        (False, False, AnswerVerdict.WRONG),
        (False, True, AnswerVerdict.FOREIGN),
    ],
)
def test_a_judged_answer_uses_an_attempt(
    *, right: bool, foreign: bool, verdict: AnswerVerdict
) -> None:
    decision = decide(right=right, foreign=foreign, solved=False, used=2, allowed=3)
    assert decision == Decision(verdict=verdict, attempt=3, attempts_left=0)


def test_without_a_limit_attempts_are_counted_and_none_is_the_last() -> None:
    decision = decide(right=False, foreign=False, solved=False, used=1000, allowed=None)
    assert decision == Decision(verdict=AnswerVerdict.WRONG, attempt=1001, attempts_left=None)


@pytest.mark.parametrize(("right", "foreign"), list(itertools.product((True, False), repeat=2)))
def test_after_a_solve_and_after_the_last_attempt_nothing_is_judged(
    *, right: bool, foreign: bool
) -> None:
    done = decide(right=right, foreign=foreign, solved=True, used=3, allowed=3)
    spent = decide(right=right, foreign=foreign, solved=False, used=3, allowed=3)
    assert (done.verdict, done.attempt) == (AnswerVerdict.ALREADY, None)
    assert (spent.verdict, spent.attempt) == (AnswerVerdict.NO_ATTEMPTS_LEFT, None)


def test_only_foreign_is_told_as_something_else() -> None:
    told = {verdict: verdict.told for verdict in AnswerVerdict}
    assert told.pop(AnswerVerdict.FOREIGN) is AnswerVerdict.WRONG
    assert all(verdict is what for verdict, what in told.items())
