"""What a value may be: a specification as a numbered set.

The numbers are part of the derivation of values: each stands for the same candidate for ever.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from typing import assert_never

from core.errors import Fault, PoligonError
from core.scenario.fields import Moment
from core.scenario.folder import Files
from core.scenario.networks import free_places
from core.scenario.schema import Scenario
from core.scenario.schema_values import (
    AddressValue,
    ChoiceValue,
    FlagValue,
    HexValue,
    InstantValue,
    IntegerValue,
    NameValue,
    PasswordValue,
    PortValue,
    TextValue,
    TokenValue,
    UsernameValue,
    ValueSpec,
)
from core.scenario.words.cyrillic import in_cyrillic
from core.scenario.words.people import PEOPLE, REGION
from core.scenario.words.surnames import SURNAMES

# Without i, l, o, u, 0, 1: nobody takes one for another on a printed sheet.
_READABLE = "abcdefghjkmnpqrstvwxyzABCDEFGHJKMNPQRSTVWXYZ23456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_HEX = "0123456789abcdef"
_MOST_LINES = 10_000
_LONGEST_LINE = 1000


class ListRefusedError(PoligonError):
    """A file of the scenario is not a list of texts."""

    code = "scenario.list_refused"
    fault = Fault.INPUT


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a network, whose address only the site knows."""

    network: str
    place: int

    def within(self, subnet: IPv4Network) -> IPv4Address:
        """Return its address."""
        return subnet[self.place]


Candidate = str | int | datetime | Spot


@dataclass(frozen=True, slots=True)
class Candidates:
    """A numbered set: `nth` takes numbers from 0 to below `size`."""

    size: int
    nth: Callable[[int], Candidate]


def candidates(  # noqa: C901, PLR0911  # one a type
    spec: ValueSpec, scenario: Scenario, files: Files, *, start: datetime
) -> Candidates:
    """Return what a value may be, before what it must be unlike.

    Raises FileRefusedError and ListRefusedError for a text's list.
    """
    match spec:
        case PasswordValue():
            return _spelled(_READABLE, spec.length)
        case FlagValue():
            secret = _spelled(_READABLE, spec.length)
            return Candidates(secret.size, lambda n: spec.format.replace("%s", str(secret.nth(n))))
        case TokenValue() | HexValue():
            return _spelled(_HEX, spec.length)
        case ChoiceValue():
            return _listed(spec.of)
        case TextValue():
            return _listed(texts_of(files.read(spec.from_), name=spec.from_))
        case NameValue():
            return _names(spec)
        case UsernameValue():
            return _paired(_LETTERS, SURNAMES, "{}{}")
        case IntegerValue() | PortValue():
            return Candidates(spec.max - spec.min + 1, lambda n: spec.min + n)
        case AddressValue():
            places = free_places(scenario, spec.network)
            return Candidates(len(places), lambda n: Spot(spec.network, places[n]))
        case InstantValue():
            first, last = (moment(m, start=start) for m in spec.between)
            return Candidates((last - first) // spec.step + 1, lambda n: first + n * spec.step)
        case _:
            assert_never(spec)


def texts_of(content: bytes, *, name: str) -> tuple[str, ...]:
    """Return the lines of a list file without space around them, empty ones left out.

    Raises ListRefusedError, with `name` in it.
    """
    try:
        lines = [line.strip() for line in content.decode().splitlines()]
    except UnicodeDecodeError as exc:
        raise ListRefusedError(f"{name} is not UTF-8 text") from exc
    texts = tuple(line for line in lines if line)
    if not texts or len(texts) > _MOST_LINES:
        raise ListRefusedError(f"{name} has {len(texts)} texts; 1 to {_MOST_LINES} are wanted")
    if max(map(len, texts)) > _LONGEST_LINE:
        raise ListRefusedError(f"{name} has a line of more than {_LONGEST_LINE} characters")
    return texts


def moment(of: Moment, *, start: datetime) -> datetime:
    """Return a moment relative to the exercise's start, in UTC, without fractions of a second."""
    base = start.astimezone(UTC).replace(microsecond=0)
    return (base.replace(hour=0, minute=0, second=0) if of.of_day else base) + of.offset


def _spelled(alphabet: str, length: int) -> Candidates:
    def nth(number: int) -> str:
        letters = []
        for _ in range(length):
            number, letter = divmod(number, len(alphabet))
            letters.append(alphabet[letter])
        return "".join(letters)

    return Candidates(int(len(alphabet) ** length), nth)


def _listed(texts: Sequence[str]) -> Candidates:
    return Candidates(len(texts), lambda number: texts[number])


def _paired(firsts: Sequence[str], seconds: Sequence[str], form: str) -> Candidates:
    def nth(number: int) -> str:
        first, second = divmod(number, len(seconds))
        return form.format(firsts[first], seconds[second])

    return Candidates(len(firsts) * len(seconds), nth)


def _names(spec: NameValue) -> Candidates:
    language = spec.language
    latin = _one_after_another(
        _paired(people.given, people.surnames, "{} {}")
        for code in (REGION if language is None else (language,))
        for people in PEOPLE[code]
    )
    if language is None or spec.script == "latin":
        return latin
    return Candidates(latin.size, lambda n: in_cyrillic(str(latin.nth(n)), language))


def _one_after_another(sets: Iterable[Candidates]) -> Candidates:
    parts = tuple(sets)

    def nth(number: int) -> Candidate:
        for part in parts:
            if number < part.size:
                return part.nth(number)
            number -= part.size
        raise IndexError(number)

    return Candidates(sum(part.size for part in parts), nth)
