"""One table from fault to HTTP status, and one to exit code; nothing falls through either."""

from datetime import timedelta

import pytest

from api.cli.output import EXITS, Exit, exit_of
from api.errors import BodyTooLargeError, NotLoggedInError, TooManyLoginsError
from api.problems import STATUS, TITLES, problem_of, status_of
from core.errors import Fault, PoligonError
from core.users.model import LoginRefusedError
from core.waiting import WaitedTooLongError
from orchestrator.domain.phases import IllegalMoveError, Phase


@pytest.mark.parametrize("fault", Fault)
def test_every_fault_has_a_status_a_title_and_an_exit_code(fault: Fault) -> None:
    assert 400 <= STATUS[fault] < 600
    assert TITLES[fault]
    assert EXITS[fault] not in {Exit.OK, Exit.PARTIAL, Exit.INTERRUPTED}


def test_a_fault_of_the_caller_is_a_4xx_and_one_of_ours_a_5xx() -> None:
    ours = {fault for fault, status in STATUS.items() if status >= 500}
    assert ours == {Fault.UPSTREAM, Fault.BUG}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotLoggedInError(), 401),
        (LoginRefusedError("x"), 401),
        (TooManyLoginsError("x", seconds=3), 429),
        (BodyTooLargeError("x"), 413),
        (IllegalMoveError(current=Phase.READY, wanted=Phase.PAUSED), 409),
        (PoligonError("x"), 500),
    ],
)
def test_http_has_words_of_its_own_for_some(error: PoligonError, status: int) -> None:
    assert status_of(error) == status == problem_of(error).status


def test_a_problem_says_what_is_and_what_to_do_next() -> None:
    problem = problem_of(IllegalMoveError(current=Phase.READY, wanted=Phase.PAUSED))
    assert problem.code == "exercise.illegal_move"
    assert problem.type == "urn:cyberpoligon:problem:exercise.illegal_move"
    assert problem.detail == "the exercise is ready; it cannot become paused"
    assert problem.hint.startswith("From ready it can become")


def test_exit_codes_are_the_documented_ones() -> None:
    late = WaitedTooLongError(what="building", within=timedelta(seconds=1))
    assert exit_of(late) == 7
    assert {fault: int(code) for fault, code in EXITS.items()} == {
        Fault.INPUT: 2,
        Fault.MISSING: 3,
        Fault.DENIED: 4,
        Fault.CONFLICT: 5,
        Fault.UPSTREAM: 1,
        Fault.BUG: 1,
    }
