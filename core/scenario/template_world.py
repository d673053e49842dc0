"""What a template can see and how much it may do: its values, their printed form, its limits."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network

from jinja2 import TemplateError, Undefined

MAX_TEXT = 1 << 20
MAX_SECONDS = 1.0
MAX_ITEMS = 100_000
_MAX_BITS = 256
_MAX_SPENT = 16 << 20
# Tuples, because a check against a union takes several times as long, and there are many.
_TEXTS = (str, bytes)
_LISTS = (list, tuple)


class RefusedError(TemplateError):
    """A limit or a rule of ours, raised from inside a running template."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A field of a record that is known and must not be used; carries the sentence."""

    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Named facts that a template reads with a dot; `text` is what it prints as."""

    name: str
    fields: Mapping[str, object]
    text: str | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def lacks(self, name: str) -> str:
        """Return the sentence for a field that is not there."""
        known = ", ".join(sorted(self.fields)) or "nothing"
        return f"{self.name} has no {name!r}; it has {known}"


@dataclass(slots=True)
class Meter:
    """The processor time and the memory that one rendering, in one thread, has left.

    On a busy machine a rendering takes several times as long as it would alone.
    """

    end: float = field(default_factory=lambda: time.thread_time() + MAX_SECONDS)
    looks_at: float = field(default_factory=lambda: time.monotonic() + MAX_SECONDS)
    spent: int = 0

    def tick(self) -> None:
        """Look at the clock. Raises RefusedError when the time is used up."""
        # The processor's clock costs several times as much to read, and never goes faster.
        if time.monotonic() < self.looks_at:
            return
        left = self.end - time.thread_time()
        if left <= 0:
            raise RefusedError(f"it runs longer than {MAX_SECONDS:g} s")
        self.looks_at = time.monotonic() + left

    def spend(self, value: object) -> object:
        """Count a value that was just made and return it. Raises RefusedError past a limit."""
        self.tick()
        if isinstance(value, _TEXTS):
            self.spent += len(value)
            bound(len(value), MAX_TEXT)
        elif isinstance(value, _LISTS):
            self.spent += len(value) * 8
            bound(len(value), MAX_ITEMS)
        if self.spent > _MAX_SPENT:
            raise RefusedError("it makes more than 16 MiB of text on the way")
        return value

    def turns(self, items: Iterable[object]) -> Iterator[object]:
        """Yield the items, looking at the clock before each."""
        for item in items:
            self.tick()
            yield item


def bound(size: int, limit: int = MAX_TEXT) -> None:
    """Raise RefusedError when something would get larger than `limit`."""
    if size > limit:
        raise RefusedError(f"it makes something of size {size}; the limit is {limit}")


def bound_operation(operator: str, left: object, right: object) -> None:
    """Raise RefusedError when an operation's result would be too large, before it is made."""
    if operator == "+" and isinstance(left, int) and isinstance(right, int):
        return  # the commonest one, and never large
    match operator, left, right:
        case "+", (str() | bytes() | list() | tuple()), (str() | bytes() | list() | tuple()):
            bound(len(left) + len(right))
        case "*", (str() | bytes() | list() | tuple()), int():
            bound(len(left) * max(right, 0), _limit_of(left))
        case "*", int(), (str() | bytes() | list() | tuple()):
            bound(len(right) * max(left, 0), _limit_of(right))
        case "*", int(), int():
            bound(left.bit_length() + right.bit_length(), _MAX_BITS)
        case "**", int(), int():
            bound(left.bit_length() * max(right, 0), _MAX_BITS)
        case "%", (str() | bytes()), _:
            raise RefusedError("% works on numbers; put text together with ~")
        case _:
            pass


def _limit_of(value: object) -> int:
    return MAX_TEXT if isinstance(value, str | bytes) else MAX_ITEMS


def text_of(value: object) -> str:
    """Return what a value prints as; an instant is ISO 8601 with `Z`.

    Raises RefusedError for lists and records: their Python form would mean nothing to a reader.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float() | IPv4Address() | IPv4Network() | Undefined():
            return str(value)
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case bytes():
            return value.decode()
        case Record(text=str(text)):
            return text
        case Record():
            raise RefusedError(f"{value.name} cannot be printed; name one of its fields")
        case _:
            raise RefusedError("only text, numbers and times can be printed; a list needs join")
