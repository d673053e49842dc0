"""What pydantic says about a scenario, in the words and at the places of its author."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import Tag, ValidationError

from core.scenario import schema_answers
from core.scenario.fields import ID_PATTERN, Part
from core.scenario.generators.registry import GENERATORS
from core.scenario.positions import Finding, Place
from core.scenario.schema import Scenario
from core.scenario.schema_site import NEVER, SiteOptions

_Details = Mapping[str, Any]  # pydantic's ErrorDetails, which it does not export

_SHOWN = 60
_MOST = 200


def suggestion(word: object, known: Iterable[object]) -> str:
    """Return ` (did you mean x?)` for the nearest known word, or nothing."""
    near = get_close_matches(str(word)[:_SHOWN], list(map(str, known)), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def findings_of(error: ValidationError, data: object, root: type[Part] = Scenario) -> list[Finding]:
    """Return one finding for each error, at its place in `data`, a `root`; at most 200."""
    return [_finding(e, data, root) for e in error.errors(include_url=False)[:_MOST]]


def _finding(error: _Details, data: object, root: type[Part]) -> Finding:
    loc = error["loc"]
    at_key = error["type"] == "extra_forbidden" or loc[-1:] == ("[key]",)
    return Finding(message=_sentence(error, data, root), place=_place(loc, data), at_key=at_key)


def _place(loc: Place, data: object) -> Place:
    """Drop from pydantic's path the tags of unions, which are not in the file."""
    place: list[str | int] = []
    node = data
    for step in loc:
        below = _below(node, step)
        if below is not None:
            node = below[0]
            place.append(step)
    return tuple(place)


def _below(node: object, step: str | int) -> tuple[object] | None:
    if isinstance(node, dict) and step in node:
        return (node[step],)
    if isinstance(node, tuple) and isinstance(step, int) and step < len(node):
        return (node[step],)
    return None


def _sentence(error: _Details, data: object, root: type[Part]) -> str:
    if _place(error["loc"], data) == ("language",):
        return f"this file is in language {_shown(error['input'])}; this program reads language 1"
    if error["type"] == "extra_forbidden":
        return _unknown_key(error, data, root)
    say = _SENTENCES.get(error["type"])
    return say(error) if say else error["msg"][:1].lower() + error["msg"][1:]


def _shown(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case tuple():
            return "a list"
        case bool():
            return str(value).lower()
        case _:
            text = repr(value)
            return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _wanted(what: str) -> Callable[[_Details], str]:
    return lambda error: f"{what} is wanted here, not {_shown(error['input'])}"


def _unknown_key(error: _Details, data: object, root: type[Part]) -> str:
    *steps, key = error["loc"]
    part = _part_at(root, tuple(steps)) or _parameters_at(tuple(steps), data)
    if key in NEVER and part is not None and issubclass(part, SiteOptions):
        return f"{key} is not for a scenario to ask: {NEVER[key]}"
    known = [f.alias or n for n, f in part.model_fields.items()] if part else []
    return f"unknown key {_shown(key)}{suggestion(key, known)}"


def _not_one_of(error: _Details) -> str:
    context = error["ctx"]
    known = str(context.get("expected_tags", context.get("expected"))).replace("'", "")
    words = known.replace(" or ", ", ").split(", ")
    tried = context.get("tag", error["input"])
    return f"{_shown(tried)} is not one of {', '.join(words)}{suggestion(tried, words)}"


def _no_kind(error: _Details) -> str:
    if isinstance(error["input"], dict):
        return "type is missing"
    return f"a mapping is wanted here, not {_shown(error['input'])}"


def _pattern(error: _Details) -> str:
    if error["ctx"]["pattern"] == ID_PATTERN:
        return (
            f"{_shown(error['input'])} is not an id: a small letter, "
            "then up to 40 small letters, digits, _ or -"
        )
    return f"{_shown(error['input'])} does not have the form {error['ctx']['pattern']}"


_SENTENCES: MappingProxyType[str, Callable[[_Details], str]] = MappingProxyType(
    {
        "bool_type": _wanted("true or false"),
        "dict_type": _wanted("a mapping"),
        "float_type": _wanted("a number"),
        "int_type": _wanted("a whole number"),
        "literal_error": _not_one_of,
        "mapping_type": _wanted("a mapping"),
        "missing": lambda error: f"{error['loc'][-1]} is missing",
        "model_attributes_type": _wanted("a mapping"),
        "model_type": _wanted("a mapping"),
        "string_pattern_mismatch": _pattern,
        "string_type": _wanted("text (in quotes if it looks like a number)"),
        "tuple_type": _wanted("a list"),
        "union_tag_invalid": _not_one_of,
        "union_tag_not_found": _no_kind,
        "value_error": lambda error: str(error["ctx"]["error"]),
    }
)


def _part_at(annotation: Any, steps: Place) -> type[Part] | None:  # noqa: ANN401  # any annotation
    """Return the class of the mapping that pydantic's path leads to."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _part_at(args[0], steps)
    if origin in {Union, UnionType}:
        return _member_at([a for a in args if a is not NoneType], steps)
    if isinstance(annotation, type) and issubclass(annotation, Part):
        if not steps:
            return annotation
        fields = {f.alias or n: f.annotation for n, f in annotation.model_fields.items()}
        return _part_at(fields[str(steps[0])], steps[1:]) if steps[0] in fields else None
    if args and steps:
        below = args[0] if origin is tuple else args[-1]
        if isinstance(below, str):  # only answers hold their like
            below = getattr(schema_answers, below)
        return _part_at(below, steps[1:])
    return None


def _parameters_at(steps: Place, data: object) -> type[Part] | None:
    """Return the class of the mapping that a path below `with` leads to: its generator decides."""
    if "with" not in steps:
        return None
    above, below = steps[: steps.index("with")], steps[steps.index("with") + 1 :]
    for step in above:
        found = _below(data, step)
        data = found[0] if found else None
    name = data.get("generate") if isinstance(data, dict) else None
    generator = GENERATORS.get(str(name))
    return _part_at(generator.parameters, below) if generator is not None else None


def _member_at(members: list[Any], steps: Place) -> type[Part] | None:
    for member in members:
        if steps and _tag(member) == steps[0]:
            return _part_at(member, steps[1:])
    found = (_part_at(member, steps) for member in members)
    return next((part for part in found if part), None)


def _tag(member: Any) -> object:  # noqa: ANN401  # any annotation
    if get_origin(member) is Annotated:
        return next((m.tag for m in get_args(member) if isinstance(m, Tag)), None)
    field = getattr(member, "model_fields", {}).get("type")
    values = get_args(field.annotation) if field is not None else ()
    return values[0] if values else None
