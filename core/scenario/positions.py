"""Where things stand in a scenario's files, and what was found there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

Place = tuple[str | int, ...]
"""The keys and indexes that lead to a node: `("hosts", "desk", "ready", 0)`."""


class Severity(StrEnum):
    """Whether a scenario can be used with it."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A position in a text, both counted from 1."""

    line: int = 1
    column: int = 1


@dataclass(slots=True)
class Positions:
    """The marks of a document's keys and values, by place."""

    keys: dict[Place, Mark] = field(default_factory=dict)
    values: dict[Place, Mark] = field(default_factory=dict)

    def of_value(self, place: Place) -> Mark:
        """Return the mark of the node at `place`, or of its nearest ancestor that was written."""
        return next((self.values[p] for p in _upwards(place) if p in self.values), Mark())

    def of_key(self, place: Place) -> Mark:
        """Return the mark of the key that leads to `place`; for an item of a list, of the item."""
        return self.keys[place] if place in self.keys else self.of_value(place)


def _upwards(place: Place) -> Iterator[Place]:
    for length in range(len(place), -1, -1):
        yield place[:length]


def strings_of(node: object, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield every string value below a scenario's data, with its place; not those under `x-` keys.

    The second step of a place is an id (`hosts`, `x-ray`), never an author's own key.
    """
    match node:
        case dict():
            for key, value in node.items():
                if len(place) == 1 or not str(key).startswith("x-"):
                    yield from strings_of(value, (*place, key))
        case tuple():
            for index, value in enumerate(node):
                yield from strings_of(value, (*place, index))
        case str():
            yield place, node
        case _:
            pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong or doubtful, at a place of scenario.yaml or at a mark of `file`.

    `at_key` points to the key instead of to its value. `mark`, where given, goes before `place`.
    """

    message: str
    place: Place = ()
    at_key: bool = False
    mark: Mark | None = None
    file: str | None = None
    severity: Severity = Severity.ERROR
