"""Values of a team, derived: the same inputs give the same world, for ever.

A specification is a numbered set of candidates. HMAC-SHA-256 over (exercise key, team, name,
counter) draws numbers from it, so a value does not change when others are added to the scenario,
unless the two would be equal. A golden file pins all this: a change would make the answers of past
exercises wrong.

Addresses are drawn as places in a network, so that nothing depends on the addresses of a site.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network
from itertools import count

from core.errors import Fault, PoligonError
from core.scenario.candidates import Candidate, Candidates, Spot, candidates
from core.scenario.folder import Files
from core.scenario.schema import Scenario
from core.scenario.schema_values import NameValue, TextValue, UsernameValue, ValueSpec
from core.security import derive

Value = str | int | datetime | IPv4Address

_BLOCKS = 4  # 1024 bits: far more than the longest value holds, so taking a remainder is fair
_FEW = 200  # as many as a scenario may have values: a larger set nearly always has one left


class TooFewValuesError(PoligonError):
    """A scenario asks for more different values than its lists and ranges hold."""

    code = "scenario.too_few_values"
    fault = Fault.INPUT

    def __init__(self, *, name: str) -> None:
        super().__init__(
            f"nothing is left for the value {name}: the values of a team are distinct",
            hint="Give it a longer list, a wider range or a larger network",
        )
        self.name = name


def derive_values(
    scenario: Scenario,
    files: Files,
    *,
    key: bytes,
    team: str,
    start: datetime,
    subnets: Mapping[str, IPv4Network],
) -> Mapping[str, Value]:
    """Return every value of the scenario for `team`, distinct whatever the case, in its order.

    `start` is when the exercise starts, aware; instants are in UTC, whole seconds. An address in a
    network that is not in `subnets` is left out. Raises TooFewValuesError, and FileRefusedError and
    ListRefusedError for lists.
    """
    urns = [
        _Urn(
            name=name,
            candidates=candidates(spec, scenario, files, start=start),
            excluded=frozenset(map(_folded, _unlike(spec))),
            key=key,
            team=team,
        )
        for name, spec in scenario.values.items()
    ]
    # Small sets first: a large one can always give way.
    drawn = _matched([u for u in urns if u.size <= _FEW])
    taken = {_folded(v) for v in drawn.values()}
    for urn in urns:
        if urn.size > _FEW:
            drawn[urn.name] = urn.draw(taken)
            taken.add(_folded(drawn[urn.name]))
    return {name: value for name in scenario.values for value in _placed(drawn[name], subnets)}


def _placed(drawn: Candidate, subnets: Mapping[str, IPv4Network]) -> Iterator[Value]:
    if not isinstance(drawn, Spot):
        yield drawn
    elif drawn.network in subnets:
        yield drawn.within(subnets[drawn.network])


def _unlike(spec: ValueSpec) -> Sequence[str]:
    return spec.unlike if isinstance(spec, UsernameValue | NameValue | TextValue) else ()


def _folded(value: Candidate) -> str:
    return str(value).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Urn:
    """The candidates for one value, and the lots that order them."""

    name: str
    candidates: Candidates
    excluded: frozenset[str]
    key: bytes
    team: str

    @property
    def size(self) -> int:
        return self.candidates.size

    def draw(self, taken: set[str]) -> Candidate:
        """Draw, putting back each time, what is not taken. Raises TooFewValuesError."""
        if all(_folded(v) in taken for v in self._allowed(range(self.size))):
            raise TooFewValuesError(name=self.name)
        draws = self._allowed(self._lot(n) % self.size for n in count())
        return next(v for v in draws if _folded(v) not in taken)

    def ranking(self) -> Sequence[Candidate]:
        """Return every candidate once, in the order of their lots."""
        return list(self._allowed(sorted(range(self.size), key=self._lot)))

    def _allowed(self, numbers: Iterable[int]) -> Iterator[Candidate]:
        values = map(self.candidates.nth, numbers)
        return (v for v in values if _folded(v) not in self.excluded)

    def _lot(self, number: int) -> int:
        parts = (self.team, self.name, str(number))
        blocks = (derive(self.key, *parts, str(block)) for block in range(_BLOCKS))
        return int.from_bytes(b"".join(blocks), "big")


def _matched(urns: Sequence[_Urn]) -> dict[str, Candidate]:
    """Give each urn its highest-ranked value that leaves one for every other (Kuhn's algorithm)."""
    rankings = {urn.name: urn.ranking() for urn in urns}
    owner: dict[str, str] = {}
    drawn: dict[str, Candidate] = {}

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
