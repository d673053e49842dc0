"""Answers: what is right, in the ways in which people write it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Tag, model_validator

from core.patterns import MAX_PATTERN, require_pattern
from core.scenario.fields import (
    Amount,
    Duration,
    FolderPath,
    Instant,
    PlainText,
    Text,
    Tolerance,
    is_template,
)
from core.scenario.kinds import Kinded, by_key, exactly_one
from core.scenario.written import OrBare

_MAX_ITEMS = 50
_NESTED = (
    *("equals", "number", "instant", "ip", "cidr", "hash", "file", "regex"),
    *("set", "list", "any", "all"),
)
_WHOLE = (*_NESTED, "choice")
Fold = Literal["case", "space", "accent", "script", "punctuation", "quotes", "compatibility"]
Format = Annotated[PlainText, Field(max_length=80)]
_HEX = frozenset("0123456789abcdefABCDEF")


def parse_address(text: str) -> IPv4Address | IPv6Address:
    """Read an address; raise ValueError with an example otherwise."""
    try:
        return ip_address(text.strip())
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not an address; write one like 10.1.2.3") from None


def parse_network(text: str) -> IPv4Network | IPv6Network:
    """Read a network; raise ValueError with an example otherwise."""
    try:
        return ip_network(text.strip())
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a network; write one like 10.1.2.0/28") from None


def parse_digest(text: str) -> str:
    """Read hexadecimal digits; raise ValueError otherwise."""
    digits = text.strip()
    if not digits or not set(digits) <= _HEX:
        raise ValueError(f"{text[:40]!r} is not a hash: hexadecimal digits only")
    return digits


def _pattern(text: str) -> str:
    return text if is_template(text) else require_pattern(text)


def _address(text: str) -> str:
    return text if is_template(text) else str(parse_address(text))


def _network(text: str) -> str:
    return text if is_template(text) else str(parse_network(text))


def _digest(text: str) -> str:
    return text if is_template(text) else parse_digest(text)


class Equals(Kinded):
    """Right when the text is the same after folding."""

    kind: ClassVar[str] = "equals"
    equals: Text
    """The right text."""
    fold: tuple[Fold, ...] = ("case", "space")
    """Which differences do not matter; `case` and `space` never do, unless it is `[]`."""
    format: Format | None = None
    """What it is in words, such as `an account name`: shown, and told to what looks otherwise."""


class NumberAnswer(Kinded):
    """Right when the number is at most `within` away."""

    kind: ClassVar[str] = "number"
    number: Amount
    """The right number."""
    within: Tolerance = 0
    """How far away is still right: a number, or a share of the right one."""


class InstantAnswer(Kinded):
    """Right when the time is at most `within` away."""

    kind: ClassVar[str] = "instant"
    instant: Instant
    """The right time."""
    within: Duration = timedelta()
    """How far away is still right."""


class AddressAnswer(Kinded):
    """Right when it is this address, however it is written."""

    kind: ClassVar[str] = "ip"
    ip: Annotated[str, Field(title="address"), AfterValidator(_address)]
    """The right address."""


class NetworkAnswer(Kinded):
    """Right when it is exactly this network."""

    kind: ClassVar[str] = "cidr"
    cidr: Annotated[str, Field(title="network"), AfterValidator(_network)]
    """The right network."""


class HashAnswer(Kinded):
    """Right when the digits are the same; capitals, and white space and colons between, are not."""

    kind: ClassVar[str] = "hash"
    hash: Annotated[str, Field(title="hexadecimal digits"), AfterValidator(_digest)]
    """The right digits."""


class FileAnswer(Kinded):
    """Right when it is a hash of a file of the scenario, by one of several algorithms."""

    kind: ClassVar[str] = "file"
    file: FolderPath
    """The file, as it is in the scenario's folder."""
    by: tuple[Literal["md5", "sha1", "sha256", "sha512"], ...] = Field(
        default=("md5", "sha1", "sha256"), min_length=1
    )
    """The algorithms."""


