"""Points that another system gives and signs: each event once, with its source and its reason."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import new_id
from core.scenario.schema_tasks import FeedTask
from core.security import derive
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act, require
from orchestrator.journal import By, Journal
from orchestrator.repository import ExerciseRepository
from scoring.booking import TeamBooks
from scoring.domain.deriving import take
from scoring.domain.ledger import MILLI, Cause, EntryKind, Fact, Grant, Ruling
from scoring.domain.rules import NO_RULES
from scoring.domain.signing import is_signed, is_timely
from scoring.errors import (
    FeedOutOfRangeError,
    FeedRefusedError,
    FeedRepeatedError,
    TaskNotFedError,
    TaskUnknownError,
)
from scoring.ports import Exercises
from scoring.repository import ScoreRepository
from scoring.tables import FeedItemRow, FeedKeyRow

ROTATED = "feed.key_rotated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request as it came in: its timestamp and signature are in headers."""

    timestamp: str
    signature: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """An event of another system, named `event` there: points in thousandths, given or taken."""

    event: str
    task: str
    milli_points: int
    reason: str
    sent_at: datetime


class Feeding:
    """Feeds of exercises."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._journal = Journal(database, clock)

    def key(self, exercise: Exercise) -> str:
        """Return the key that an exercise's feed is signed with."""
        with self._database.reading() as session:
            secret = ExerciseRepository(session).secret(exercise.id)
            found = session.get(FeedKeyRow, exercise.id)
        return derive(secret, "feed", str(found.number if found is not None else 1)).hex()

    def rotate(self, exercise: Exercise, *, by: By) -> str:
        """Return a new key; what is signed with the former one is refused from now on."""
        with self._database.transaction() as transaction:
            session = transaction.session
            found = session.scalar(
                select(FeedKeyRow).where(FeedKeyRow.exercise_id == exercise.id).with_for_update()
            )
            if found is None:
                session.add(FeedKeyRow(exercise_id=exercise.id, number=2))
            else:
                found.number += 1
            self._journal.note(transaction, exercise, ROTATED, "the feed has a new key", by=by)
        return self.key(exercise)

    def verify(self, exercise: Exercise | None, signed: Signed) -> None:
        """Raise FeedRefusedError unless a request was signed for this exercise just now.

        `None` stands for an exercise that there is not: it is refused in the same way.
        """
        key = self.key(exercise) if exercise is not None else ""
        is_right = is_signed(key, signed.timestamp, signed.body, signed.signature)
        if exercise is None or not is_right:
            raise FeedRefusedError(
                "this is not signed with the key of an exercise's feed",
                hint="poligon score feed-key EXERCISE prints the key; sign the bytes that you send",
            )
        if not is_timely(signed.timestamp, self._clock.now()):
            raise FeedRefusedError(
                "the timestamp is more than five minutes from this server's clock",
                hint="Set the sender's clock by NTP and sign again with the time of sending",
            )

    def take(self, exercise: Exercise, team: Team, item: FeedItem) -> int:
        """Book an event and return what the task gives the team now, in thousandths.

        Raises NotNowError, TaskUnknownError, TaskNotFedError, FeedOutOfRangeError, and
        FeedRepeatedError for one that was taken before, which has no second effect.
        """
        task = self._fed(exercise, item.task)
        exercise.require(Act.ANSWER, team)
        with self._database.transaction() as transaction:
            repository = ScoreRepository(transaction.session)
            require(repository.take_turn(exercise.id, team.id), Act.ANSWER)
            row = self._row(exercise, team, task, item)
            if not repository.add_feed_item(row):
                raise FeedRepeatedError(
                    f"the event {item.event} was taken before; nothing was changed",
                    hint="Do not send it again; a new event has a new name",
                )
            return self._book(transaction, exercise, team, task, row)

    def _fed(self, exercise: Exercise, name: str) -> FeedTask:
        tasks = self._exercises.scenario(exercise).scenario.tasks
        fed = ", ".join(n for n, task in tasks.items() if isinstance(task, FeedTask)) or "none"
        if name not in tasks:
            raise TaskUnknownError(f"there is no task {name[:50]!r}", hint=f"Fed are: {fed}")
        task = tasks[name]
        if not isinstance(task, FeedTask):
            raise TaskNotFedError(f"{name} takes no points from outside", hint=f"Fed are: {fed}")
        return task

    def _row(self, exercise: Exercise, team: Team, task: FeedTask, item: FeedItem) -> FeedItemRow:
        return FeedItemRow(
            id=new_id(),
            exercise_id=exercise.id,
            team_id=team.id,
            task=item.task,
            event=item.event,
            source=task.feed.source,
            milli_points=item.milli_points,
            reason=item.reason,
            sent_at=item.sent_at,
            received_at=self._clock.now(),
        )

    def _book(
        self,
        transaction: Transaction,
        exercise: Exercise,
        team: Team,
        task: FeedTask,
        row: FeedItemRow,
    ) -> int:
        books = TeamBooks(transaction.session, exercise.id, team.id, recorded_at=self._clock.now())
        after = books.sum_of(row.task) + row.milli_points
        if not 0 <= after <= task.points * MILLI:
            raise FeedOutOfRangeError(
                f"{row.task} would give {after / MILLI:g} points, and gives 0 to {task.points}",
                hint="Nothing was changed; send what fits",
            )
        grant = Grant(task=row.task, kind=EntryKind.FEED, milli_points=row.milli_points)
        fact = Fact(
            cause=Cause.FEED,
            id=row.id,
            at=row.received_at,
            subject=row.task,
            elapsed=exercise.elapsed(row.received_at, team.id),
            ruling=Ruling(grants=(grant,), reason=f"{row.source}: {row.reason}"),
        )
        take(fact, books, NO_RULES)
        return after
