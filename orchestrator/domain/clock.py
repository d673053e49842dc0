"""The exercise's own clock: it runs from start to end and stands still in a pause.

Each team has a clock of its own that follows the exercise's and can be stopped alone: a team that
starts late, or whose machines were repaired, keeps the offset that this gave it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.ids import TeamId


class Tick(StrEnum):
    """What happened to a clock."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    EXTEND = "extend"
    END = "end"


class Stop(StrEnum):
    """Why one team's clock stands while the exercise's runs."""

    PAUSED = "paused"  # somebody stopped it
    WAITING = "waiting"  # its world did not stand yet when the others started
    TIME_UP = "time_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockEvent:
    """A moment at which clocks were touched, in wall time; without a team, everybody's.

    `by` is how much longer an EXTEND lets them run.
    """

    tick: Tick
    at: datetime
    team: TeamId | None = None
    by: timedelta = timedelta()


def elapsed(
    events: Sequence[ClockEvent], now: datetime, *, team: TeamId | None = None
) -> timedelta:
    """Return how long the exercise, or a team in it, had run at `now`; zero before its start.

    `events` are in the order in which they happened. A wall clock that was set back never makes
    the exercise's clock go back: each stretch counts for zero at least.
    """
    total = timedelta()
    since: datetime | None = None
    for at, runs in _turns(events, now, team):
        if runs:
            since = since or at
        elif since is not None:
            total += max(at - since, timedelta())
            since = None
    if since is not None:
        total += max(now - since, timedelta())
    return total


def reached(
    events: Sequence[ClockEvent], after: timedelta, now: datetime, *, team: TeamId | None = None
) -> datetime | None:
    """Return when the exercise, or a team in it, had run for so long; `None` if not by `now`."""
    left = after
    since: datetime | None = None
    for at, runs in (*_turns(events, now, team), (now, False)):
        if since is not None and at - since >= left:
            return since + left
        if runs:
            since = since or at
        elif since is not None:
            left -= max(at - since, timedelta())
            since = None
    return None


def extended(events: Sequence[ClockEvent], *, team: TeamId | None = None) -> timedelta:
    """Return how much longer than planned the exercise, or a team in it, may run."""
    mine = (e for e in events if e.tick is Tick.EXTEND and e.team in {None, team})
    return sum((event.by for event in mine), timedelta())


def _turns(
    events: Sequence[ClockEvent], now: datetime, team: TeamId | None
) -> Iterator[tuple[datetime, bool]]:
    """Yield each moment up to `now` at which something was done, and whether the clock ran on."""
    running, stopped = False, False
    for event in events:
        if event.at > now:
            return
        if event.tick is Tick.EXTEND or event.team not in {None, team}:
            continue
        goes_on = event.tick in {Tick.START, Tick.RESUME}
        if event.team is None:
            running = goes_on
        else:
            stopped = not goes_on
        yield event.at, running and not stopped
