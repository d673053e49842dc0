"""What a text may mean: numbers, times, addresses and lists, as people write them."""

import re
from datetime import UTC, datetime
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
_ZONE = re.compile(r"\s?(?:Z|UTC|GMT)$")
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

    ISO 8601, or the way people write in the region: `23.11.2026 02:05`, `23.11.2026. 2:05:30`.
    """
    text = _ZONE.sub("", " ".join(text.split()).upper())
    day_first = _DAY_FIRST.fullmatch(text)
    try:
        if day_first:
            day, month, year, hour, minute, second = (int(g or 0) for g in day_first.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


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
