"""Values of foreign YAML as what they mean: texts, commands, durations, sizes."""

import math
import re
import shlex

_TRUE = frozenset({"true", "yes", "on", "y", "1"})
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZE = re.compile(
    r"(\d{1,15}(?:\.\d{1,3})?)\s*(b|k|kb|kib|ki|m|mb|mib|mi|g|gb|gib|gi)?", re.IGNORECASE
)
_POWERS = {"b": 0, "k": 10, "m": 20, "g": 30}
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_LAST_PORT = 65_535
_LONGEST_TIME = 999_999
_LONGEST_TEXT = 40
_LARGEST = 999_999_999


def text_of(value: object) -> str | None:
    """Return a scalar as text; None for anything else."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            return None


def is_true(value: object) -> bool:
    """Tell whether a switch is on."""
    return (text_of(value) or "").lower() in _TRUE


def is_off(value: object) -> bool:
    """Tell whether a key says nothing: empty, or a switch that is off."""
    return value in (None, "", (), {}, 0) or (isinstance(value, str) and value.lower() in _OFF)


_OFF = frozenset({"false", "no", "off", "n", "0"})


def words_of(value: object) -> tuple[str, ...] | None:
    """Return a command: a list as it is, a text split as a shell would; None when it is neither."""
    if isinstance(value, tuple):
        words = [text_of(item) for item in value]
        return None if None in words else tuple(w for w in words if w is not None)
    if not isinstance(value, str):
        return None
    try:
        return tuple(shlex.split(value))
    except ValueError:
        return None


def texts_of(value: object) -> tuple[str, ...] | None:
    """Return one text or a list of texts as a list; None when it is neither."""
    if isinstance(value, tuple):
        return words_of(value)
    text = text_of(value)
    return None if text is None else (text,)


def pairs_of(value: object) -> dict[str, str | None] | None:
    """Return a mapping, or a list of `NAME=value`, as pairs; None when it is neither."""
    if isinstance(value, dict):
        return {str(name): text_of(given) for name, given in value.items()}
    if not isinstance(value, tuple):
        return None
    pairs: dict[str, str | None] = {}
    for item in value:
        text = text_of(item)
        if text is None:
            return None
        name, sign, given = text.partition("=")
        pairs[name] = given if sign else None
    return pairs


def duration_of(value: object) -> str | None:
    """Return a time such as `1m30s` or `500ms` as a duration of the language; None otherwise."""
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = float(value)
    else:
        text = value if isinstance(value, str) and len(value) <= _LONGEST_TEXT else ""
        parts = _TIME.findall(text)
        if not parts or "".join(n + u for n, u in parts) != value:
            return None
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    whole = math.ceil(seconds) if math.isfinite(seconds) else 0
    return f"{whole}s" if 0 < whole <= _LONGEST_TIME else None


def size_of(value: object) -> str | None:
    """Return an amount of memory as a size of the language; None otherwise."""
    match = _SIZE.fullmatch(text_of(value) or "")
    if match is None:
        return None
    size = float(match[1]) * (1 << _POWERS[(match[2] or "b")[0].lower()])
    for unit, power in (("m", 20), ("k", 10)):
        whole = math.ceil(size / (1 << power))
        if size >= 1 << power and whole <= _LARGEST:
            return f"{whole}{unit}"
    return None


def cpus_of(value: object) -> float | None:
    """Return a number of processors; None when it is none that the language takes."""
    try:
        cpus = float(text_of(value) or "")
    except ValueError:
        return None
    return cpus if 0 < cpus <= 256 else None  # noqa: PLR2004  # what limits take


def whole_of(value: object, *, least: int = 1, most: int) -> int | None:
    """Return a whole number within limits; None for anything else."""
    text = text_of(value) or ""
    number = int(text) if _WHOLE.fullmatch(text) else -1
    return number if least <= number <= most else None


def port_of(text: str) -> int | None:
    """Return a port, of `8000-8010` the first; None for anything else."""
    return whole_of(text.partition("-")[0], most=_LAST_PORT)
