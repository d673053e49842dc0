"""The filters and tests of templates. Nothing else exists there."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from types import MappingProxyType
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context

from core.scenario.fields import parse_duration
from core.scenario.template_world import (
    MAX_ITEMS,
    MAX_TEXT,
    Meter,
    RefusedError,
    bound,
    text_of,
)

METER = "-meter"
"""Where a rendering's meter lies among its facts: not a name in Jinja, so out of its reach."""

_DIRECTIVES = re.compile(r"(?:[^%]|%[-_]?[aAbBdeFHIjklmMpRsSTuyYzZ%])*")


def meter_of(context: Context) -> Meter:
    """Return the meter of the running template."""
    meter: Meter = context.parent[METER]
    return meter


def _counted(make: Callable[..., object]) -> Callable[..., object]:
    @pass_context
    def counted(context: Context, *args: object, **kwargs: object) -> object:
        return meter_of(context).spend(make(*args, **kwargs))

    return counted


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else text_of(value).encode()


def _sha256(value: object) -> str:
    return hashlib.sha256(_bytes(value)).hexdigest()


def _b64(value: object) -> str:
    return base64.b64encode(_bytes(value)).decode()


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise RefusedError(f"{text_of(value)[:40]!r} is not an instant")
    return value


def _time(value: object, form: str, zone: str = "UTC") -> str:
    if not _DIRECTIVES.fullmatch(form):
        raise RefusedError(f"{text_of(form)[:40]!r} is not a time format that is known here")
    local = _instant(value).astimezone(UTC if zone == "UTC" else ZoneInfo(zone))
    if "%s" not in form:
        return local.strftime(form)
    # %s would be the C library's, which takes the machine's zone for the instant's.
    return local.strftime(re.sub(r"(?<!%)((?:%%)*)%s", rf"\g<1>{int(local.timestamp())}", form))


def _shift(value: object, by: str) -> datetime:
    sign = -1 if by.startswith("-") else 1
    return _instant(value) + sign * parse_duration(by.removeprefix("-"))


def _cidr_host(value: object, number: int) -> IPv4Address:
    network = value if isinstance(value, IPv4Network) else IPv4Network(text_of(value))
    return network[number]


def _items(value: object) -> list[object]:
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        raise RefusedError(f"{text_of(value)[:40]!r} is not a list")
    return list(value)


def _join(value: object, between: str = "") -> str:
    parts, size = [], 0
    for item in _items(value):
        parts.append(text_of(item))
        size += len(parts[-1]) + len(between)
        bound(size)
    return between.join(parts)


def _replace(value: object, old: str, new: str) -> str:
    text = text_of(value)
    bound(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _pad(value: object, width: int, *, right: bool) -> str:
    bound(width, MAX_TEXT)
    text = text_of(value)
    return text.rjust(width) if right else text.ljust(width)


def _split(value: object, at: str) -> list[str]:
    return text_of(value).split(at, MAX_ITEMS)


def _length(value: object) -> int:
    return len(text_of(value)) if not isinstance(value, list | tuple) else len(value)


def _int(value: object) -> int:
    return int(value if isinstance(value, float) else text_of(value))


def _round(value: object, digits: int = 0) -> float:
    if not isinstance(value, int | float):
        raise RefusedError(f"{text_of(value)[:40]!r} is not a number")
    return round(value, min(digits, 15))


def _item(value: object) -> object:
    if isinstance(value, list | tuple):
        raise RefusedError("a list cannot be put into another list")
    return value


@pass_context
def _turns(context: Context, value: object) -> object:
    return meter_of(context).turns(_items(value))


FILTERS: Mapping[str, Callable[..., object]] = MappingProxyType(
    {
        "-item": _counted(_item),
        "-spent": _counted(lambda value: value),
        "-turns": _turns,
        "b64": _counted(_b64),
        "cidr_host": _counted(_cidr_host),
        "first": _counted(lambda value: _items(value)[0]),
        "int": _counted(_int),
        "join": _counted(_join),
        "last": _counted(lambda value: _items(value)[-1]),
        "length": _counted(_length),
        "ljust": _counted(lambda value, width: _pad(value, width, right=False)),
        "lower": _counted(lambda value: text_of(value).lower()),
        "replace": _counted(_replace),
        "rjust": _counted(lambda value, width: _pad(value, width, right=True)),
        "round": _counted(_round),
        "sha256": _counted(_sha256),
        "shift": _counted(_shift),
        "split": _counted(_split),
        "time": _counted(_time),
        "trim": _counted(lambda value: text_of(value).strip()),
        "upper": _counted(lambda value: text_of(value).upper()),
    }
)
TESTS: Mapping[str, Callable[..., bool]] = MappingProxyType(
    {
        "even": lambda value: value % 2 == 0,
        "odd": lambda value: value % 2 == 1,
        "divisibleby": lambda value, by: value % by == 0,
    }
)


def limited_range(*bounds: int) -> range:
    """Return Python's range; raise RefusedError when it has more items than a list may have."""
    numbers = range(*bounds)
    bound(len(numbers), MAX_ITEMS)
    return numbers
