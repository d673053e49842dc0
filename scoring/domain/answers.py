"""Whether what a team sent is right: the scenario's answer, rendered for the team, against text.

A right answer is never counted wrong for what nobody sees: text is compared in Unicode NFC, without
white space at its ends. Anything further is folded only where the author allowed it (`folding`).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import assert_never

from core.patterns import fits
from core.scenario.schema_answers import Fold
from core.security import same_secret
from scoring.domain.folding import folded, tidied
from scoring.domain.readings import (
    address_in,
    digest_in,
    instant_in,
    items_in,
    network_in,
    numbers_in,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextAnswer:
    """Right when the text is the same after folding."""

    text: str
    fold: AbstractSet[Fold] = frozenset({"case", "space"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretAnswer:
    """Right when the text is the same to the letter; compared in constant time."""

    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberAnswer:
    """Right when the number is at most `within` away."""

    number: Fraction
    within: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantAnswer:
    """Right when the time is at most `within` away."""

    at: datetime
    within: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressAnswer:
    """Right when it is this address, however it is written."""

    address: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAnswer:
    """Right when it is exactly this network."""

    network: IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestAnswer:
    """Right when the hexadecimal digits are the same."""

    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternAnswer:
    """Right when the whole text is as an expression says that `core.patterns` takes."""

    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyAnswer:
    """Right when one of several is."""

    options: tuple["Answer", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllAnswer:
    """Right when each of several is, of the same text."""

    options: tuple["Answer", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAnswer:
    """Right when it is a list of as many items, each right for another one of these."""

    items: tuple["Answer", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAnswer:
    """Right when it is a list of as many items, right one by one."""

    items: tuple["Answer", ...]


Answer = (
    TextAnswer
    | SecretAnswer
    | NumberAnswer
    | InstantAnswer
    | AddressAnswer
    | NetworkAnswer
    | DigestAnswer
    | PatternAnswer
    | AnyAnswer
    | AllAnswer
    | SetAnswer
    | ListAnswer
)


def judge(answer: Answer, value: str) -> bool:  # noqa: C901, PLR0911, PLR0912  # a line for each kind
    """Tell whether `value` is right; text that cannot be read as asked for is wrong, no error."""
    match answer:
        case TextAnswer():
            return folded(answer.text, answer.fold) == folded(value, answer.fold)
        case SecretAnswer():
            return same_secret(tidied(answer.secret), tidied(value))
        case NumberAnswer():
            return any(abs(n - answer.number) <= answer.within for n in numbers_in(value))
        case InstantAnswer():
            at = instant_in(value)
            return at is not None and abs(at - answer.at) <= answer.within
        case AddressAnswer():
            return address_in(value) == answer.address
        case NetworkAnswer():
            return network_in(value) == answer.network
        case DigestAnswer():
            return digest_in(value) == digest_in(answer.digits)
        case PatternAnswer():
            return fits(answer.pattern, tidied(value))
        case AnyAnswer():
            return any(judge(option, value) for option in answer.options)
        case AllAnswer():
            return all(judge(option, value) for option in answer.options)
        case SetAnswer():
            return any(_pair_up(answer.items, items) for items in items_in(value))
        case ListAnswer():
            return any(_follow(answer.items, items) for items in items_in(value))
        case _:
            assert_never(answer)


def _follow(answers: Sequence[Answer], items: Sequence[str]) -> bool:
    return len(answers) == len(items) and all(map(judge, answers, items))


def _pair_up(answers: Sequence[Answer], items: Sequence[str]) -> bool:
    """Tell whether every item is right for an answer of its own (Kuhn's matching)."""
    if len(answers) != len(items):
        return False
    fitting = [{n for n, a in enumerate(answers) if judge(a, item)} for item in items]
    taken: dict[int, int] = {}  # answer → item

    def find_place(item: int, seen: set[int]) -> bool:
        for answer in fitting[item]:
            if answer not in seen:
                seen.add(answer)
                if answer not in taken or find_place(taken[answer], seen):
                    taken[answer] = item
                    return True
        return False

    return all(find_place(item, set()) for item in range(len(items)))
