"""A team asks whether the checks of a task pass now. Nothing is scored, and nothing is booked."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId, UserId, new_id
from core.jobs import Job
from core.scenario.schema_tasks import ChecksTask
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import PERMITS, Act, NotNowError
from scoring.domain.verdicts import Verdict
from scoring.errors import AskedTooSoonError, TaskLockedError, TaskNotAskableError
from scoring.looker import Looker
from scoring.opening import times_now
from scoring.ports import Exercises
from scoring.repository import ScoreRepository
from scoring.tables import CheckQuestionRow
from scoring.team_scenario import TeamScenario

ASK = "scoring.ask"
REST = timedelta(seconds=30)
"""How long a team waits between two questions about a task."""


class Holds(StrEnum):
    """What a team is told of a check."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # we could not look


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckAnswer:
    """What was seen of one check; `output` is empty unless its author lets teams see it."""

    check: str
    holds: Holds
    output: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question of a team about a task; without an answer as long as nobody has looked."""

    id: str
    task: str
    asked_at: datetime
    answered_at: datetime | None
    answer: tuple[CheckAnswer, ...]


class Asking:
    """Questions of teams, which a worker answers."""

    def __init__(
        self, database: Database, clock: Clock, exercises: Exercises, looker: Looker
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._looker = looker

    def ask(self, exercise: Exercise, team: Team, user: UserId, task: str) -> Question:
        """Ask whether a task's checks pass now; return the question, not yet answered.

        Raises TaskUnknownError, TaskNotAskableError, TaskLockedError, AskedTooSoonError,
        NotNowError.
        """
        asked = TeamScenario.of(self._exercises, exercise, team).task(task)
        if not isinstance(asked, ChecksTask):
            raise TaskNotAskableError(f"{task} is not decided by checks", hint="Answer it instead")
        now = self._clock.now()
        row = CheckQuestionRow(
            id=new_id(),
            exercise_id=exercise.id,
            team_id=team.id,
            user_id=user,
            task=task,
            asked_at=now,
        )
        with self._database.transaction() as transaction:
            session = transaction.session
            phase = ScoreRepository(session).take_turn(exercise.id, team.id)
            if Act.CHECK not in PERMITS[phase]:
                raise NotNowError(phase=phase, act=Act.CHECK)
            if not times_now(session, team.id, asked).is_open:
                raise TaskLockedError(f"{task} is not open yet", hint="Go on with another task")
            _require_rested(session, team.id, task, now)
            session.add(row)
            transaction.after_commit(Job(ASK, (exercise.id, team.id, row.id)))
        return _question(row)

    def answer(self, exercise_id: ExerciseId, team_id: TeamId, question: str) -> None:
        """Look at every check of a question and write down what is told; once."""
        exercise = self._exercises.get(exercise_id)
        team = exercise.team_with(team_id)
        with self._database.reading() as session:
            row = session.get_one(CheckQuestionRow, question)
        if row.answered_at is not None or not exercise.permits(Act.CHECK, team):
            return
        scenario = TeamScenario.of(self._exercises, exercise, team)
        task = scenario.task(row.task)
        told = [self._told(exercise, team, scenario, check) for check in scenario.checks_of(task)]
        with self._database.transaction() as transaction:
            kept = transaction.session.get_one(CheckQuestionRow, question)
            kept.answer = json.dumps([asdict(answer) for answer in told])
            kept.answered_at = self._clock.now()

    def latest(self, team: Team) -> Mapping[str, Question]:
        """Return task → the last question about it."""
        row = CheckQuestionRow
        last = (
            select(row.task, func.max(row.asked_at).label("at"))
            .where(row.team_id == team.id)
            .group_by(row.task)
            .subquery()
        )
        query = select(row).join(last, (row.task == last.c.task) & (row.asked_at == last.c.at))
        with self._database.reading() as session:
            rows = session.scalars(query.where(row.team_id == team.id)).all()
        return {found.task: _question(found) for found in rows}

    def _told(
        self, exercise: Exercise, team: Team, scenario: TeamScenario, check: str
    ) -> CheckAnswer:
        found = self._looker.look(exercise, team, check)
        holds = Holds.UNKNOWN
        if found.verdict.scored:
            holds = Holds.YES if found.verdict is Verdict.UP else Holds.NO
        output = found.output if scenario.scenario.checks[check].show_output else ""
        return CheckAnswer(check=check, holds=holds, output=output)


def _require_rested(session: Session, team: TeamId, task: str, now: datetime) -> None:
    row = CheckQuestionRow
    last = session.scalar(
        select(func.max(row.asked_at)).where(row.team_id == team, row.task == task)
    )
    left = (last + REST - now) if last is not None else timedelta()
    if timedelta() < left <= REST:
        seconds = -(-left // timedelta(seconds=1))
        raise AskedTooSoonError(
            f"your team has asked about {task} just now", hint=f"Ask again in {seconds} s"
        )


def _question(row: CheckQuestionRow) -> Question:
    told = json.loads(row.answer) if row.answer else []
    return Question(
        id=row.id,
        task=row.task,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        answer=tuple(
            CheckAnswer(check=one["check"], holds=Holds(one["holds"]), output=one["output"])
            for one in told
        ),
    )
