"""Taking a team's answers: judged outside, then written down in one transaction."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import TeamId, UserId, new_id
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import FlagTask, QuestionTask, RubricTask, Task
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act, require
from scoring.canaries import Canaries
from scoring.costs import settle_costs, worth
from scoring.domain.answers import judge
from scoring.domain.attempts import AnswerVerdict, decide
from scoring.domain.ledger import Cause, Fact, solved
from scoring.errors import (
    AnswerInvalidError,
    AnswerKeyReusedError,
    TaskNotAnswerableError,
)
from scoring.opening import require_open, times_now
from scoring.repository import ScoreRepository
from scoring.tables import SignalRow, SolveRow, SubmissionRow
from scoring.team_scenario import TeamScenario
from scoring.views import Outcome

MAX_ANSWER = 1000
MAX_CLIENT_KEY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An answer as it came in."""

    exercise: Exercise
    team: Team
    user: UserId
    task: str
    value: str
    client_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    right: bool
    owner: tuple[TeamId, str] | None


class Answering:
    """Answers of teams."""

    def __init__(self, database: Database, clock: Clock, canaries: Canaries) -> None:
        self._database = database
        self._clock = clock
        self._canaries = canaries

    def answer(self, sent: Sent, scenario: TeamScenario) -> Outcome:
        """Judge and book an answer; see `Scoring.answer`."""
        now = self._clock.now()
        sent.exercise.require(Act.ANSWER, sent.team)
        task = answerable(scenario, sent.task)
        _require_readable(sent)
        judged = self._judge(sent, task, scenario)
        with self._database.transaction() as transaction:
            return self._take(transaction, sent, scenario.scenario, task, judged, now)

    def _judge(self, sent: Sent, task: QuestionTask | FlagTask, scenario: TeamScenario) -> _Judged:
        right = judge(scenario.right_answer(sent.task, task), sent.value)
        owner = None if right else self._canaries.owner(sent.exercise, sent.value)
        foreign = owner is not None and owner[0] != sent.team.id
        return _Judged(right=right, owner=owner if foreign else None)

    def _take(
        self,
        transaction: Transaction,
        sent: Sent,
        scenario: Scenario,
        task: QuestionTask | FlagTask,
        judged: _Judged,
        now: datetime,
    ) -> Outcome:
        repository = ScoreRepository(transaction.session)
        require(repository.take_turn(sent.exercise.id, sent.team.id), Act.ANSWER)
        _require_in_time(transaction.session, sent, task, now)
        submission = _submission(transaction.session, sent, scenario, task, judged, now)
        if not repository.add_submission(submission):
            return _told_before(repository.submission(sent.team.id, sent.client_key), sent)
        if judged.owner is not None:
            repository.add_signal(_signal(submission, judged.owner))
        if submission.verdict == AnswerVerdict.CORRECT:
            self._solve(transaction.session, sent, scenario, task, submission)
        return _outcome(submission)

    def _solve(
        self,
        session: Session,
        sent: Sent,
        scenario: Scenario,
        task: Task,
        submission: SubmissionRow,
    ) -> None:
        repository = ScoreRepository(session)
        solve = SolveRow(
            team_id=sent.team.id,
            task=sent.task,
            exercise_id=sent.exercise.id,
            user_id=sent.user,
            cause_type=Cause.SUBMISSION,
            cause_id=submission.id,
            solved_at=submission.received_at,
        )
        if repository.add_solve(solve):
            fact = Fact(
                cause=Cause.SUBMISSION,
                id=submission.id,
                at=submission.received_at,
                user=sent.user,
            )
            entry = solved(sent.team.id, sent.task, points=task.points, fact=fact)
            now = self._clock.now()
            repository.book(sent.exercise.id, entry, recorded_at=now)
            settle_costs(
                session,
                scenario,
                sent.exercise.id,
                sent.team.id,
                sent.task,
                at=submission.received_at,
                recorded_at=now,
            )


