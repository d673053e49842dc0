"""The books of one team: what the derivation of entries reads, and where it writes them.

There are two: the database's under the team's lock, for what happens now, and memory, for a replay.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from core.ids import TeamId
from orchestrator.domain.injects import Firing
from scoring.domain.holds import CheckState
from scoring.domain.ledger import Entry, Fact
from scoring.domain.rules import Rules

if TYPE_CHECKING:
    from scoring.domain.memory import MemoryBooks


class Books(Protocol):
    """What a team's facts so far have led to. Points are in thousandths.

    `shadow` is what they lead to by the corrections that hold, while there are any.
    """

    shadow: "MemoryBooks | None"

    @property
    def team(self) -> TeamId:
        """Whose books they are."""
        ...

    def remember(self, fact: Fact) -> bool:
        """Put a fact after all others; return whether it was not there yet."""
        ...

    def costs(self, task: str) -> Sequence[Fact]:
        """Return the facts so far that cost a task something, in their order."""
        ...

    def passed(self) -> Sequence[Firing]:
        """Return the injects that have gone out or were skipped so far."""
        ...

    def check(self, check: str) -> CheckState:
        """Return what is known of a check."""
        ...

    def keep_check(self, check: str, state: CheckState) -> None:
        """Know this of a check from now on."""
        ...

    def is_solved(self, task: str) -> bool:
        """Tell whether the team has done a task."""
        ...

    def solve(self, task: str, fact: Fact) -> None:
        """Note that the team has done a task, by a fact."""
        ...

    def total(self) -> int:
        """Return what the team has."""
        ...

    def sum_of(self, task: str) -> int:
        """Return what a task has given so far."""
        ...

    def paid(self, task: str, cause_id: str) -> int:
        """Return what a task has paid so far for one event."""
        ...

    def given_in_part(self, task: str) -> int:
        """Return what checks of a task have given alone."""
        ...

    def is_booked(self, key: str) -> bool:
        """Tell whether an effect has its entry."""
        ...

    def entry(self, key: str) -> Entry:
        """Return the entry of an effect; raises EntryUnknownError."""
        ...

    def book(self, entry: Entry) -> None:
        """Write an entry down; a second one of the same effect, or reversal, is an error."""
        ...

    # Corrections

    def corrections(self) -> Sequence[Fact]:
        """Return the corrections so far, in their order."""
        ...

    def facts(self) -> Iterable[Fact]:
        """Return all facts so far, in their order."""
        ...

    def complete(self, rules: Rules, /) -> Rules:
        """Return all rules of the exercise, of which a fact alone may have needed fewer."""
        ...

    def effects(self) -> Mapping[str, Entry]:
        """Return the entry that stands for each effect: neither taken back nor taking back."""
        ...

    def book_all(self, entries: Sequence[Entry]) -> None:
        """Write entries down, in their order, as `book` does each."""
        ...

    def follow_shadow(self, shadow: "MemoryBooks") -> None:
        """Know of checks and of done tasks what the shadow knows."""
        ...
