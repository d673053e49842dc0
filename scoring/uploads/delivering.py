"""Handing files in: who may, what is taken, until when, and which revision it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.file_types import fits
from core.ids import ExerciseId, UserId, new_id
from core.rounds import Rounds
from core.scenario.schema_tasks import RubricTask, Submit
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import NotNowError
from orchestrator.journal import By, Journal
from orchestrator.repository import ExerciseRepository
from scoring.booking import TeamBooks
from scoring.domain.deriving import take
from scoring.domain.files import ending_of, why_refused
from scoring.domain.handing_in import require_takes_files
from scoring.domain.ledger import Cause, Fact
from scoring.domain.rules import NO_RULES
from scoring.errors import TaskLockedError, TaskOverdueError, TaskUnknownError
from scoring.opening import require_open, times_now
from scoring.ports import Exercises
from scoring.repository import ScoreRepository, milliseconds
from scoring.uploads.errors import (
    DeliveryUnknownError,
    FileInfectedError,
    FileRefusedError,
    NotYoursToDeliverError,
    TaskTakesNoFileError,
    TooManyRevisionsError,
)
from scoring.uploads.handed_in import HandedIn, require_role, require_usable, told_before
from scoring.uploads.repository import DeliveryRepository
from scoring.uploads.scanning import Scan, Scanner
from scoring.uploads.store import ContentStore, Incoming
from scoring.uploads.tables import DeliveryRow
from scoring.uploads.views import Delivery, Offer

_MOST_REVISIONS = 100
_STRAY_AFTER = timedelta(days=1)
_ROUND = timedelta(hours=1)


class Uploads:
    """Files of teams."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        store: ContentStore,
        scanner: Scanner,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._store = store
        self._scanner = scanner
        self._journal = Journal(database, clock)
        self._rounds = Rounds(clock, every=_ROUND)

    @contextmanager
    def receive(self, handed: HandedIn) -> Iterator[Incoming]:
        """Give a place to write a file to, once it is sure that it may come at all.

        What `accept` does not keep is gone at the end of the block. Raises TaskUnknownError,
        TaskTakesNoFileError, NotYoursToDeliverError, FileRefusedError by the name or the key,
        NotNowError, TaskLockedError, TaskOverdueError, FileNotStoredError.
        """
        submit = self._submit(handed.exercise, handed.task)
        require_usable(handed, submit)
        with self._database.reading() as session:
            # What was taken before is told again, also when nothing new is taken any more.
            if DeliveryRepository(session).under_key(handed.team.id, handed.client_key) is None:
                self._require_now(session, handed, submit)
        with self._store.receive(limit=submit.max) as incoming:
            yield incoming

    def accept(self, handed: HandedIn, incoming: Incoming) -> Delivery:
        """Keep a file that has come whole, as the next revision of its task, and return it.

        The same key with the same file gets the same revision. Raises as `receive`, and
        FileRefusedError by the content, FileInfectedError, DeliveryKeyReusedError,
        TooManyRevisionsError.
        """
        submit = self._submit(handed.exercise, handed.task)
        why = why_refused(submit, handed.name, size=incoming.size)
        ending = ending_of(submit, handed.name)
        if not why and not fits(ending, incoming.media_type):
            why = f"is no {ending} by its content, which is {incoming.media_type}"
        if why:
            raise FileRefusedError(f"the file {why}", hint="Nothing was handed in")
        incoming.settle()
        scan = self._scanner.scan(incoming.path)
        if scan is Scan.INFECTED:
            self._note_infected(handed, incoming)
            raise FileInfectedError(
                "the scanner of this site found something harmful in the file",
                hint="Nothing was handed in; tell your instructor",
            )
        # Before the row, so that what a row names is there whatever happens next.
        self._store.keep(incoming)
        with self._database.transaction() as transaction:
            return self._take(transaction, handed, submit, incoming, ending, scan)

    def offers(self, exercise: Exercise, team: Team, user: UserId) -> tuple[Offer, ...]:
        """Return what a team may hand in, for each task that takes a file."""
        scenario = self._exercises.scenario(exercise).scenario
        with self._database.reading() as session:
            found = DeliveryRepository(session).of_teams([team.id])
            return tuple(
                self._offer(session, exercise, team, user, name, found)
                for name, task in scenario.tasks.items()
                if isinstance(task, RubricTask) and task.submit is not None
            )

    def find(self, exercise: Exercise, delivery: str) -> Delivery:
        """Return a file of an exercise; raises DeliveryUnknownError."""
        with self._database.reading() as session:
            found = DeliveryRepository(session).find(exercise.id, delivery)
        if found is None:
            raise DeliveryUnknownError("there is no such file for you", hint="Reload the page")
        return found

    def content(self, delivery: Delivery) -> bytes:
        """Return a file as it was handed in; raises FileNotStoredError."""
        return self._store.read(delivery.sha256)

    def sweep(self) -> None:
        """Once an hour delete what never came whole, or which no delivery has, after a day."""
        if not self._rounds.is_due():
            return
        now = self._clock.now()
        with self._database.reading() as session:
            self._store.sweep(DeliveryRepository(session).known, now - _STRAY_AFTER)

    def _submit(self, exercise: Exercise, name: str) -> Submit:
        tasks = self._exercises.scenario(exercise).scenario.tasks
        if name not in tasks:
            raise TaskUnknownError(
                f"there is no task {name[:50]!r}", hint=f"The tasks are {', '.join(tasks)}"
            )
        task = tasks[name]
        if not isinstance(task, RubricTask) or task.submit is None:
            raise TaskTakesNoFileError(f"no file is handed in for {name}", hint="Read its text")
        return task.submit

    def _require_now(self, session: Session, handed: HandedIn, submit: Submit) -> None:
        exercise = ExerciseRepository(session).find(ExerciseId(handed.exercise.id))
        team = exercise.team(handed.team.slug) if exercise is not None else None
        assert exercise is not None  # neither exercises nor
        assert team is not None  # teams are ever deleted
        scenario, now = self._exercises.scenario(exercise).scenario, self._clock.now()
        require_role(scenario, team, handed.user, submit)
        require_takes_files(exercise, team, scenario.end.grace, now)
        times = times_now(session, team.id, scenario.tasks[handed.task])
        require_open(handed.task, times, exercise.elapsed(now, team.id))

    def _take(
        self,
        transaction: Transaction,
        handed: HandedIn,
        submit: Submit,
        incoming: Incoming,
        ending: str,
        scan: Scan,
    ) -> Delivery:
        exercise, team = handed.exercise, handed.team
        ScoreRepository(transaction.session).take_turn(exercise.id, team.id)
        repository = DeliveryRepository(transaction.session)
        before = repository.under_key(team.id, handed.client_key)
        if before is not None:
            return told_before(before, handed, incoming)
        self._require_now(transaction.session, handed, submit)
        last = repository.last_revision(team.id, handed.task)
        if last >= _MOST_REVISIONS:
            raise TooManyRevisionsError(
                f"your team has handed in {last} files for {handed.task}, and no more are taken",
                hint="The last one counts",
            )
        now = self._clock.now()
        delivery = repository.add(
            DeliveryRow(
                id=new_id(),
                exercise_id=exercise.id,
                team_id=team.id,
                user_id=handed.user,
                task=handed.task,
                revision=last + 1,
                client_key=handed.client_key,
                name=handed.name,
                ending=ending,
                media_type=incoming.media_type,
                size_bytes=incoming.size,
                sha256=incoming.sha256,
                scan=scan,
                received_at=now,
                exercise_ms=milliseconds(exercise.elapsed(now, team.id)),
            )
        )
        self._remember(transaction, handed, delivery)
        unscanned = ", and the scanner failed" if scan is Scan.UNSCANNED else ""
        text = f"revision {last + 1}: {incoming.size} bytes, SHA-256 {incoming.sha256}{unscanned}"
        self._note(transaction, handed, "file.delivered", text)
        return delivery

    def _remember(self, transaction: Transaction, handed: HandedIn, delivery: Delivery) -> None:
        """Put it among the team's facts: with the first file the team has done the task."""
        fact = Fact(
            Cause.DELIVERY,
            delivery.id,
            delivery.at,
            delivery.user,
            delivery.task,
            delivery.revision,
            elapsed=delivery.elapsed,
        )
        books = TeamBooks(
            transaction.session, handed.exercise.id, delivery.team, recorded_at=delivery.at
        )
        take(fact, books, NO_RULES)

    def _note_infected(self, handed: HandedIn, incoming: Incoming) -> None:
        text = f"refused: {incoming.size} bytes, SHA-256 {incoming.sha256}"
        with self._database.transaction() as transaction:
            self._note(transaction, handed, "file.infected", text)

    def _note(self, transaction: Transaction, handed: HandedIn, act: str, text: str) -> None:
        self._journal.note(
            transaction,
            handed.exercise,
            act,
            text,
            team=handed.team.id,
            subject=handed.task,
            by=By(user=handed.user),
        )

    def _offer(
        self,
        session: Session,
        exercise: Exercise,
        team: Team,
        user: UserId,
        name: str,
        found: tuple[Delivery, ...],
    ) -> Offer:
        scenario = self._exercises.scenario(exercise).scenario
        submit = self._submit(exercise, name)
        because = ""
        asked = HandedIn(exercise=exercise, team=team, user=user, task=name, name="", client_key="")
        try:
            self._require_now(session, asked, submit)
        except (NotNowError, TaskLockedError, TaskOverdueError, NotYoursToDeliverError) as error:
            because = error.message
        return Offer(
            task=name,
            files=submit.files,
            max_bytes=submit.max,
            roles=submit.by,
            because=because,
            due=times_now(session, team.id, scenario.tasks[name]).due,
            grace=scenario.end.grace,
            revisions=tuple(delivery for delivery in found if delivery.task == name),
        )
