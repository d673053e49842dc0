"""Taking a team's answers: judged outside, then written down in one transaction."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import TeamId, UserId, new_id
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import AnsweredTask, FeedTask, RubricTask
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act, require
from scoring.booking import TeamBooks
from scoring.canaries import Canaries
from scoring.domain.amending import Amendments
from scoring.domain.answers import judge
from scoring.domain.attempts import AnswerVerdict, decide
from scoring.domain.books import Books
from scoring.domain.deriving import take, worth
from scoring.domain.forms import form_hint, form_of
from scoring.domain.ledger import MILLI, Cause, Fact
from scoring.domain.rules import Rules
from scoring.domain.timing import is_timed
from scoring.errors import (
    AnswerInvalidError,
    AnswerKeyReusedError,
    TaskNotAnswerableError,
    TooSoonError,
)
from scoring.facts import last_attempts
from scoring.limits import AnswerLimits, require_within
from scoring.opening import note_passed, require_open, times_now
from scoring.repository import ScoreRepository
from scoring.tables import SignalRow, SubmissionRow
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
    readable: bool
    owner: tuple[TeamId, str] | None


class Answering:
    """Answers of teams."""

    def __init__(
        self, database: Database, clock: Clock, canaries: Canaries, limits: AnswerLimits
    ) -> None:
        self._database = database
        self._limits = limits
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

    def _judge(self, sent: Sent, task: AnsweredTask, scenario: TeamScenario) -> _Judged:
        right = judge(scenario.right_answer(sent.task, task), sent.value)
        owner = None if right else self._canaries.owner(sent.exercise, sent.value)
        foreign = owner is not None and owner[0] != sent.team.id
        form = form_of(task)
        readable = right or form is None or not form.refuses(sent.value)
        return _Judged(right=right, readable=readable, owner=owner if foreign else None)

    def _take(
        self,
        transaction: Transaction,
        sent: Sent,
        scenario: Scenario,
        task: AnsweredTask,
        judged: _Judged,
        now: datetime,
    ) -> Outcome:
        repository = ScoreRepository(transaction.session)
        require(repository.take_turn(sent.exercise.id, sent.team.id), Act.ANSWER)
        earlier = repository.submission(sent.team.id, sent.client_key)
        if earlier is not None:
            return _told_before(earlier, sent, task)
        require_within(transaction.session, self._limits, sent.team.id, sent.user, now)
        rules = Rules.of(scenario)
        books = TeamBooks(
            transaction.session, sent.exercise.id, sent.team.id, recorded_at=self._clock.now()
        )
        if not books.is_solved(sent.task):  # or nothing new can come of it
            _require_in_time(transaction.session, sent, task, now)
        if is_timed(task):
            note_passed(transaction.session, books, sent.team.id)
        if Amendments.of(books.corrections()).accepts(sent.task, sent.value):
            judged = _Judged(right=True, readable=True, owner=None)
        submission = _submission(repository, books, rules, sent, judged, now)
        added = repository.add_submission(submission)
        assert added  # the team's turn was taken before its key was looked for
        if judged.owner is not None:
            repository.add_signal(_signal(submission, judged.owner))
        take(_fact(sent, submission, task), books, rules)
        return _outcome(submission, task)


def answerable(scenario: TeamScenario, task: str) -> AnsweredTask:
    """Return a task that is answered in words; raises TaskUnknownError, TaskNotAnswerableError."""
    found = scenario.task(task)
    if not isinstance(found, AnsweredTask):
        hint = "Do it on the hosts: checks look there"
        if isinstance(found, RubricTask):
            hint = "Assessors mark it"
        elif isinstance(found, FeedTask):
            hint = f"{found.feed.source} gives its points"
        raise TaskNotAnswerableError(f"{task} is not answered in words", hint=hint)
    return found


def _require_in_time(session: Session, sent: Sent, task: AnsweredTask, now: datetime) -> None:
    elapsed = sent.exercise.elapsed(now, sent.team.id)
    require_open(sent.task, times_now(session, sent.team.id, task), elapsed)
    _require_rested(session, sent, task, elapsed)


def _require_rested(session: Session, sent: Sent, task: AnsweredTask, elapsed: timedelta) -> None:
    if task.cooldown is None:
        return
    if ScoreRepository(session).attempts_used(sent.team.id, sent.task) == (task.attempts or 0):
        return
    last = last_attempts(session, [sent.team.id]).get((sent.team.id, sent.task))
    if last is not None and elapsed < last + task.cooldown:
        wait = ceil((last + task.cooldown - elapsed).total_seconds())
        raise TooSoonError(
            f"your team's last answer to {sent.task} was wrong; the next is taken in {wait} s",
            seconds=wait,
            hint="Use the time to look again; no attempt was counted",
        )


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
    repository: ScoreRepository,
    books: Books,
    rules: Rules,
    sent: Sent,
    judged: _Judged,
    now: datetime,
) -> SubmissionRow:
    task, elapsed = rules.tasks[sent.task], sent.exercise.elapsed(now, sent.team.id)
    assert isinstance(task, AnsweredTask)  # or it had not been judged
    decision = decide(
        right=judged.right,
        foreign=judged.owner is not None,
        readable=judged.readable,
        solved=books.is_solved(sent.task),
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
        milli_points=worth(books, rules, sent.task, elapsed) if has_points else 0,
        received_at=now,
    )


def _fact(sent: Sent, submission: SubmissionRow, task: AnsweredTask) -> Fact:
    was_wrong = submission.verdict in {AnswerVerdict.WRONG, AnswerVerdict.FOREIGN}
    return Fact(
        cause=Cause.SUBMISSION,
        id=submission.id,
        at=submission.received_at,
        user=sent.user,
        subject=submission.task,
        number=submission.attempt or 0,
        outcome=submission.verdict,
        elapsed=sent.exercise.elapsed(submission.received_at, sent.team.id),
        milli_points=task.wrong_cost * MILLI if was_wrong else 0,
    )


def _told_before(earlier: SubmissionRow, sent: Sent, task: AnsweredTask) -> Outcome:
    if (earlier.task, earlier.value) != (sent.task, sent.value):
        raise AnswerKeyReusedError(
            "this key came with another answer before",
            hint="Send a new key with each answer; nothing was changed",
        )
    return _outcome(earlier, task)


def _outcome(submission: SubmissionRow, task: AnsweredTask) -> Outcome:
    told = AnswerVerdict(submission.verdict).told
    not_right = told in {AnswerVerdict.WRONG, AnswerVerdict.WRONG_FORM}
    return Outcome(
        verdict=told,
        hint=form_hint(form_of(task), submission.value) if not_right else "",
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
