"""When things happen in an office: by day, and in the quiet of the night."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from core.scenario.generators.dice import Dice
from core.scenario.generators.parameters import Noise

_OPENS, _CLOSES = 7 * 3600, 17 * 3600
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

AMOUNT: dict[Noise, int] = {"none": 0, "low": 1, "medium": 3, "high": 8}
"""What a rate is multiplied with at each level of noise."""


def working_times(
    dice: Dice, since: datetime, until: datetime, *, a_day: int
) -> Iterator[datetime]:
    """Yield times between two, in order, so many a day, in working hours of UTC."""
    day = midnight(since)
    while day <= until:
        times = sorted(day + dice.seconds(_OPENS, _CLOSES) for _ in range(a_day))
        yield from (at for at in times if since <= at <= until)
        day += timedelta(days=1)


def round_the_clock(
    dice: Dice, since: datetime, until: datetime, *, a_day: int
) -> Iterator[datetime]:
    """Yield times between two, in order, so many a day, by day and night."""
    day = midnight(since)
    while day <= until:
        times = sorted(day + dice.seconds(0, 86_399) for _ in range(a_day))
        yield from (at for at in times if since <= at <= until)
        day += timedelta(days=1)


def midnight(at: datetime) -> datetime:
    """Return when the day of `at` began."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def month(at: datetime) -> str:
    """Return `Nov`, whatever language this machine speaks."""
    return _MONTHS[at.month - 1]


def syslog_stamp(at: datetime) -> str:
    """Return `Nov  2 01:40:26`, as syslog has always written it."""
    return f"{month(at)} {at.day:2d} {at:%H:%M:%S}"
