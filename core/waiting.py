"""Waiting with a name, a deadline and a helpful end. Nothing else in the program sleeps."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from core.errors import Fault, PoligonError


class WaitedTooLongError(PoligonError):
    """What was waited for did not come true within its time."""

    code = "wait.too_long"
    fault = Fault.UPSTREAM

    def __init__(self, *, what: str, within: timedelta, last: str = "") -> None:
        seen = f"; last seen: {last}" if last else ""
        super().__init__(f"{what} did not happen within {within.total_seconds():g} s{seen}")
        self.what = what
        self.within = within
        self.last = last


def until(
    is_true: Callable[[], bool],
    *,
    what: str,
    within: timedelta,
    every: timedelta = timedelta(milliseconds=100),
    first: timedelta | None = None,
    last_seen: Callable[[], str] = str,
) -> None:
    """Return as soon as `is_true()`; it is asked at once and then `every` so often.

    With `first`, the pauses begin there and double until they are as long as `every`. Raises
    WaitedTooLongError after `within`, with what `last_seen()` tells.
    """
    deadline = time.monotonic() + within.total_seconds()
    wait = first or every
    while not is_true():
        left = deadline - time.monotonic()
        if left <= 0:
            raise WaitedTooLongError(what=what, within=within, last=last_seen())
        pause(min(wait.total_seconds(), left))
        wait = min(2 * wait, every)


def pause(seconds: float, *, interrupted_by: threading.Event | None = None) -> bool:
    """Wait `seconds`, or less when the event is set; return whether it was."""
    return (interrupted_by or threading.Event()).wait(seconds)
