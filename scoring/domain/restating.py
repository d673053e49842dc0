"""Bringing a ledger to what holds after a correction: by reversals and new entries, never else.

A team with a correction has a shadow: books in which its facts lead to entries by the rules and
amendments that hold, as if it had been so from the beginning. What stands in the ledger for each
effect is made what the shadow has for it.
"""

from collections.abc import Callable, Iterable, Iterator

from scoring.domain.amending import Amendments
from scoring.domain.books import Books
from scoring.domain.ledger import Cause, Entry, Fact, reversal_of
from scoring.domain.memory import MemoryBooks
from scoring.domain.rules import Rules

Follow = Callable[[Fact, Books, Rules], None]


def restate(fact: Fact, books: Books, rules: Rules, follow: Follow) -> None:
    """Book what a fact that the books remember makes of them, under the corrections so far."""
    amendments = Amendments.of(books.corrections())
    rules = amendments.rules(books.complete(rules))
    shadow = None if fact.cause is Cause.CORRECTION else books.shadow
    if shadow is None:
        # From the beginning: a correction changes what followed from any fact before it.
        shadow = books.shadow = MemoryBooks(books.team)
        for former in books.facts():
            _take(former, shadow, amendments, rules, follow)
        keys = dict.fromkeys((*books.effects(), *shadow.effects()))
    else:
        known = len(shadow.entries)
        _take(fact, shadow, amendments, rules, follow)
        new = list(shadow.entries.values())[known:]
        keys = dict.fromkeys(entry.reverses or entry.key for entry in new)
    books.book_all(tuple(_changes(fact, keys, books, amendments)))
    books.follow_shadow(shadow)


def _take(
    fact: Fact, shadow: MemoryBooks, amendments: Amendments, rules: Rules, follow: Follow
) -> None:
    seen = amendments.seen(fact)
    if seen is not None and shadow.remember(seen):
        follow(seen, shadow, rules)


def _changes(
    fact: Fact, keys: Iterable[str], books: Books, amendments: Amendments
) -> Iterator[Entry]:
    assert books.shadow is not None  # it was made just now
    standing, wanted = books.effects(), books.shadow.effects()
    for key in keys:
        now, then = standing.get(key), wanted.get(key)
        if then is not None and then.task in amendments.voided:
            then = None
        if now is not None and then is not None and _says(now) == _says(then):
            continue
        if now is not None:
            yield reversal_of(now, fact, _reason(fact))
        if then is not None:
            yield _booked_by(fact, then, _free_key(key, books))


def _booked_by(fact: Fact, entry: Entry, key: str) -> Entry:
    """Return an entry of the shadow as the ledger has it; one of a former fact is restated."""
    if fact.cause is not Cause.CORRECTION or entry.fact.id == fact.id:
        return entry._replace(key=key)
    return entry._replace(key=key, fact=fact, at=entry.effective_at, reason=_reason(fact))


def _reason(fact: Fact) -> str:
    if fact.decided is not None:
        return fact.decided.reason
    return fact.ruling.reason if fact.ruling is not None else ""


def _free_key(key: str, books: Books) -> str:
    number, free = 1, key
    while books.is_booked(free):
        number += 1
        free = f"{key}~{number}"
    return free


def _says(entry: Entry) -> tuple[object, ...]:
    return entry.task, entry.kind, entry.milli_points, entry.effective_at
