"""The proof that a ledger follows from its facts: derived again in memory, and compared."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from core.errors import PoligonError
from core.ids import TeamId
from scoring.domain.deriving import take
from scoring.domain.ledger import Entry, Fact
from scoring.domain.memory import MemoryBooks
from scoring.domain.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """An entry on which ledger and replay do not agree, and the fact that it is of.

    `what` is `missing` (in the ledger), `extra` (there), `different`, or `impossible`: the fact
    cannot be, and nothing follows from it. `booked` and `derived` say what differs.
    """

    key: str
    fact: str
    what: str
    booked: str = ""
    derived: str = ""


def replay(
    team: TeamId, facts: Iterable[Fact], rules: Rules
) -> tuple[MemoryBooks, tuple[Difference, ...]]:
    """Return the books of a team after its facts in their order, and facts that cannot be."""
    books = MemoryBooks(team)
    impossible = []
    for fact in facts:
        try:
            take(fact, books, rules)
        except (PoligonError, LookupError) as error:  # of an entry or task that is not there
            found = Difference(key="", fact=_name(fact), what="impossible", derived=str(error))
            impossible.append(found)
    return books, tuple(impossible)


def differences(booked: Mapping[str, Entry], derived: Mapping[str, Entry]) -> Iterator[Difference]:
    """Yield what differs between a ledger and a replay, both by key."""
    for key, entry in derived.items():
        there = booked.get(key)
        if there is None:
            yield Difference(key=key, fact=_name(entry.fact), what="missing", derived=_told(entry))
        elif _says(there) != _says(entry):
            yield Difference(
                key=key,
                fact=_name(entry.fact),
                what="different",
                booked=_told(there),
                derived=_told(entry),
            )
    for key, entry in booked.items():
        if key not in derived:
            yield Difference(key=key, fact=_name(entry.fact), what="extra", booked=_told(entry))


def _name(fact: Fact) -> str:
    return f"{fact.cause} {fact.id}"


def _says(entry: Entry) -> tuple[object, ...]:
    return (
        entry.task,
        entry.kind,
        entry.milli_points,
        entry.effective_at,
        entry.fact.cause,
        entry.fact.id,
        entry.fact.user,
        entry.reverses,
        entry.reason,
    )


def _told(entry: Entry) -> str:
    said = f"{entry.milli_points} thousandths by {entry.kind} for {entry.task}"
    by = f" by {entry.fact.user}" if entry.fact.user else ""
    takes_back = f", takes back {entry.reverses}" if entry.reverses else ""
    at = entry.effective_at.isoformat()
    return f"{said} at {at}, {_name(entry.fact)}{by}{takes_back}"
