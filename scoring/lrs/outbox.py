"""What is to be told of exercises: booked in the database, in the same way however often."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.db import Database
from core.errors import Fault, PoligonError
from core.ids import ExerciseId
from core.rounds import Rounds
from orchestrator.domain.exercise import Exercise
from scoring.exports.as_xapi import Statement, statement_id, statements_of, voided, written
from scoring.lrs.repository import OutboxRepository
from scoring.lrs.state import State
from scoring.lrs.tables import StatementRow
from scoring.ports import Exercises
from scoring.records.record import TrainingRecord, record_of
from scoring.results import results_of
from scoring.team_scenario import TeamScenario

log = structlog.get_logger()

_EVERY = timedelta(seconds=10)


class LrsNotSetError(PoligonError):
    """The site tells no learning record store anything."""

    code = "lrs.not_set"
    fault = Fault.CONFLICT

    def __init__(self) -> None:
        super().__init__(
            "this site has no learning record store",
            hint="Set POLIGON_LRS_URL and POLIGON_LRS_HOME_PAGE",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where results go: the LRS's address, and the page under which people and tasks have ids."""

    address: str
    home_page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How many statements are where, and what was last wrong with the LRS or with one of them.

    `next_try` is when they are sent at the earliest, if the LRS did not take them when last asked.
    """

    counts: Mapping[State, int]
    next_try: datetime | None
    problem: str
    refused: str


class Outbox:
    """Statements for an LRS; without a `destination` none are booked."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        destination: Destination | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._destination = destination
        self._rounds = Rounds(clock, every=_EVERY)

    @property
    def destination(self) -> Destination:
        """Where results go; raises LrsNotSetError."""
        if self._destination is None:
            raise LrsNotSetError
        return self._destination

    def sweep(self) -> int:
        """Book what is to be told of exercises, every so often; return how many statements."""
        if self._destination is None or not self._rounds.is_due():
            return 0
        return self.book()

    def book(self) -> int:
        """Book what is to be told of every exercise that is over; return how many statements.

        What was told before and is so no longer is taken back. An exercise whose record cannot be
        made keeps no other one back. Raises LrsNotSetError.
        """
        _ = self.destination
        with self._database.reading() as session:
            untold = OutboxRepository(session).untold()
        booked = 0
        for exercise in untold:
            try:
                booked += self._tell(self._exercises.get(exercise))
            except PoligonError as error:
                log.warning("lrs.not_booked", exercise=exercise, error=str(error))
        return booked

    def status(self) -> Status:
        """Return how it stands; raises LrsNotSetError."""
        with self._database.reading() as session:
            repository = OutboxRepository(session)
            lrs = repository.lrs(self.destination.address)
            refused = repository.last_refused()
            return Status(
                counts=repository.counts(),
                next_try=lrs.due if lrs is not None and lrs.failures else None,
                problem=lrs.problem if lrs is not None else "",
                refused=refused.problem if refused is not None else "",
            )

    def retry(self) -> int:
        """Let the statements that the LRS refused wait again; return how many."""
        with self._database.transaction() as transaction:
            return OutboxRepository(transaction.session).try_again()

    def _tell(self, exercise: Exercise) -> int:
        seen, facts, record = self._record(exercise)
        wanted = {one.subject: one for one in statements_of(record, self.destination.home_page)}
        with self._database.transaction() as transaction:
            repository = OutboxRepository(transaction.session)
            if not repository.claim(exercise.id, seen=seen, facts=facts):
                return 0  # somebody else has, perhaps of a later record
            rows = self._difference(repository, exercise.id, wanted)
            repository.add(rows)
        if rows:
            log.info("lrs.booked", exercise=exercise.name, statements=len(rows))
        return len(rows)

    def _record(self, exercise: Exercise) -> tuple[int | None, int, TrainingRecord]:
        """Return after how many facts it was last told, how many there are, and their record."""
        with self._database.snapshot() as session:
            repository = OutboxRepository(session)
            seen, facts = repository.told(exercise.id), repository.facts(exercise.id)
            results = results_of(session, [team.id for team in exercise.teams])
        scenarios = {t.id: TeamScenario.of(self._exercises, exercise, t) for t in exercise.teams}
        return seen, facts, record_of(exercise, scenarios, results, now=self._clock.now())

    def _difference(
        self, repository: OutboxRepository, exercise: ExerciseId, wanted: Mapping[str, Statement]
    ) -> Sequence[Mapping[str, object]]:
        """Return the rows to add: first what takes back, then what is new."""
        told, revisions = repository.true_ones(exercise), dict(repository.revisions(exercise))
        untrue = [
            row
            for subject, row in told.items()
            if subject not in wanted or wanted[subject].digest != row.digest
        ]
        new = [
            statement
            for subject, statement in wanted.items()
            if subject not in told or told[subject].digest != statement.digest
        ]
        return [
            *self._voids(repository, exercise, untrue, revisions),
            *(self._row(exercise, one.subject, one.digest, one.body, revisions) for one in new),
        ]

    def _voids(
        self,
        repository: OutboxRepository,
        exercise: ExerciseId,
        untrue: Sequence[StatementRow],
        revisions: dict[str, int],
    ) -> Iterator[Mapping[str, object]]:
        for row in untrue:
            if repository.take_back(row):
                body = voided(row.id, self.destination.home_page, at=self._clock.now())
                void = Statement(subject=row.subject, body=body)
                found = self._row(exercise, row.subject, void.digest, void.body, revisions)
                yield {**found, "is_true": False, "voids": row.id}

    def _row(
        self,
        exercise: ExerciseId,
        subject: str,
        digest: str,
        body: Mapping[str, object],
        revisions: dict[str, int],
    ) -> Mapping[str, object]:
        revision = revisions[subject] = revisions.get(subject, 0) + 1
        id_ = statement_id(exercise, subject, revision=revision, digest=digest)
        return {
            "id": id_,
            "exercise_id": exercise,
            "subject": subject,
            "revision": revision,
            "digest": digest,
            "body": written({"id": id_, **body}),
            "is_true": True,
            "voids": None,
            "state": State.WAITING,
            "problem": "",
            "booked_at": self._clock.now(),
        }
