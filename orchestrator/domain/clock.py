"""The exercise's own clock: it runs from start to end and stands still in a pause."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Tick(StrEnum):
    """What happened to the clock."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """A moment at which the clock began or ceased to run, in wall time."""

    tick: Tick
    at: datetime


def elapsed(events: Sequence[ClockEvent], now: datetime) -> timedelta:
    """Return how long the exercise had run at `now`, pauses left out; zero before its start.

    `events` are in the order in which they happened. A wall clock that was set back never makes
    the exercise's clock go back: each stretch counts for zero at least.
    """
    total = timedelta()
    running_since: datetime | None = None
    for event in events:
        if event.at > now:
            break
        if event.tick in {Tick.START, Tick.RESUME}:
            running_since = running_since or event.at
        elif running_since is not None:
            total += max(event.at - running_since, timedelta())
            running_since = None
    if running_since is not None:
        total += max(now - running_since, timedelta())
    return total
