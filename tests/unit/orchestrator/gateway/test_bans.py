"""The second line against guessing."""

from datetime import timedelta

import pytest

from orchestrator.gateway.bans import Bans
from orchestrator.gateway.limits import Limits
from tests.fakes.clock import FakeClock

LIMITS = Limits(ban_failures=10, ban_accounts=4)
ROOM = "192.0.2.7"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bans(clock: FakeClock) -> Bans:
    return Bans(LIMITS, clock)


def guess(bans: Bans, tries: int, *, accounts: int) -> list[bool]:
    return [bans.failed(ROOM, f"user{number % accounts}") for number in range(tries)]


def test_many_failures_of_many_accounts_ban_the_address_for_some_minutes(
    bans: Bans, clock: FakeClock
) -> None:
    assert guess(bans, 9, accounts=4) == [False] * 9
    assert bans.until(ROOM) is None
    assert guess(bans, 1, accounts=4) == [True]
    assert bans.until(ROOM) == clock.now() + LIMITS.ban_time
    assert bans.now() == {ROOM: clock.now() + LIMITS.ban_time}
    clock.advance(LIMITS.ban_time)
    assert bans.until(ROOM) is None
    assert bans.now() == {}


def test_another_address_is_not_banned(bans: Bans) -> None:
    guess(bans, 10, accounts=4)
    assert bans.until("192.0.2.8") is None


def test_any_number_of_failures_of_few_accounts_bans_nobody_elses_address(bans: Bans) -> None:
    assert not any(guess(bans, 100, accounts=3))
    assert bans.until(ROOM) is None


def test_who_gets_in_halves_the_count(bans: Bans) -> None:
    guess(bans, 9, accounts=4)
    bans.succeeded(ROOM)
    assert guess(bans, 5, accounts=4) == [False] * 5
    assert guess(bans, 1, accounts=4) == [True]


def test_failures_are_forgiven_after_a_while(bans: Bans, clock: FakeClock) -> None:
    guess(bans, 9, accounts=4)
    clock.advance(LIMITS.forgiven_after + timedelta(seconds=1))
    assert guess(bans, 1, accounts=4) == [False]


def test_forty_people_who_mistype_twice_are_not_banned() -> None:
    bans = Bans(Limits(), FakeClock())
    for number in range(40):
        assert not bans.failed(ROOM, f"user{number}")
        assert not bans.failed(ROOM, f"user{number}")
        bans.succeeded(ROOM)
    assert bans.until(ROOM) is None
