"""Rounds of an attack-defence exercise: the same for every team, on the exercise's clock."""

from datetime import timedelta


def round_at(elapsed: timedelta, every: timedelta) -> int:
    """Return the number of the round that is on, from 1. A pause stops the clock, and the rounds.

    Round n is on from `(n - 1) * every` until `ends_at(n)`.
    """
    return elapsed // every + 1


def ends_at(number: int, every: timedelta) -> timedelta:
    """Return when a round is over: its deadline, in exercise time."""
    return number * every


def is_alive(issued: int, now: int, lives: int) -> bool:
    """Tell whether a flag of round `issued` may still be taken in round `now`.

    It may in `lives` rounds, its own among them.
    """
    return now - issued < lives
