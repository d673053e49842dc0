"""One transaction on a team's task, and what its marks become once they are all in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import ExerciseId, UserId
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.journal import SYSTEM, By, Journal
from orchestrator.repository import ExerciseRepository
from scoring.domain.ledger import MILLI
from scoring.domain.marking import MarkingState
from scoring.marking.booking import book_result
from scoring.marking.cases import Case, cases
from scoring.marking.errors import MarkingNotNowError
from scoring.marking.fit import Marks
from scoring.marking.records import Mark
from scoring.marking.repository import MarkRepository
from scoring.ports import Exercises
from scoring.repository import ScoreRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A team's task as it is now; nobody else changes it before the transaction's end."""

    transaction: Transaction
    repository: MarkRepository
    journal: Journal
    exercise: Exercise
    scenario: Scenario
    case: Case
    now: datetime

    def put(self, sheet: str, marks: Marks, *, handed_in: datetime | None) -> None:
        """Keep marks on a sheet; with a time they are handed in."""
        for criterion, given in marks.items():
            mark = Mark(level=given.level, reason=given.reason.strip(), handed_in=handed_in)
            self.repository.put(sheet, criterion, mark, at=self.now)

    def settle(self, *, by: UserId | None) -> None:
        """Make the assessors' marks the result, if all are in and close enough."""
        now = self._again()
        case = now.case
        if case.is_agreed:
            now.decide(by=by, moderated=False)
        elif case.state is MarkingState.TO_MODERATE:
            apart = float(case.scheme.difference(case.levels)) * 100
            now.note("marks.apart", f"by {apart:.0f} % of the points", SYSTEM)

    def decide(self, *, by: UserId | None, moderated: bool) -> None:
        """Make the marks that are in the team's result, and book it."""
        current = self.case.current
        assert current is not None  # it has marks
        self.repository.decide(current.id, at=self.now, moderated=moderated)
        decided = self._again().case.current
        assert decided is not None
        session, exercise = self.transaction.session, self.exercise.id
        book_result(session, exercise, self.case, decided, by=by, at=self.now)
        points = self.case.points_of(decided) / MILLI
        text = f"{points:g} of {self.case.task.points} points"
        self.note("marks.decided", text, By(user=by))

    def note(self, act: str, text: str, by: By) -> None:
        """Write an act on the team's task into the exercise's log."""
        team, task = self.case.team.id, self.case.name
        self.journal.note(
            self.transaction, self.exercise, act, text, team=team, subject=task, by=by
        )

    def _again(self) -> "Turn":
        session = self.transaction.session
        session.expire_all()
        team, task = self.case.team, self.case.name
        return replace(
            self, case=_case(session, self.scenario, self.exercise, team, task, self.now)
        )


class Turns:
    """Gives turns, one after another for each team."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._journal = Journal(database, clock)

    @contextmanager
    def take(self, exercise: Exercise, team: Team, task: str) -> Iterator[Turn]:
        """Give a turn on a task that assessors mark; raises MarkingNotNowError before the start."""
        with self._database.transaction() as transaction:
            session = transaction.session
            ScoreRepository(session).take_turn(exercise.id, team.id)
            now = self._clock.now()
            found = ExerciseRepository(session).find(ExerciseId(exercise.id))
            assert found is not None  # exercises are never deleted
            scenario = self._exercises.scenario(found).scenario
            yield Turn(
                transaction=transaction,
                repository=MarkRepository(session),
                journal=self._journal,
                exercise=found,
                scenario=scenario,
                case=_case(session, scenario, found, team, task, now),
                now=now,
            )


def _case(
    session: Session,
    scenario: Scenario,
    exercise: Exercise,
    team: Team,
    task: str,
    now: datetime,
) -> Case:
    found = cases(session, scenario, exercise, [team], now)
    case = next((case for case in found if case.name == task), None)
    if case is None:
        raise MarkingNotNowError("the exercise has not begun", hint="Mark what teams did in it")
    return case
