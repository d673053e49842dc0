"""Every key of the language in Markdown, from its JSON Schema."""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

_Schema = Mapping[str, Any]

_WIDTH = 100
_HEAD = """\
# Every key of the scenario language

Made from the program's own types by `./dev reference`; what they mean together is told in
[the scenario language](scenario-language.md). An editor completes and explains the same from
[scenario.schema.json](scenario.schema.json).

A key that is not here is an error, unless it begins with `x-`. What is not required may be left
out. Text may hold `{{ }}` unless it is plain text.
"""
_TYPES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "number": "number",
    "object": "mapping",
    "string": "text",
}
_CHOICES = {"oneOf": "Exactly one of", "anyOf": "At least one of"}
_LONG_TEXT = 20_000
_GLUE = "\N{NO-BREAK SPACE}"  # holds a link together until the lines are filled


def reference(schema: _Schema) -> str:
    """Return the page: a section for each key of the file, with the parts that it is made of."""
    parts = schema["$defs"]
    told: set[str] = set()
    blocks = [_HEAD, "## The file", *_rules(schema), *_keys(schema, parts)]
    for key, section in schema["properties"].items():
        names = [name for name in _parts_below(section, parts) if name not in told]
        told.update(names)
        if names:
            blocks += [f"## `{key}`", _paragraph(section["description"])]
        for name in names:
            blocks += [f"### {_title(name)}", *_about(parts[name], parts)]
    blocks += ["## How types are written", *_forms(schema)]
    page = "\n\n".join(block.strip("\n") for block in blocks) + "\n"
    return page.replace(_GLUE, " ")


def _about(part: _Schema, parts: _Schema) -> Iterator[str]:
    for paragraph in part["description"].split("\n\n"):
        yield _paragraph(paragraph)
    yield from _rules(part)
    yield from _keys(part, parts)


def _rules(part: _Schema) -> Iterator[str]:
    said = []
    for rule in part.get("allOf", ()):
        for how, words in _CHOICES.items():
            if how in rule:
                keys = [f"`{key}`" for choice in rule[how] for key in choice["required"]]
                said.append(f"{words} {', '.join(keys)}.")
        for key, (other,) in rule.get("dependentRequired", {}).items():
            said.append(f"`{key}` needs `{other}`.")
    if said:
        yield _paragraph(" ".join(said))


def _keys(part: _Schema, parts: _Schema) -> Iterator[str]:
    required = part.get("required", ())
    lines = [
        _item(f"`{key}`{', required' if key in required else ''}: {_told(field, parts)}")
        for key, field in part["properties"].items()
    ]
    yield "\n".join(lines)


def _told(field: _Schema, parts: _Schema) -> str:
    default = field.get("default")
    otherwise = "" if default is None else f"; left out: `{json.dumps(default)}`"
    # Pydantic leaves out what a part would say in the same words.
    meaning = field.get("description") or parts[_name(field)]["description"]
    return f"{_kind(field)}{otherwise}. {meaning}"


def _kind(node: _Schema) -> str:
    """Return what may be written, in words."""
    if "$ref" in node:
        return _link(_name(node))
    if "title" in node:
        return f"{node['title']}{_bounds(node)}"
    if "const" in node:
        return f"`{json.dumps(node['const'])}`"
    if "enum" in node:
        return f"one of {', '.join(f'`{word}`' for word in node['enum'])}"
    for alternatives in (node.get("oneOf"), node.get("anyOf")):
        if alternatives:
            return " or ".join(map(_kind, alternatives))
    return f"{_structure(node)}{_bounds(node)}"


def _structure(node: _Schema) -> str:
    if "prefixItems" in node:
        return f"list of {len(node['prefixItems'])}: {_kind(node['prefixItems'][0])} each"
    if "items" in node:
        return f"list, each {_kind(node['items'])}"
    if "patternProperties" in node:
        ((pattern, value),) = node["patternProperties"].items()
        numbers = re.match(pattern, "0") and not re.match(pattern, "a")
        keys = "numbers" if numbers else "names"
        return f"mapping of {keys} to {_kind(value)}"
    if "pattern" in node:
        return f"text of the form `{node['pattern']}`"
    return _TYPES.get(node.get("type", ""), "anything")


def _bounds(node: _Schema) -> str:
    if "prefixItems" in node or node.get("title") == "command":
        return ""
    said = []
    low, high = node.get("minimum"), node.get("maximum")
    if "exclusiveMinimum" in node:
        said.append(f"above {node['exclusiveMinimum']}")
    if low is not None and high is not None:
        said.append(f"{low} to {high}")
    elif low is not None or high is not None:
        said.append(f"from {low}" if high is None else f"up to {high}")
    longest = node.get("maxLength", _LONG_TEXT)
    if longest < _LONG_TEXT:
        said.append(f"at most {longest} characters")
    for thing in ("Items", "Properties"):
        said += [f"at least {node[f'min{thing}']}"] if f"min{thing}" in node else []
        said += [f"at most {node[f'max{thing}']}"] if f"max{thing}" in node else []
    return "".join(f", {bound}" for bound in said)


def _forms(schema: _Schema) -> Iterator[str]:
    found = {node["title"]: node for node in _nodes(schema) if "title" in node and "type" in node}
    lines = []
    for title in sorted(found):
        node = found[title]
        written = ", ".join(f"`{example}`" for example in node.get("examples", ()))
        form = f"`{node['pattern']}`" if "pattern" in node else ""
        if written or form:
            lines.append(_item(f"{title}: {'; '.join(filter(None, (written, form)))}"))
    yield "\n".join(lines)


def _nodes(node: Any) -> Iterator[_Schema]:  # noqa: ANN401  # any JSON
    if isinstance(node, dict):
        if "type" in node and isinstance(node["type"], str):
            yield node
        for below in node.values():
            yield from _nodes(below)
    elif isinstance(node, list):
        for below in node:
            yield from _nodes(below)


def _parts_below(node: Any, parts: _Schema) -> Iterator[str]:  # noqa: ANN401  # any JSON
    """Yield the names of the parts that a node is made of, each once, the outer ones first."""
    seen: dict[str, None] = {}
    waiting = [node]
    while waiting:
        now = waiting.pop(0)
        refs = [_name(ref) for ref in _refs(now)]
        for name in refs:
            if name not in seen:
                seen[name] = None
                waiting.append(parts[name])
    yield from seen


def _refs(node: Any) -> Iterator[_Schema]:  # noqa: ANN401  # any JSON
    if isinstance(node, dict):
        if "$ref" in node:
            yield node
        for below in node.values():
            yield from _refs(below)
    elif isinstance(node, list):
        for below in node:
            yield from _refs(below)


def _name(ref: _Schema) -> str:
    return str(ref["$ref"]).rpartition("/")[2]


def _title(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()


def _link(name: str) -> str:
    title = _title(name).lower()
    return f"[{title.replace(' ', _GLUE)}](#{title.replace(' ', '-')})"


def _paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), _WIDTH, break_long_words=False)


def _item(text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
