"""Hints: who may take which and when, and that a team takes each once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import UserId, new_id
from core.scenario.schema_tasks import Hint, Task
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act, require
from orchestrator.journal import By, Journal
from scoring.booking import TeamBooks
from scoring.domain.deriving import take
from scoring.domain.ledger import MILLI, Cause, Fact
from scoring.domain.rules import NO_RULES
from scoring.errors import HintNotNowError, HintUnknownError
from scoring.opening import require_open, times_now
from scoring.repository import ScoreRepository
from scoring.tables import HintTakenRow
from scoring.team_scenario import TeamScenario

TAKEN = "hint.taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody of a team asks for a hint of a task; `hint` counts from 1."""

    exercise: Exercise
    team: Team
    user: UserId
    task: str
    hint: int


class Hinting:
    """Hints of teams."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._journal = Journal(database, clock)

    def take(self, asked: Asked, scenario: TeamScenario) -> None:
        """Give a hint to a team; see `Scoring.take_hint`."""
        now = self._clock.now()
        asked.exercise.require(Act.ANSWER, asked.team)
        task = scenario.task(asked.task)
        hints = scenario.hints(asked.task)
        if not 1 <= asked.hint <= len(hints):
            raise HintUnknownError(
                f"{asked.task} has no hint {asked.hint}", hint=f"It has {len(hints) or 'none'}"
            )
        hint = hints[asked.hint - 1]
        with self._database.transaction() as transaction:
            repository = ScoreRepository(transaction.session)
            require(repository.take_turn(asked.exercise.id, asked.team.id), Act.ANSWER)
            mine = repository.hints([asked.team.id]).get((asked.team.id, asked.task), [])
            if asked.hint in {row.hint for row in mine}:
                return
            _require_now(transaction.session, asked, task, hint, now)
            row = _row(asked, now)
            if repository.add_hint(row):
                self._book(transaction, asked, hint, row)
                text = f"hint {asked.hint}, which costs {hint.cost}"
                self._journal.note(
                    transaction,
                    asked.exercise,
                    TAKEN,
                    text,
                    team=asked.team.id,
                    subject=asked.task,
                    by=By(user=asked.user),
                )

    def _book(self, transaction: Transaction, asked: Asked, hint: Hint, row: HintTakenRow) -> None:
        fact = Fact(
            cause=Cause.HINT,
            id=row.id,
            at=row.taken_at,
            user=asked.user,
            subject=asked.task,
            number=asked.hint,
            outcome=hint.charge,
            elapsed=asked.exercise.elapsed(row.taken_at, asked.team.id),
            milli_points=hint.cost * MILLI,
        )
        books = TeamBooks(
            transaction.session, asked.exercise.id, asked.team.id, recorded_at=self._clock.now()
        )
        take(fact, books, NO_RULES)


def _require_now(session: Session, asked: Asked, task: Task, hint: Hint, now: datetime) -> None:
    if ScoreRepository(session).is_solved(asked.team.id, asked.task):
        raise HintNotNowError(
            f"your team has done {asked.task}", hint="A hint would cost points for nothing"
        )
    times = times_now(session, asked.team.id, task)
    elapsed = asked.exercise.elapsed(now, asked.team.id)
    require_open(asked.task, times, elapsed)
    assert times.opened is not None  # it is open
    if elapsed < times.opened + hint.after:
        raise HintNotNowError(
            f"this hint can be had from {times.opened + hint.after} of your clock on",
            hint="Ask again then",
        )


def _row(asked: Asked, now: datetime) -> HintTakenRow:
    return HintTakenRow(
        id=new_id(),
        exercise_id=asked.exercise.id,
        team_id=asked.team.id,
        user_id=asked.user,
        task=asked.task,
        hint=asked.hint,
        taken_at=now,
    )
