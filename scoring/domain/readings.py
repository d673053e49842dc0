"""What a text may mean: numbers, times, addresses and lists, as people write them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*", re.ASCII)
_DAY_FIRST = re.compile(
    r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\.?,?\s(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII
)
_ZONE = re.compile(
    r"(?P<time>.*:\d\d(?:[.,]\d+)?)\s?"
    r"(?:(?P<name>[A-Z]{1,4})|(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d\d?)(?::?(?P<minutes>[0-5]\d))?)",
    re.ASCII,
)
_NAMED = {"Z": 0, "UTC": 0, "GMT": 0, "CET": 1, "CEST": 2}
"""Hours that clocks are ahead of UTC, by the names that people of the region write."""
_BETWEEN_ITEMS = (r"[\r\n]+", r"[;\r\n]+", r"[,\r\n]+", r"[,;\s]+")
_BETWEEN_DIGITS = re.compile(r"[\s:]+")


def numbers_in(text: str) -> tuple[Fraction, ...]:
    """Return every number that `text` may mean; nothing when it is none.

    Point and comma both part the decimals, as half of Europe writes one and half the other. So
    `1.000` is read both ways, as one and as a thousand; spaces between digits never count.
    """
    digits = "".join(text.split())
    readings = []
    if _NUMBER.fullmatch(digits):
        readings.append(Fraction(digits.replace(",", ".")))
    if grouped := _THOUSANDS.fullmatch(digits):
        readings.append(Fraction(digits.replace(grouped[1], "")))
    return tuple(readings)


def instant_in(text: str) -> datetime | None:
    """Return the time in `text`, aware; `None` when it is none. Without a zone it is UTC.

    ISO 8601, or the way people write in the region: `23.11.2026 02:05`, `23.11.2026. 2:05:30`. At
    the end of either `Z`, `UTC`, `GMT`, `CET`, `CEST`, or hours ahead: `+01:00`, `+1`, `UTC+1`.
    """
    text = " ".join(text.split()).upper()
    try:
        with_zone = _ZONE.fullmatch(text)
        if with_zone is None:
            read = _moment_in(text)
            return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
        return _moment_in(with_zone["time"]).replace(tzinfo=_zone(with_zone))
    except (ValueError, KeyError):
        return None


def _moment_in(text: str) -> datetime:
    day_first = _DAY_FIRST.fullmatch(text)
    if day_first is None:
        return datetime.fromisoformat(text)
    day, month, year, hour, minute, second = (int(group or 0) for group in day_first.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _zone(found: re.Match[str]) -> timezone:
    if found["name"]:
        return timezone(timedelta(hours=_NAMED[found["name"]]))
    ahead = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return timezone(-ahead if found["sign"] == "-" else ahead)


def address_in(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in `text`; `None` when it is none."""
    try:
        return ip_address(text.strip())
    except ValueError:
        return None


def network_in(text: str) -> IPv4Network | IPv6Network | None:
    """Return the network in `text`, as `10.1.2.0/28` or with a mask; `None` when it is none."""
    try:
        return ip_network("".join(text.split()))
    except ValueError:
        return None


def digest_in(text: str) -> str:
    """Return the hexadecimal digits of `text` in small letters, without what parts them."""
    return _BETWEEN_DIGITS.sub("", text).lower()


def items_in(text: str) -> tuple[tuple[str, ...], ...]:
    """Return every list that `text` may mean, however its items are parted.

    By lines, semicolons, commas or white space: an item may hold those that do not part it.
    """
    readings = (map(str.strip, re.split(between, text)) for between in _BETWEEN_ITEMS)
    return tuple(dict.fromkeys(tuple(item for item in items if item) for items in readings))
