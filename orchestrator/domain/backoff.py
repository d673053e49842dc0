"""When a host that ended may be started again: at once, then less and less often. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(seconds=30)
MOST_TRIES = 5
WITHIN = timedelta(minutes=10)


def next_try(tries: Sequence[datetime], now: datetime) -> datetime | None:
    """Return when to try next after these tries, `now` at the earliest for the first.

    `None` when it was tried MOST_TRIES times WITHIN the time before `now`: it would end again.
    """
    recent = [at for at in tries if now - at < WITHIN]
    if len(recent) >= MOST_TRIES:
        return None
    if not recent:
        return now
    doubled: int = 1 << (len(recent) - 1)
    return max(recent) + min(FIRST_WAIT * doubled, LONGEST_WAIT)
