"""Delivery of what is booked: oldest first, many at once, by one process at a time."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from core.clock import Clock
from core.db import Database
from core.ids import new_id
from scoring.lrs.calling import Calling
from scoring.lrs.lrs import Lrs, LrsAwayError, has, understood
from scoring.lrs.repository import OutboxRepository
from scoring.lrs.state import State
from scoring.lrs.tables import StatementRow

log = structlog.get_logger()

BATCH = 50
"""How many statements go out in one call, at most."""
HELD_FOR = timedelta(seconds=60)
"""How long nobody else delivers once somebody does and is heard of no more."""
_ROUND = timedelta(seconds=5)


@dataclass(slots=True, kw_only=True)
class Sent:
    """What came of a round: how many went or were refused, and what stopped it, if anything did."""

    delivered: int = 0
    refused: int = 0
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
        name, sent, begun = new_id(), Sent(), self._clock.now()
        if not self._hold(name):
            return Sent(problem="another process is delivering now")
        calling = Calling(self._failures(), self._roll)
        try:
            while within is None or self._clock.now() - begun < within:
                batch = self._next()
                if not batch or not self._hold(name):
                    break
                for state, rows, problem in self._told(calling, batch):
                    self._settle(rows, state, problem)
                    sent.delivered += len(rows) if state is State.DELIVERED else 0
                    sent.refused += len(rows) if state is State.REFUSED else 0
        except LrsAwayError as error:
            sent.problem = error.message
        finally:
            self._let_go(name, calling, sent.problem)
        if sent != Sent():
            log.info("lrs.sent", delivered=sent.delivered, refused=sent.refused, away=sent.problem)
        return sent

    def _told(
        self, calling: Calling, batch: Sequence[StatementRow]
    ) -> Iterator[tuple[State, Sequence[StatementRow], str]]:
        """Send statements; yield what became of which of them, and why if it was not wanted."""
        ids, bodies = [row.id for row in batch], [row.body for row in batch]
        answer = calling.ask(lambda: understood(self._lrs.post(bodies), posted=ids))
        if not answer.is_refusal:
            yield State.DELIVERED, batch, ""
            return
        # One that it does not want, or has already, keeps all the others out.
        if answer.is_conflict and (there := self._there(calling, batch)):
            yield State.DELIVERED, there, ""
            missing = [row for row in batch if row not in there]
            if missing:
                yield from self._told(calling, missing)
            return
        for row in batch:
            yield self._told_alone(calling, row)

    def _told_alone(
        self, calling: Calling, row: StatementRow
    ) -> tuple[State, Sequence[StatementRow], str]:
        answer = calling.ask(lambda: understood(self._lrs.put(row.id, row.body)))
        if not answer.is_refusal or any(
            # It may have been taken back there: a database that was restored does not know.
            self._there(calling, [row], voided=voided)
            for voided in (False, True)
        ):
            return State.DELIVERED, [row], ""
        log.warning("lrs.refused", statement=row.id, subject=row.subject, answer=answer.in_words)
        return State.REFUSED, [row], answer.in_words

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
                    away = error
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

    def _settle(self, rows: Sequence[StatementRow], state: State, problem: str) -> None:
        with self._database.transaction() as transaction:
            OutboxRepository(transaction.session).settle(
                [row.id for row in rows], state, at=self._clock.now(), problem=problem
            )

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
