"""Variables of compose files: `${NAME:-default}` in texts, and files of `NAME=value` lines."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.scenario.importing.texts import has_controls
from core.scenario.yaml_reader import MAX_BYTES

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST = 8
_LONGEST = 64 << 10
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:[=:](.*))?", re.DOTALL)
_IN_QUOTES = re.compile(r"\\([nrt\"\\$])")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}


class VariableError(Exception):
    """A text cannot be filled in; the message is a sentence."""


@dataclass(slots=True)
class Variables:
    """Fills in texts; `unset` collects the names that had no value and no default."""

    values: Mapping[str, str]
    unset: set[str] = field(default_factory=set)
    _made: int = 0

    def fill(self, text: str) -> str:
        """Return a text with its variables filled in, `$$` as `$`. Raises VariableError."""
        if "$" not in text:
            return text
        if len(text) > _LONGEST:
            raise VariableError("it is longer than 64 KiB, and holds variables")
        return self._fill(text, 0)

    def _fill(self, text: str, depth: int) -> str:
        if depth > _DEEPEST:
            raise VariableError("its variables are nested too deeply")
        parts: list[str] = []
        position = 0
        while (dollar := text.find("$", position)) >= 0:
            parts.append(text[position:dollar])
            value, position = self._one(text, dollar + 1, depth)
            parts.append(value)
            self._made += len(value)
            if self._made > MAX_BYTES:
                raise VariableError("the variables of all texts make more than 1 MiB")
        return "".join([*parts, text[position:]])

    def _one(self, text: str, start: int, depth: int) -> tuple[str, int]:
        if text.startswith("$", start):
            return "$", start + 1
        if text.startswith("{", start):
            end = _closing(text, start)
            return self._braced(text[start + 1 : end], depth), end + 1
        name = _NAME.match(text, start)
        if name is None:
            raise VariableError("a single $ stands in it; write $$ for the character")
        return self._value(name[0]), name.end()

    def _braced(self, inner: str, depth: int) -> str:
        name = _NAME.match(inner)
        rest = inner[name.end() :] if name else ""
        operator = next((o for o in _OPERATORS if rest.startswith(o)), "")
        if name is None or (rest and not operator):
            raise VariableError(f"${{{inner[:40]}}} is not a variable")
        if not rest:
            return self._value(name[0])
        value = self.values.get(name[0])
        given = bool(value) if operator.startswith(":") else value is not None
        word = rest[len(operator) :]
        if operator.endswith("+"):
            return self._fill(word, depth + 1) if given else ""
        if given:
            return value or ""
        if operator.endswith("?"):
            raise VariableError(f"the variable {name[0]} must be set, and no .env file sets it")
        return self._fill(word, depth + 1)

    def _value(self, name: str) -> str:
        if name not in self.values:
            self.unset.add(name)
        return self.values.get(name, "")


def _closing(text: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise VariableError("a ${ has no } after it")


def filled(
    node: object, variables: Variables, failed: Callable[[tuple[str | int, ...], str], None]
) -> object:
    """Return plain data with every text filled in; `failed` is told what could not be."""
    return _filled(node, variables, failed, ())


def _filled(
    node: object,
    variables: Variables,
    failed: Callable[[tuple[str | int, ...], str], None],
    place: tuple[str | int, ...],
) -> object:
    match node:
        case dict():
            return {k: _filled(v, variables, failed, (*place, k)) for k, v in node.items()}
        case tuple():
            return tuple(_filled(v, variables, failed, (*place, i)) for i, v in enumerate(node))
        case str():
            try:
                return variables.fill(node)
            except VariableError as error:
                failed(place, str(error))
                return ""
        case _:
            return node


def parse_env_file(text: str) -> dict[str, str | None]:
    """Return what a file of `NAME=value` or `NAME: value` lines sets; None where no value is.

    Raises VariableError with the line that is none. A value in quotes stays on its line.
    """
    found: dict[str, str | None] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line)
        if match is None or has_controls(line):
            raise VariableError(f"line {number} is not like NAME=value")
        found[match[1]] = None if match[2] is None else _unquoted(match[2].strip())
    return found


def _unquoted(value: str) -> str:
    if value[:1] == "'" and value.find("'", 1) > 0:
        return value[1 : value.find("'", 1)]
    if value[:1] == '"':
        end = next((i for i in range(1, len(value)) if value[i] == '"' and value[i - 1] != "\\"), 0)
        if end:
            return _IN_QUOTES.sub(lambda m: _ESCAPED.get(m[1], m[1]), value[1:end])
    return re.split(r"\s#", value, maxsplit=1)[0].strip()
