"""A team's books in the database, under the team's lock: what happens now is booked here."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId
from orchestrator.domain.injects import Firing
from scoring.domain.holds import CheckState
from scoring.domain.ledger import COSTS, Cause, Entry, Fact, standing_effects
from scoring.domain.memory import MemoryBooks, firing_of
from scoring.domain.rules import Rules
from scoring.domain.standings import Total
from scoring.errors import EntryUnknownError
from scoring.facts import add_fact, add_fact_later, all_facts, costs_of, facts_of
from scoring.later import Later
from scoring.ledger import (
    Head,
    add_entry,
    booked_entries,
    booked_entry,
    head,
    keep_standing,
    link_values,
    standing,
)
from scoring.repository import ScoreRepository, keep_solve
from scoring.rulebook import rules_of


class TeamBooks:
    """`Books` in a transaction that has taken the team's turn (`ScoreRepository.take_turn`).

    What is booked is recorded at `recorded_at`. With `writes` of somebody else's, a fact is one
    that is not there yet, nobody else books for the team meanwhile, and all is written by and by.
    """

    def __init__(
        self,
        session: Session,
        exercise: ExerciseId,
        team: TeamId,
        *,
        recorded_at: datetime,
        writes: Later | None = None,
    ) -> None:
        self.team = team
        self._session = session
        self._exercise = exercise
        self._recorded_at = recorded_at
        self._writes = writes or Later(session, at_once=True)
        self._repository = ScoreRepository(session)
        self._states: dict[str, CheckState] | None = None
        self._solved: dict[str, bool] = {}
        self._costs: dict[str, Sequence[Fact]] = {}
        self.shadow: MemoryBooks | None = None
        self._had: dict[str, Entry] | None = None
        self._corrections: Sequence[Fact] | None = None
        self._total: Total | None = None
        self._head: Head | None = None

    def remember(self, fact: Fact) -> bool:
        """See `Books.remember`."""
        if fact.cause is Cause.CORRECTION:
            self._corrections = None
        if fact.cause in COSTS and fact.milli_points:
            self._costs.pop(fact.subject, None)
        if self._writes.at_once:
            return add_fact(self._session, self._exercise, self.team, fact)
        add_fact_later(self._writes, self._exercise, self.team, fact)
        return True

    def know(
        self,
        *,
        corrections: Sequence[Fact],
        solved: Mapping[str, bool],
        costs: Mapping[str, Sequence[Fact]],
        end: tuple[Head, Total] | None,
    ) -> None:
        """Take what was read of the team: its corrections, of some tasks the solves and costs.

        `end` is the head of its chain and what it has, if they were read.
        """
        self._corrections = [fact for fact in corrections if fact.decided is not None]
        self._solved.update(solved)
        self._costs.update(costs)
        if end is not None:
            self._head, self._total = end

    def costs(self, task: str) -> Sequence[Fact]:
        """See `Books.costs`."""
        if task not in self._costs:
            self._writes.write()
            self._costs[task] = costs_of(self._session, self.team, task)
        return self._costs[task]

    def passed(self) -> Sequence[Firing]:
        """See `Books.passed`."""
        self._writes.write()
        return [firing_of(f) for f in facts_of(self._session, self.team, Cause.PASSED)]

    def check(self, check: str) -> CheckState:
        """See `Books.check`."""
        return self._checks().get(check, CheckState())

    def keep_check(self, check: str, state: CheckState) -> None:
        """See `Books.keep_check`."""
        if state == self.check(check):
            return
        self._states = {**self._checks(), check: state}
        self._repository.keep_check_state(self.team, check, state)

    def _checks(self) -> Mapping[str, CheckState]:
        if self._states is None:
            found = self._repository.check_states([self.team])
            self._states = {check: state for (_, check), state in found.items()}
        return self._states

    def is_solved(self, task: str) -> bool:
        """See `Books.is_solved`."""
        if task not in self._solved:
            self._writes.write()
            self._solved[task] = self._repository.is_solved(self.team, task)
        return self._solved[task]

    def solve(self, task: str, fact: Fact) -> None:
        """See `Books.solve`."""
        keep_solve(self._writes, self._exercise, self.team, task, fact)
        self._solved[task] = True

    def total(self) -> int:
        """See `Books.total`."""
        return self._standing().milli_points

    def _standing(self) -> Total:
        if self._total is not None and not self._writes.at_once:
            return self._total
        return standing(self._session, self.team)

    def sum_of(self, task: str) -> int:
        """See `Books.sum_of`."""
        if self._writes.at_once:
            return self._repository.sum_of(self.team, task)
        return self._standing().tasks.get(task, 0)

    def paid(self, task: str, cause_id: str) -> int:
        """See `Books.paid`."""
        self._writes.write()
        return self._repository.paid(self.team, task, cause_id)

    def given_in_part(self, task: str) -> int:
        """See `Books.given_in_part`."""
        self._writes.write()
        return self._repository.given_in_part(self.team, task)

    def is_booked(self, key: str) -> bool:
        """See `Books.is_booked`."""
        self._writes.write()
        return self._repository.is_booked(key)

    def entry(self, key: str) -> Entry:
        """See `Books.entry`."""
        self._writes.write()
        found = booked_entry(self._session, self.team, key)
        if found is None:
            raise EntryUnknownError(f"there is no entry {key}", hint="Look at the ledger")
        return found.entry

    def book(self, entry: Entry) -> None:
        """See `Books.book`: behind the last link of the chain, and the standing moves with it."""
        self.book_all((entry,))

    def book_all(self, entries: Sequence[Entry]) -> None:
        """See `Books.book_all`."""
        if not entries:
            return
        total = self._standing()
        for entry in entries:
            self._append(entry)
            total.add(entry)
        if any(entry.reverses is not None for entry in entries):
            self._writes.write()
            total = Total.of([e.entry for e in booked_entries(self._session, self.team)])
        keep_standing(self._writes, self._exercise, self.team, total)
        self._total = total
        self._had = None

    def _append(self, entry: Entry) -> None:
        if self._head is None or self._writes.at_once:
            self._head = head(self._session, self.team)
        row = link_values(
            self._exercise,
            entry,
            position=self._head.position + 1,
            prev_hash=self._head.hash,
            reverses=self._id_of(entry.reverses),
            recorded_at=self._recorded_at,
        )
        self._head = Head(row["position"], row["hash"])
        add_entry(self._writes, row)

    def _id_of(self, key: str | None) -> int | None:
        if key is None:
            return None
        self._writes.write()
        found = booked_entry(self._session, self.team, key)
        assert found is not None  # it was read to be taken back
        return found.id

    # Corrections

    def corrections(self) -> Sequence[Fact]:
        """See `Books.corrections`."""
        if self._corrections is None:
            self._writes.write()
            found = facts_of(self._session, self.team, Cause.CORRECTION)
            self._corrections = [fact for fact in found if fact.decided is not None]
        return self._corrections

    def facts(self) -> Iterator[Fact]:
        """See `Books.facts`."""
        self._writes.write()
        return all_facts(self._session, self.team)

    def complete(self, _rules: Rules, /) -> Rules:
        """See `Books.complete`."""
        return rules_of(self._session, self._exercise)

    def effects(self) -> Mapping[str, Entry]:
        """See `Books.effects`."""
        if self._had is None:
            self._writes.write()
            booked = [found.entry for found in booked_entries(self._session, self.team)]
            self._had = standing_effects(booked)
        return self._had

    def follow_shadow(self, shadow: MemoryBooks) -> None:
        """See `Books.follow_shadow`."""
        for check, state in shadow.states.items():
            self.keep_check(check, state)
        self._writes.write()
        self._repository.drop_solves(self.team, but=shadow.solved)
        self._solved.clear()
        for task, fact in shadow.solved.items():
            self.solve(task, fact)
