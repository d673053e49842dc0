"""Whether what a team sent is right: the scenario's answer, rendered for the team, against text.

A right answer is never counted wrong for what nobody sees: text is compared in Unicode NFC, without
white space at its ends, and every kind of white space (a no-break space from a web page) is one.
Anything further is folded only where the author allowed it.
"""

import re
import unicodedata
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Literal, assert_never

from core.security import same_secret

Fold = Literal["case", "space"]

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*", re.ASCII)
_DAY_FIRST = re.compile(
    r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\.?,?\s(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII
)
_ZONE = re.compile(r"\s?(?:Z|UTC|GMT)$")


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
class AnyAnswer:
    """Right when one of several is."""

    options: tuple["Answer", ...]


Answer = TextAnswer | SecretAnswer | NumberAnswer | InstantAnswer | AnyAnswer


def judge(answer: Answer, value: str) -> bool:
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
        case AnyAnswer():
            return any(judge(option, value) for option in answer.options)
        case _:
            assert_never(answer)


def tidied(text: str) -> str:
    """Return the text in NFC, without white space at its ends."""
    return unicodedata.normalize("NFC", text).strip()


def folded(text: str, fold: AbstractSet[Fold]) -> str:
    """Return what is compared: tidied text, without the differences that `fold` names."""
    text = tidied(text)
    if "space" in fold:
        text = " ".join(text.split())
    if "case" in fold:
        # Folding case may take text out of its normal form.
        text = unicodedata.normalize("NFC", text.casefold())
    return text


def numbers_in(text: str) -> tuple[Fraction, ...]:
    """Return every number that `text` may mean; nothing when it is none.

    Point and comma both part the decimals, as half of Europe writes one and half the other. So
    `1.000` is read both ways, as one and as a thousand; spaces between digits never count.
    """
    digits = "".join(text.split())
    readings = []
    if _NUMBER.fullmatch(digits):
        readings.append(Fraction(digits.replace(",", ".")))
    if grouped := _THOUSANDS.fullmatch(digits):
        readings.append(Fraction(digits.replace(grouped[1], "")))
    return tuple(readings)


def instant_in(text: str) -> datetime | None:
    """Return the time in `text`, aware; `None` when it is none. Without a zone it is UTC.

    ISO 8601, or the way people write in the region: `23.11.2026 02:05`, `23.11.2026. 2:05:30`.
    """
    text = _ZONE.sub("", folded(text, {"space"}).upper())
    day_first = _DAY_FIRST.fullmatch(text)
    try:
        if day_first:
            day, month, year, hour, minute, second = (int(g or 0) for g in day_first.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)
