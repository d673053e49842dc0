"""What people are told of a generator's parameters."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from operator import itemgetter
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from core.scenario.generators.parameters import Kind, OfficeParameters, Parameters

_PLAIN = {bool: "true or false", int: "whole number", str: "text"}
_UNITS = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A parameter: its key, what it takes, what it is when left out, and what it is for."""

    name: str
    type: str
    required: bool
    default: str | None
    text: str


def described(kind: type[Parameters]) -> tuple[Described, ...]:
    """Return the parameters of a class: the required ones, its own, then those of every office."""
    found = [
        (not field.is_required(), name in OfficeParameters.model_fields, _described(name, field))
        for name, field in kind.model_fields.items()
    ]
    return tuple(one for *_, one in sorted(found, key=itemgetter(0, 1)))


def _described(name: str, field: FieldInfo) -> Described:
    return Described(
        name=field.alias or name,
        type=_type(field.annotation, field.metadata),
        required=field.is_required(),
        default=None if field.is_required() else _written(field.default),
        text=field.description or "",
    )


def _type(annotation: Any, metadata: list[Any]) -> str:  # noqa: ANN401  # any annotation
    if hasattr(annotation, "__metadata__"):  # Annotated, inside of something else
        return _type(annotation.__origin__, [*metadata, *annotation.__metadata__])
    told = next((one.text for one in metadata if isinstance(one, Kind)), None)
    return told or _plain_type(annotation, metadata)


def _plain_type(annotation: Any, metadata: list[Any]) -> str:  # noqa: ANN401  # any annotation
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return _type(next(a for a in args if a is not NoneType), [])
    if origin is Literal:
        return " | ".join(args)
    if origin is tuple:
        return f"[{_type(args[0], [])}, …]"
    if isinstance(annotation, type) and issubclass(annotation, Parameters):
        keys = (f"{d.name}{'' if d.required else '?'}" for d in described(annotation))
        return "{" + ", ".join(keys) + "}"
    return _PLAIN[annotation] + _bounds(metadata)


def _bounds(metadata: list[Any]) -> str:
    found = {key: _bound(key, metadata) for key in ("ge", "le")}
    return f" {found['ge']} to {found['le']}" if None not in found.values() else ""


def _bound(key: str, metadata: list[Any]) -> object:
    return next((getattr(one, key) for one in metadata if hasattr(one, key)), None)


def _written(value: object) -> str | None:
    match value:
        case None:
            return None
        case ():
            return "[]"
        case timedelta():
            seconds, text = int(value.total_seconds()), ""
            for size, unit in _UNITS:
                count, seconds = divmod(seconds, size)
                text += f"{count}{unit}" if count else ""
            return text
        case Fraction():
            return f"{float(value * 100):g}%"
        case _:
            return str(value)