class RegexAnswer(Kinded):
    """Right when the whole text is as an expression in RE2's syntax says.

    What `{{ }}` gives stands in it for itself.
    """

    kind: ClassVar[str] = "regex"
    regex: Annotated[
        str,
        Field(title="regular expression", min_length=1, max_length=MAX_PATTERN),
        AfterValidator(_pattern),
    ]
    """The expression; `(?i)` in front lets case differ."""
    format: Format | None = None
    """What it is in words, such as `an account name`: shown, and told to what looks otherwise."""


class AnyOf(Kinded):
    """Right when one of several is."""

    kind: ClassVar[str] = "any"
    any: tuple["Answer", ...] = Field(min_length=1)
    """The right answers."""


class AllOf(Kinded):
    """Right when each of several is, of the same text."""

    kind: ClassVar[str] = "all"
    all: tuple["Answer", ...] = Field(min_length=1)
    """The answers that it must fit."""


def _not_lists(items: tuple["Answer", ...]) -> tuple["Answer", ...]:
    if any(isinstance(a, SetOf | ListOf) for item in items for a in each_of(item)):
        raise ValueError("an item of a set or list is not a set or list itself")
    return items


_Items = Annotated[
    tuple["Answer", ...], Field(min_length=1, max_length=_MAX_ITEMS), AfterValidator(_not_lists)
]


class SetOf(Kinded):
    """Right when all of these are given and nothing else, in any order."""

    kind: ClassVar[str] = "set"
    set: _Items
    """What is to be given, item by item."""


class ListOf(Kinded):
    """Right when all of these are given and nothing else, in this order."""

    kind: ClassVar[str] = "list"
    list: _Items
    """What is to be given, item by item."""


class ChoiceAnswer(Kinded):
    """One of several options, shown in this order; it is the whole answer of its task."""

    kind: ClassVar[str] = "choice"
    choice: str
    """The right option."""
    of: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$")], Text] = Field(
        min_length=2, max_length=_MAX_ITEMS
    )
    """The options, each with the text that is shown."""

    def option(self, text: str) -> str:
        """Return the option that a text names; raise ValueError with the known ones otherwise."""
        if text.strip() not in self.of:
            raise ValueError(f"{text[:40]!r} is not one of {', '.join(self.of)}")
        return text.strip()

    @model_validator(mode="after")
    def _right_is_an_option(self) -> "ChoiceAnswer":
        if not is_template(self.choice):
            self.option(self.choice)
        return self


def _bare_is_equals(data: object) -> object:
    return {"equals": data} if isinstance(data, str) else data


_BARE = OrBare("The right text.")

_Nested = (
    Annotated[Equals, Tag("<equals>")]
    | Annotated[NumberAnswer, Tag("<number>")]
    | Annotated[InstantAnswer, Tag("<instant>")]
    | Annotated[AddressAnswer, Tag("<ip>")]
    | Annotated[NetworkAnswer, Tag("<cidr>")]
    | Annotated[HashAnswer, Tag("<hash>")]
    | Annotated[FileAnswer, Tag("<file>")]
    | Annotated[RegexAnswer, Tag("<regex>")]
    | Annotated[SetOf, Tag("<set>")]
    | Annotated[ListOf, Tag("<list>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[AllOf, Tag("<all>")]
)
Answer = Annotated[
    _Nested,
    by_key(*_NESTED),
    exactly_one("an answer inside another", *_NESTED),
    BeforeValidator(_bare_is_equals),
    _BARE,
]
WholeAnswer = Annotated[
    _Nested | Annotated[ChoiceAnswer, Tag("<choice>")],
    by_key(*_WHOLE),
    exactly_one("an answer", *_WHOLE),
    BeforeValidator(_bare_is_equals),
    _BARE,
]


def parts_of(answer: Answer | ChoiceAnswer) -> tuple[str, tuple[Answer, ...]]:
    """Return the key under which an answer has other answers, and these; empty when it has none."""
    match answer:
        case AnyOf():
            return "any", answer.any
        case AllOf():
            return "all", answer.all
        case SetOf():
            return "set", answer.set
        case ListOf():
            return "list", answer.list
        case _:
            return "", ()


def each_of(answer: Answer | ChoiceAnswer) -> Iterator[Answer | ChoiceAnswer]:
    """Yield an answer and every one below it."""
    yield answer
    for part in parts_of(answer)[1]:
        yield from each_of(part)
