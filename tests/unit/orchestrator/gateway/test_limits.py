"""What strangers may ask of the gateway."""

from datetime import timedelta

import pytest

from orchestrator.gateway.limits import Guesses, Limits, Lobby

LIMITS = Limits(strangers=3, strangers_per_source=2)


class Stopwatch:
    """Monotonic time that the test sets."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_two_hundred_who_log_in_at_once_may_share_an_address() -> None:
    lobby = Lobby(Limits())
    assert [lobby.admit("a") for _ in range(200)] == [True] * 200
    assert lobby.admit("b"), "and others find a place, too"


def test_a_source_gets_its_places_and_leaves_the_rest_to_others() -> None:
    lobby = Lobby(LIMITS)
    assert [lobby.admit("a") for _ in range(3)] == [True, True, False]
    assert [lobby.admit("b") for _ in range(2)] == [True, False]


def test_a_place_is_free_again_when_somebody_leaves() -> None:
    lobby = Lobby(LIMITS)
    assert lobby.admit("a")
    assert lobby.admit("a")
    lobby.leave("a")
    assert lobby.admit("a")


@pytest.mark.parametrize(
    ("failures", "milliseconds"), [(0, 0), (1, 250), (2, 500), (4, 2000), (5, 4000), (500, 4000)]
)
def test_a_try_waits_longer_the_more_wrong_ones_came_before(
    failures: int, milliseconds: int
) -> None:
    guesses = Guesses(LIMITS)
    for _ in range(failures):
        guesses.failed("ana")
    assert guesses.delay("ana") == timedelta(milliseconds=milliseconds)
    assert guesses.delay("ben") == timedelta()


def test_the_right_password_makes_up_for_wrong_ones() -> None:
    guesses = Guesses(LIMITS)
    guesses.failed("ana")
    guesses.succeeded("ana")
    assert guesses.delay("ana") == timedelta()


def test_wrong_ones_are_forgiven_after_a_while() -> None:
    clock = Stopwatch()
    guesses = Guesses(LIMITS, monotonic=clock)
    guesses.failed("ana")
    clock.seconds = LIMITS.forgiven_after.total_seconds() + 1
    assert guesses.delay("ana") == timedelta()


def test_no_more_than_ten_thousand_accounts_are_remembered() -> None:
    guesses = Guesses(LIMITS)
    for number in range(10_050):
        guesses.failed(f"user{number}")
    assert len(guesses._failures) == 10_000
    assert guesses.delay("user0") == timedelta()
    assert guesses.delay("user10049") > timedelta()


@pytest.mark.parametrize(
    ("open_for", "idle_for", "terminal", "why"),
    [
        (timedelta(hours=9), timedelta(hours=7), True, ""),
        (timedelta(hours=9), timedelta(hours=9), True, "Nothing was typed here for 8 hours"),
        (timedelta(hours=9), timedelta(hours=9), False, ""),
        (timedelta(hours=25), timedelta(), True, "This session was open for 24 hours"),
        (timedelta(hours=25), timedelta(), False, "This session was open for 24 hours"),
    ],
)
def test_sessions_end_after_their_time_and_terminals_when_nobody_types(
    *, open_for: timedelta, idle_for: timedelta, terminal: bool, why: str
) -> None:
    said = Limits().overstayed(open_for=open_for, idle_for=idle_for, terminal=terminal)
    assert said.startswith(why)
    assert bool(said) == bool(why)
