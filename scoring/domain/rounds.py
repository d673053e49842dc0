"""Rounds: when a check is due for a team, on the exercise clock."""

import hashlib
from datetime import timedelta

_SPREAD = timedelta(seconds=30)


def current_round(elapsed: timedelta, every: timedelta, offset: timedelta) -> int | None:
    """Return the number of the round that is on at `elapsed`; `None` before the first.

    Round n is on from `offset + n * every` until the next. A pause stops the exercise clock, so
    it stops the rounds with it.
    """
    return (elapsed - offset) // every if elapsed >= offset else None


def offset_of(team: str, check: str, every: timedelta) -> timedelta:
    """Return how long after the start this check of this team begins.

    Spread evenly and always the same, so that a class's checks do not all come in one second; less
    than `every` and less than half a minute, so that a rare check is not a late one too.
    """
    digest = hashlib.sha256(f"{team}/{check}".encode()).digest()
    return min(every, _SPREAD) * int.from_bytes(digest[:2], "big") // 2**16
