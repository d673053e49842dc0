"""Parts of a scenario and their values, as one would say them."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

_LONGEST = 70
_BEFORE = 20
_KIB = 1024
_UNITS = "kmg"
_SIZES = frozenset({"disk", "max", "memory"})


def data_of(item: BaseModel) -> Mapping[str, Any]:
    """Return what is written of a part, by the keys of the language."""
    fields = type(item).model_fields
    return {field.alias or name: getattr(item, name) for name, field in fields.items()}


def both_in_words(old: object, new: object) -> tuple[str, str]:
    """Return both as one would say them; of long texts what they begin to differ with."""
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > _LONGEST:
        pairs = enumerate(zip(old, new, strict=False))
        same = next((n for n, (one, other) in pairs if one != other), min(len(old), len(new)))
        begin = max(old.rfind(" ", 0, max(same - _BEFORE, 0)), 0)
        old, new = (f"…{text[begin:].lstrip()}" if begin else text for text in (old, new))
    return in_words(old), in_words(new)


def in_words(value: object) -> str:
    """Return a value as one would say it, cut to some words."""
    if value is None or value in ((), {}, []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, BaseModel):
        value = {key: inner for key, inner in data_of(value).items() if inner not in (None, (), {})}
    if isinstance(value, Mapping):
        parts = (f"{key} {_in_its_unit(str(key), inner)}" for key, inner in value.items())
        return _cut(", ".join(parts)) or "none"
    if isinstance(value, tuple | list):
        return _cut(", ".join(in_words(inner).strip("“”") for inner in value))
    return f"“{_cut(value)}”" if isinstance(value, str) else _number(value)


def _in_its_unit(key: str, value: object) -> str:
    # A team's `max` is a number of people, and far below any size.
    if key not in _SIZES or not isinstance(value, int) or value < _KIB:
        return in_words(value)
    powers = (power for power in range(len(_UNITS), 0, -1) if value % _KIB**power == 0)
    power = next(powers, 0)
    return f"{value // _KIB**power}{_UNITS[power - 1] if power else ''}"


def _number(value: object) -> str:
    return f"{float(value) * 100:g}%" if isinstance(value, Fraction) else str(value)


def _duration(value: timedelta) -> str:
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [
        f"{n}{unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")) if n
    ]
    return "".join(parts) or "0s"


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
