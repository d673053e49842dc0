"""Delivery of what is booked: oldest first, many at once, by one process at a time."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from core.clock import Clock
from core.db import Database
from core.ids import new_id
from scoring.lrs.calling import Calling
from scoring.lrs.lrs import Lrs, LrsAwayError, has, stored, understood
from scoring.lrs.repository import OutboxRepository
from scoring.lrs.state import State
from scoring.lrs.tables import StatementRow

log = structlog.get_logger()

BATCH = 50
"""How many statements go out in one call, at most."""
HELD_FOR = timedelta(seconds=60)
"""How long nobody else delivers once somebody does and is heard of no more."""
_ROUND = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What came of a round: how many went or were refused, and what stopped it, if anything did."""

    delivered: int = 0
    refused: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """What became of some statements, and why if they were not wanted."""

    state: State
    rows: Sequence[StatementRow]
    problem: str = ""


class Delivering:
    """Takes statements from the outbox to an LRS; `address` is what it is called in the database.

    One that is sent twice is stored once, as it has its id from here.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        lrs: Lrs,
        *,
        address: str,
        roll: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lrs = lrs
        self._address = address
        self._roll = roll

    def sweep(self) -> Sent:
        """Deliver what waits, for some seconds, unless the LRS is to be left alone."""
        with self._database.reading() as session:
            repository = OutboxRepository(session)
            lrs = repository.lrs(self._address)
            is_due = lrs is None or lrs.due <= self._clock.now()
            if not is_due or not repository.next(1):
                return Sent()
        return self._deliver(within=_ROUND)

    def send(self) -> Sent:
        """Deliver all that waits now, also when the LRS was to be left alone."""
        return self._deliver(within=None)

    def _deliver(self, *, within: timedelta | None) -> Sent:
        name, begun = new_id(), self._clock.now()
        if not self._hold(name):
            return Sent(problem="another process is delivering now")
        calling = Calling(self._failures(), self._roll)
        counts, away = Counter[State](), ""
        try:
            for came in self._outcomes(calling):
                is_held = self._settle(name, came)
                counts[came.state] += len(came.rows)
                if not is_held or (within and self._clock.now() - begun >= within):
                    break
        except LrsAwayError as error:
            away = error.message
        finally:
            self._let_go(name, calling, away)
        sent = Sent(delivered=counts[State.DELIVERED], refused=counts[State.REFUSED], problem=away)
        if sent != Sent():
            log.info("lrs.sent", delivered=sent.delivered, refused=sent.refused, away=away)
        return sent

    def _outcomes(self, calling: Calling) -> Iterator[_Outcome]:
        """Send what waits, as far as somebody asks what became of it."""
        while batch := self._next():
            yield from self._told(calling, batch)

    def _told(self, calling: Calling, batch: Sequence[StatementRow]) -> Iterator[_Outcome]:
        """Send statements; yield what became of which of them."""
        ids, bodies = [row.id for row in batch], [row.body for row in batch]
        answer = calling.ask(lambda: understood(self._lrs.post(bodies), posted=ids))
        if not answer.is_refusal:
            said = stored(answer, ids)
            yield _Outcome(state=State.DELIVERED, rows=[row for row in batch if row.id in said])
            yield from self._unsaid(calling, [row for row in batch if row.id not in said])
            return
        # One that it does not want, or has already, keeps all the others out.
        if answer.is_conflict and (there := self._there(calling, batch)):
            yield _Outcome(state=State.DELIVERED, rows=there)
            missing = [row for row in batch if row not in there]
            if missing:
                yield from self._told(calling, missing)
            return
        for row in batch:
            yield self._told_alone(calling, row)

    def _unsaid(self, calling: Calling, rows: Sequence[StatementRow]) -> Iterator[_Outcome]:
        """Look up statements of a batch that was taken, though the LRS does not name them."""
        if not rows:
            return
        there = self._there(calling, rows)
        yield _Outcome(state=State.DELIVERED, rows=there)
        if len(there) < len(rows):
            raise LrsAwayError("it took a batch, and does not have all that was in it")

    def _told_alone(self, calling: Calling, row: StatementRow) -> _Outcome:
        answer = calling.ask(lambda: understood(self._lrs.put(row.id, row.body)))
        if not answer.is_refusal or any(
            # It may have been taken back there: a database that was restored does not know.
            self._there(calling, [row], voided=voided)
            for voided in (False, True)
        ):
            return _Outcome(state=State.DELIVERED, rows=[row])
        log.warning("lrs.refused", statement=row.id, subject=row.subject, answer=answer.in_words)
        return _Outcome(state=State.REFUSED, rows=[row], problem=answer.in_words)

    def _there(
        self, calling: Calling, rows: Sequence[StatementRow], *, voided: bool = False
    ) -> Sequence[StatementRow]:
        """Return those that the LRS has just so; with `voided`, those taken back there."""
        there: list[StatementRow] = []
        unknown = list(rows)

        def look() -> None:
            away: LrsAwayError | None = None
            asked = tuple(unknown)
            answers = self._lrs.get([row.id for row in asked], voided=voided)
            for row, answer in zip(asked, answers, strict=True):
                try:
                    if has(answer, row.body):
                        there.append(row)
                    unknown.remove(row)
                except LrsAwayError as error:
                    away = error if away is None or away.brief else away
            if len(unknown) < len(asked):
                calling.failures = 0  # it does answer
            if away is not None:
                raise away

        calling.ask(look)
        return there

    def _next(self) -> Sequence[StatementRow]:
        """Return what goes out next: nothing together with what takes it back."""
        with self._database.transaction() as transaction:
            repository = OutboxRepository(transaction.session)
            for id_, target in repository.in_vain():
                repository.give_up(id_, target)
            return repository.next(BATCH)

    def _settle(self, name: str, came: _Outcome) -> bool:
        """Note what became of statements; tell whether the LRS is held still, for a time anew."""
        now, ids = self._clock.now(), [row.id for row in came.rows]
        with self._database.transaction() as transaction:
            repository = OutboxRepository(transaction.session)
            repository.settle(ids, came.state, at=now, problem=came.problem)
            return repository.hold(self._address, name, until=now + HELD_FOR, now=now)

    # One at a time

    def _failures(self) -> int:
        with self._database.reading() as session:
            lrs = OutboxRepository(session).lrs(self._address)
            return lrs.failures if lrs is not None else 0

    def _hold(self, name: str) -> bool:
        now = self._clock.now()
        with self._database.transaction() as transaction:
            repository = OutboxRepository(transaction.session)
            return repository.hold(self._address, name, until=now + HELD_FOR, now=now)

    def _let_go(self, name: str, calling: Calling, problem: str) -> None:
        now = self._clock.now()
        with self._database.transaction() as transaction:
            OutboxRepository(transaction.session).let_go(
                self._address,
                name,
                failures=calling.failures,
                due=now + calling.wait if problem else now,
                problem=problem,
                now=now,
            )
