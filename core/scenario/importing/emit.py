"""Plain data as YAML with remarks above its keys, such as our own reader takes it."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.scenario.positions import Place

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_WIDTH = 100
_SHORT = 72
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}

Remarks = Mapping[Place, Sequence[str]]


def emit(data: Mapping[str, Any], remarks: Remarks) -> str:
    """Return a mapping as YAML, each remark as a comment above what it is about."""
    return "\n".join(_mapping(data, remarks, (), 0)) + "\n"


def comment(text: str, indent: int = 0) -> list[str]:
    """Return a text as lines of a comment."""
    clean = "".join(
        c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    start = " " * indent + "# "
    return textwrap.wrap(
        " ".join(clean.split()), _WIDTH, initial_indent=start, subsequent_indent=start
    )


def _mapping(data: Mapping[str, Any], remarks: Remarks, place: Place, indent: int) -> Iterator[str]:
    for key, value in data.items():
        here = (*place, key)
        for remark in remarks.get(here, ()):
            yield from comment(f"TODO: {remark}", indent)
        yield from _item(f"{' ' * indent}{_scalar(key)}:", value, remarks, here, indent)


def _sequence(data: Sequence[Any], remarks: Remarks, place: Place, indent: int) -> Iterator[str]:
    for index, value in enumerate(data):
        here = (*place, index)
        for remark in remarks.get(here, ()):
            yield from comment(f"TODO: {remark}", indent)
        if isinstance(value, Mapping) and value:
            first, *rest = _mapping(value, remarks, here, indent + 2)
            yield f"{' ' * indent}- {first.lstrip()}"
            yield from rest
        else:
            yield from _item(f"{' ' * indent}-", value, remarks, here, indent)


def _item(start: str, value: Any, remarks: Remarks, place: Place, indent: int) -> Iterator[str]:  # noqa: ANN401  # any plain data
    flow = _flow(value)
    if flow is not None:
        yield f"{start} {flow}"
    elif isinstance(value, Mapping):
        yield start
        yield from _mapping(value, remarks, place, indent + 2)
    elif isinstance(value, str):
        yield f"{start} |-"
        for line in value.split("\n"):
            yield f"{' ' * (indent + 2)}{line}".rstrip()
    else:
        yield start
        yield from _sequence(value, remarks, place, indent + 2)


def _flow(value: Any) -> str | None:  # noqa: ANN401  # any plain data
    """Return what fits behind its key, or None when it takes lines of its own."""
    match value:
        case str():
            return None if _is_block(value) else _scalar(value)
        case dict():
            return None if value else "{}"
        case list() if all(isinstance(item, str | int) for item in value):
            line = f"[{', '.join(map(_scalar, value))}]"
            return line if len(line) <= _SHORT else None
        case list():
            return None
        case _:
            return _scalar(value)


def _is_block(text: str) -> bool:
    lines = text.split("\n")
    return (
        len(lines) > 1
        and all(line.isprintable() and line == line.rstrip() for line in lines)
        and bool(lines[-1])
        and bool(lines[0])
        and not lines[0].startswith(" ")
    )


def _scalar(value: str | float | bool | None) -> str:  # noqa: FBT001  # a value of YAML
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return "null" if value is None else repr(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return '"' + "".join(map(_escaped, value)) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004  # the BMP