def answerable(scenario: TeamScenario, task: str) -> QuestionTask | FlagTask:
    """Return a task that is answered in words; raises TaskUnknownError, TaskNotAnswerableError."""
    found = scenario.task(task)
    if not isinstance(found, QuestionTask | FlagTask):
        by_people = isinstance(found, RubricTask)
        raise TaskNotAnswerableError(
            f"{task} is not answered in words",
            hint="Assessors mark it" if by_people else "Do it on the hosts: checks look there",
        )
    return found


def _require_in_time(session: Session, sent: Sent, task: Task, now: datetime) -> None:
    repository = ScoreRepository(session)
    if repository.is_solved(sent.team.id, sent.task) or repository.was_sent(
        sent.team.id, sent.client_key
    ):
        return  # nothing new can come of it; what was told before is told again
    times = times_now(session, sent.team.id, task)
    require_open(sent.task, times, sent.exercise.elapsed(now, sent.team.id))


def _require_readable(sent: Sent) -> None:
    if not sent.value.strip() or len(sent.value) > MAX_ANSWER:
        raise AnswerInvalidError(
            f"an answer has 1 to {MAX_ANSWER} characters, this one {len(sent.value.strip())}",
            hint="Send the answer alone",
        )
    # Zero characters and halves of surrogate pairs cannot be stored as text.
    if any(unicodedata.category(c) == "Cs" or c == "\0" for c in sent.value):
        raise AnswerInvalidError(
            "an answer is text; this one holds something else", hint="Type it instead of pasting"
        )
    if not 0 < len(sent.client_key) <= MAX_CLIENT_KEY or not sent.client_key.isprintable():
        raise AnswerInvalidError(
            f"the key of an answer has 1 to {MAX_CLIENT_KEY} printable characters",
            hint="Send a new UUID with each answer",
        )


def _submission(
    session: Session,
    sent: Sent,
    scenario: Scenario,
    task: QuestionTask | FlagTask,
    judged: _Judged,
    now: datetime,
) -> SubmissionRow:
    repository = ScoreRepository(session)
    decision = decide(
        right=judged.right,
        foreign=judged.owner is not None,
        solved=repository.is_solved(sent.team.id, sent.task),
        used=repository.attempts_used(sent.team.id, sent.task),
        allowed=task.attempts,
    )
    has_points = decision.verdict in {AnswerVerdict.CORRECT, AnswerVerdict.ALREADY}
    return SubmissionRow(
        id=new_id(),
        exercise_id=sent.exercise.id,
        team_id=sent.team.id,
        user_id=sent.user,
        task=sent.task,
        client_key=sent.client_key,
        value=sent.value,
        verdict=decision.verdict,
        attempt=decision.attempt,
        attempts_left=decision.attempts_left,
        milli_points=worth(session, scenario, sent.team.id, sent.task) if has_points else 0,
        received_at=now,
    )


def _told_before(earlier: SubmissionRow, sent: Sent) -> Outcome:
    if (earlier.task, earlier.value) != (sent.task, sent.value):
        raise AnswerKeyReusedError(
            "this key came with another answer before",
            hint="Send a new key with each answer; nothing was changed",
        )
    return _outcome(earlier)


def _outcome(submission: SubmissionRow) -> Outcome:
    return Outcome(
        verdict=AnswerVerdict(submission.verdict).told,
        milli_points=submission.milli_points,
        attempts_left=submission.attempts_left,
    )


def _signal(submission: SubmissionRow, owner: tuple[TeamId, str]) -> SignalRow:
    team, value_name = owner
    return SignalRow(
        id=new_id(),
        exercise_id=submission.exercise_id,
        submission_id=submission.id,
        team_id=submission.team_id,
        user_id=submission.user_id,
        owner_team_id=team,
        value_name=value_name,
        noticed_at=submission.received_at,
    )
