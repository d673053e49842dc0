"""A team's books in memory, for a replay."""

from collections.abc import Mapping, Sequence

from core.ids import TeamId
from orchestrator.domain.injects import Firing, FiringState
from scoring.domain.holds import CheckState
from scoring.domain.ledger import COSTS, Cause, Entry, EntryKind, Fact, effect_of
from scoring.domain.rules import Rules
from scoring.errors import EntryUnknownError

_UNSEEN = CheckState()
_LOOK = Cause.CHECK_RUN  # bound here: see `availability`


class MemoryBooks:
    """`Books` that hold everything themselves; `entries` are by key, in the order of booking."""

    def __init__(self, team: TeamId) -> None:
        self.team = team
        self.entries: dict[str, Entry] = {}
        self.states: dict[str, CheckState] = {}
        self.solved: dict[str, Fact] = {}
        self.shadow: MemoryBooks | None = None
        self._facts: list[Fact] = []
        self._corrections: list[Fact] = []
        self._effects: dict[str, Entry] = {}
        self._seen: set[str] = set()
        self._costs: dict[str, list[Fact]] = {}
        self._passed: list[Firing] = []
        self._sums: dict[str, int] = {}
        self._paid: dict[tuple[str, str], int] = {}
        self._in_part: dict[str, int] = {}

    def remember(self, fact: Fact) -> bool:
        """See `Books.remember`."""
        cause = fact.cause
        key = cause + fact.id  # of all ways the cheapest, a million times
        if key in self._seen:
            return False
        self._seen.add(key)
        self._facts.append(fact)
        if cause is not _LOOK:  # most are, and of these nothing more is asked
            self._sort(fact)
        return True

    def _sort(self, fact: Fact) -> None:
        if fact.cause in COSTS and fact.milli_points:
            self._costs.setdefault(fact.subject, []).append(fact)
        elif fact.cause is Cause.PASSED:
            self._passed.append(firing_of(fact))
        elif fact.cause is Cause.CORRECTION and fact.decided is not None:
            self._corrections.append(fact)

    def costs(self, task: str) -> Sequence[Fact]:
        """See `Books.costs`."""
        return self._costs.get(task, ())

    def passed(self) -> Sequence[Firing]:
        """See `Books.passed`."""
        return self._passed

    def check(self, check: str) -> CheckState:
        """See `Books.check`."""
        return self.states.get(check, _UNSEEN)

    def keep_check(self, check: str, state: CheckState) -> None:
        """See `Books.keep_check`."""
        self.states[check] = state

    def is_solved(self, task: str) -> bool:
        """See `Books.is_solved`."""
        return task in self.solved

    def solve(self, task: str, fact: Fact) -> None:
        """See `Books.solve`."""
        self.solved[task] = fact

    def total(self) -> int:
        """See `Books.total`."""
        return sum(self._sums.values())

    def sum_of(self, task: str) -> int:
        """See `Books.sum_of`."""
        return self._sums.get(task, 0)

    def paid(self, task: str, cause_id: str) -> int:
        """See `Books.paid`."""
        return self._paid.get((task, cause_id), 0)

    def given_in_part(self, task: str) -> int:
        """See `Books.given_in_part`."""
        return self._in_part.get(task, 0)

    def is_booked(self, key: str) -> bool:
        """See `Books.is_booked`."""
        return key in self.entries

    def entry(self, key: str) -> Entry:
        """See `Books.entry`."""
        if key not in self.entries:
            raise EntryUnknownError(f"there is no entry {key}", hint="Look at the ledger")
        return self.entries[key]

    def book(self, entry: Entry) -> None:
        """See `Books.book`."""
        assert entry.key not in self.entries  # as the key of the table has it
        self.entries[entry.key] = entry
        if entry.reverses is None:
            self._effects[effect_of(entry.key)] = entry
        else:
            del self._effects[effect_of(entry.reverses)]
        task, points = entry.task, entry.milli_points
        self._sums[task] = self.sum_of(task) + points
        if entry.kind is EntryKind.COST:
            event = (task, entry.fact.id)
            self._paid[event] = self._paid.get(event, 0) - points
        elif entry.kind is EntryKind.PARTIAL:
            self._in_part[task] = self.given_in_part(task) + points

    def corrections(self) -> Sequence[Fact]:
        """See `Books.corrections`."""
        return self._corrections

    def facts(self) -> Sequence[Fact]:
        """See `Books.facts`."""
        return self._facts

    def complete(self, rules: Rules, /) -> Rules:
        """See `Books.complete`: a replay has all of them."""
        return rules

    def effects(self) -> Mapping[str, Entry]:
        """See `Books.effects`."""
        return self._effects

    def book_all(self, entries: Sequence[Entry]) -> None:
        """See `Books.book_all`."""
        for entry in entries:
            self.book(entry)

    def follow_shadow(self, shadow: "MemoryBooks") -> None:
        """See `Books.follow_shadow`."""
        self.states, self.solved = shadow.states, shadow.solved


def firing_of(fact: Fact) -> Firing:
    """Return the inject that went out or was skipped by a fact that it passed."""
    return Firing(
        inject=fact.subject,
        occurrence=fact.number,
        state=FiringState(fact.outcome),
        at=fact.elapsed,
    )
