"""Rounds: when a check is due for a team, on the exercise clock, and until when it can be done.

A round goes from `sent` to `decided`, on two ways: one look that does not accuse the team decides
it, and one that does waits for a second look of another worker. A decided round is closed once
those before it are. Whatever is not decided by its deadline is closed as `missing`.
"""

import hashlib
from datetime import timedelta
from enum import StrEnum

_SPREAD = timedelta(seconds=30)
# What two looks may take beyond their own time: to be noticed, sent, and made by the engine.
_AROUND_LOOKS = timedelta(seconds=20)


class RoundState(StrEnum):
    """Where a round is that is not closed."""

    SENT = "sent"  # somebody is to look
    DOUBTED = "doubted"  # the first look accuses the team: another worker is to look again
    CONFIRMING = "confirming"  # another worker does
    DECIDED = "decided"  # it waits for the rounds before it


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


def deadline_of(
    number: int, *, every: timedelta, offset: timedelta, timeout: timedelta
) -> timedelta:
    """Return until when a round must be decided: two looks after its end.

    So a look that begins in the round, however late, can still be confirmed: where there is more to
    do than can be done, what is done counts.
    """
    return offset + (number + 1) * every + 2 * timeout + _AROUND_LOOKS


def decides(
    state: RoundState, *, accuses: bool, worker: str, first: str | None, again: bool
) -> bool:
    """Tell whether a look by `worker` decides a round whose first look was by `first`.

    `again` says that the worker looks for the second time on purpose, being the only one.
    """
    match state:
        case RoundState.SENT:
            return not accuses
        case RoundState.DOUBTED | RoundState.CONFIRMING:
            return again or worker != first
        case RoundState.DECIDED:
            return False
