"""Values of a team, derived: the same inputs give the same world, for ever.

A specification is a numbered set of candidates. HMAC-SHA-256 over (exercise key, team, name,
counter) draws numbers from it, so a value does not change when others are added to the scenario,
unless the two would be equal. A golden file pins all this: a change would make the answers of past
exercises wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import assert_never

from core.errors import Fault, PoligonError
from core.scenario.fields import Moment
from core.scenario.schema import Scenario
from core.scenario.schema_values import (
    ChoiceValue,
    FlagValue,
    InstantValue,
    IntegerValue,
    PasswordValue,
    PortValue,
    TokenValue,
    UsernameValue,
    ValueSpec,
)
from core.scenario.words.surnames import SURNAMES
from core.security import derive

Value = str | int | datetime

# Without i, l, o, u, 0, 1: nobody takes one for another on a printed sheet.
_READABLE = "abcdefghjkmnpqrstvwxyzABCDEFGHJKMNPQRSTVWXYZ23456789"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_HEX = "0123456789abcdef"
_BLOCKS = 4  # 1024 bits: far more than the longest value holds, so taking a remainder is fair
_FEW = 200  # as many as a scenario may have values: a larger set always has one left


class TooFewValuesError(PoligonError):
    """A scenario asks for more different values than its lists and ranges hold."""

    code = "scenario.too_few_values"
    fault = Fault.INPUT

    def __init__(self, *, name: str) -> None:
        super().__init__(
            f"nothing is left for the value {name}: the values of a team are distinct",
            hint="Give it a longer list or a wider range",
        )
        self.name = name


def derive_values(
    scenario: Scenario, *, key: bytes, team: str, start: datetime
) -> Mapping[str, Value]:
    """Return every value of the scenario for `team`, distinct whatever the case, in its order.

    `start` is when the exercise starts, aware; instants are in UTC, whole seconds. Raises
    TooFewValuesError.
    """
    urns = [
        _Urn(name=name, spec=spec, key=key, team=team, start=start)
        for name, spec in scenario.values.items()
    ]
    # Small sets first: a large one can always give way.
    drawn = _matched([u for u in urns if u.size <= _FEW])
    taken = {_folded(v) for v in drawn.values()}
    for urn in urns:
        if urn.size > _FEW:
            drawn[urn.name] = next(v for v in urn.draws() if _folded(v) not in taken)
            taken.add(_folded(drawn[urn.name]))
    return {name: drawn[name] for name in scenario.values}


def moment(of: Moment, *, start: datetime) -> datetime:
    """Return a moment relative to the exercise's start, in UTC, without fractions of a second."""
    base = start.astimezone(UTC).replace(microsecond=0)
    return (base.replace(hour=0, minute=0, second=0) if of.of_day else base) + of.offset


def _folded(value: Value) -> str:
    return str(value).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Urn:
    """The candidates for one value, and the lots that order them."""

    name: str
    spec: ValueSpec
    key: bytes
    team: str
    start: datetime

    @property
    def size(self) -> int:
        return _size(self.spec, start=self.start)

    def draws(self) -> Iterator[Value]:
        """Draw without end, putting back each time."""
        return self._allowed(self._lot(n) % self.size for n in count())

    def ranking(self) -> Sequence[Value]:
        """Return every candidate once, in the order of their lots."""
        return list(self._allowed(sorted(range(self.size), key=self._lot)))

    def _allowed(self, numbers: Iterator[int] | Sequence[int]) -> Iterator[Value]:
        unlike = self.spec.unlike if isinstance(self.spec, UsernameValue) else ()
        excluded = {_folded(u) for u in unlike}
        values = (_nth(self.spec, n, start=self.start) for n in numbers)
        return (v for v in values if _folded(v) not in excluded)

    def _lot(self, number: int) -> int:
        parts = (self.team, self.name, str(number))
        blocks = (derive(self.key, *parts, str(block)) for block in range(_BLOCKS))
        return int.from_bytes(b"".join(blocks), "big")


def _size(spec: ValueSpec, *, start: datetime) -> int:
    match spec:
        case PasswordValue() | FlagValue():
            return int(len(_READABLE) ** spec.length)
        case TokenValue():
            return int(len(_HEX) ** spec.length)
        case UsernameValue():
            return len(_LETTERS) * len(SURNAMES)
        case ChoiceValue():
            return len(spec.of)
        case IntegerValue() | PortValue():
            return spec.max - spec.min + 1
        case InstantValue():
            first, last = (moment(m, start=start) for m in spec.between)
            return (last - first) // spec.step + 1
        case _:
            assert_never(spec)


def _nth(spec: ValueSpec, number: int, *, start: datetime) -> Value:  # noqa: PLR0911  # one a type
    match spec:
        case PasswordValue():
            return _spelled(number, _READABLE, spec.length)
        case FlagValue():
            return spec.format.replace("%s", _spelled(number, _READABLE, spec.length))
        case TokenValue():
            return _spelled(number, _HEX, spec.length)
        case UsernameValue():
            initial, surname = divmod(number, len(SURNAMES))
            return _LETTERS[initial] + SURNAMES[surname]
        case ChoiceValue():
            return spec.of[number]
        case IntegerValue() | PortValue():
            return spec.min + number
        case InstantValue():
            return moment(spec.between[0], start=start) + number * spec.step
        case _:
            assert_never(spec)


def _spelled(number: int, alphabet: str, length: int) -> str:
    letters = []
    for _ in range(length):
        number, letter = divmod(number, len(alphabet))
        letters.append(alphabet[letter])
    return "".join(letters)


def _matched(urns: Sequence[_Urn]) -> dict[str, Value]:
    """Give each urn its highest-ranked value that leaves one for every other (Kuhn's algorithm)."""
    rankings = {urn.name: urn.ranking() for urn in urns}
    owner: dict[str, str] = {}
    drawn: dict[str, Value] = {}

    def settle(name: str, asked: set[str]) -> bool:
        for value in rankings[name]:
            folded = _folded(value)
            if folded not in asked:
                asked.add(folded)
                if folded not in owner or settle(owner[folded], asked):
                    owner[folded] = name
                    drawn[name] = value
                    return True
        return False

    for name in rankings:
        if not settle(name, set()):
            raise TooFewValuesError(name=name)
    return drawn
