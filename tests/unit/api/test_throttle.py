"""Guesses are counted by account, then by address; right passwords never are."""

from datetime import timedelta

import pytest

from api.errors import TooManyLoginsError
from api.throttle import LoginThrottle
from core.users.model import LoginRefusedError
from tests.fakes.clock import FakeClock


def fail(throttle: LoginThrottle, account: str, address: str = "a") -> None:
    with pytest.raises(LoginRefusedError), throttle.attempt(account=account, address=address):
        raise LoginRefusedError("no")


def passes(throttle: LoginThrottle, account: str, address: str = "a") -> bool:
    try:
        with throttle.attempt(account=account, address=address):
            return True
    except TooManyLoginsError:
        return False


def test_ten_wrong_passwords_close_an_account_for_five_minutes() -> None:
    clock = FakeClock()
    throttle = LoginThrottle(clock)
    for _ in range(10):
        assert passes(throttle, "ana")
        fail(throttle, "ana")
    assert not passes(throttle, "ana", "elsewhere")
    assert passes(throttle, "besnik")
    clock.advance(timedelta(minutes=5))
    assert passes(throttle, "ana")


def test_a_right_password_is_never_counted() -> None:
    throttle = LoginThrottle(FakeClock())
    assert all(passes(throttle, "ana") for _ in range(1000))


def test_an_address_that_tries_many_accounts_is_stopped_generously_late() -> None:
    throttle = LoginThrottle(FakeClock())
    for number in range(400):
        fail(throttle, f"u{number}", "room")
    assert not passes(throttle, "ana", "room")
    assert passes(throttle, "ana", "other room")


def test_attempts_at_the_same_time_count_together() -> None:
    throttle = LoginThrottle(FakeClock())
    under_way = [throttle.attempt(account="ana", address="a") for _ in range(10)]
    for attempt in under_way:
        attempt.__enter__()
    assert not passes(throttle, "ana")
    for attempt in under_way:
        attempt.__exit__(None, None, None)
    assert passes(throttle, "ana")


def test_the_wait_that_is_told_is_long_enough() -> None:
    clock = FakeClock()
    throttle = LoginThrottle(clock)
    for _ in range(10):
        fail(throttle, "ana")
    clock.advance(timedelta(minutes=2))
    with pytest.raises(TooManyLoginsError) as refused, throttle.attempt(account="ana", address="a"):
        pytest.fail("it was let through")
    clock.advance(timedelta(seconds=refused.value.seconds))
    assert passes(throttle, "ana")


def test_logins_that_succeed_leave_nothing_to_remember() -> None:
    throttle = LoginThrottle(FakeClock())
    assert all(passes(throttle, f"trainee-{n}") for n in range(100))
    assert not throttle._wrong._taken
