"""The answers of teams in one transaction, under the turn of these teams."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy.orm import Session

from core.errors import PoligonError
from core.ids import TeamId, UserId, new_id
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import AnsweredTask
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act
from orchestrator.repository import ExerciseRepository
from scoring.booking import TeamBooks
from scoring.domain.amending import Amendments
from scoring.domain.attempts import AnswerVerdict, decide
from scoring.domain.deriving import take, worth
from scoring.domain.forms import form_hint, form_of
from scoring.domain.ledger import MILLI, Cause, Fact
from scoring.domain.rules import Rules
from scoring.domain.timing import is_timed
from scoring.errors import AnswerKeyReusedError, TooSoonError
from scoring.facts import corrections_and_costs, last_attempts
from scoring.later import Later
from scoring.ledger import ends
from scoring.limits import AnswerLimits, Lately
from scoring.opening import note_passed, require_open, times_now
from scoring.repository import ScoreRepository
from scoring.submissions import Submission, Submissions
from scoring.tables import SignalRow
from scoring.views import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An answer as it came in; the exercise as it was some time before."""

    exercise: Exercise
    team: Team
    user: UserId
    task: str
    value: str
    client_key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whether an answer is right, can be read as what is asked for, or is another team's secret."""

    right: bool
    readable: bool
    owner: tuple[TeamId, str] | None


class AnswerTurn:
    """Takes answers of one exercise within a transaction, after it has read what they need."""

    def __init__(
        self,
        session: Session,
        answers: Sequence[Sent],
        judged: Sequence[Judged | PoligonError],
        *,
        limits: AnswerLimits,
        recorded_at: datetime,
    ) -> None:
        """Take the turn of the teams that answer."""
        self._session = session
        self._answers = answers
        self._judged = judged
        self._later = Later(session)
        exercise = answers[0].exercise
        teams = sorted({sent.team.id for sent in answers})
        phase, self._stopped = ScoreRepository(session).take_turn_of(exercise.id, teams)
        clock = ExerciseRepository(session).clock(exercise.id)
        self._exercise = replace(exercise, phase=phase, clock=clock)
        self._submissions = Submissions(
            session, self._later, [(sent.team.id, sent.client_key) for sent in answers]
        )
        self._lately = Lately(session, limits, self._later)
        self._books = {
            team: TeamBooks(session, exercise.id, team, recorded_at=recorded_at, writes=self._later)
            for team in teams
        }
        self._read_of_new()

    def _read_of_new(self) -> None:
        """Read what only answers need that did not come before."""
        submissions = self._submissions
        new = [s for s in self._answers if not submissions.before(s.team.id, s.client_key)]
        if not new:
            return
        pairs = list({(sent.team.id, sent.task) for sent in new})
        teams, tasks = list({team for team, _ in pairs}), list({task for _, task in pairs})
        solved = submissions.read(teams, tasks)
        self._lately.read(teams, min(sent.at for sent in new))
        corrections, costs = corrections_and_costs(self._session, teams, tasks)
        known = ends(self._session, right) if (right := self._with_right_ones()) else {}
        for team in teams:
            mine = [task for whose, task in pairs if whose == team]
            self._books[team].know(
                corrections=corrections[team],
                solved={task: (team, task) in solved for task in mine},
                costs={task: costs.get((team, task), ()) for task in mine},
                end=known.get(team),
            )

    def _with_right_ones(self) -> Sequence[TeamId]:
        """Return the teams with an answer that is right: something may be booked for them."""
        pairs = zip(self._answers, self._judged, strict=True)
        return list({s.team.id for s, how in pairs if isinstance(how, Judged) and how.right})

    def take(self, scenario: Scenario) -> Sequence[Outcome | PoligonError]:
        """Write down what is taken, and return what each team is told."""
        rules = Rules.of(scenario)
        pairs = zip(self._answers, self._judged, strict=True)
        told = [self._told(sent, rules, how) for sent, how in pairs]
        self._later.write()
        return told

    def _told(
        self, sent: Sent, rules: Rules, judged: Judged | PoligonError
    ) -> Outcome | PoligonError:
        if isinstance(judged, PoligonError):
            return judged
        task = rules.tasks[sent.task]
        assert isinstance(task, AnsweredTask)  # or it had not been judged
        try:
            earlier = self._earlier(sent, task)
        except PoligonError as refusal:  # nothing was written yet
            return refusal
        return _outcome(earlier or self._taken(sent, task, rules, judged), task)

    def _earlier(self, sent: Sent, task: AnsweredTask) -> Submission | None:
        """Return what came under this key before; raises what speaks against a new answer."""
        team = replace(sent.team, stopped=self._stopped[sent.team.id])
        self._exercise.require(Act.ANSWER, team)
        earlier = self._submissions.before(sent.team.id, sent.client_key)
        if earlier is not None:
            return _the_same(earlier, sent)
        self._lately.require_within(sent.team.id, sent.user, sent.at)
        if not self._books[sent.team.id].is_solved(sent.task):  # or nothing new can come of it
            self._require_in_time(sent, task)
        return None

    def _require_in_time(self, sent: Sent, task: AnsweredTask) -> None:
        elapsed = self._elapsed(sent)
        require_open(sent.task, times_now(self._session, sent.team.id, task), elapsed)
        if task.cooldown is None:
            return
        if self._submissions.used(sent.team.id, sent.task) == (task.attempts or 0):
            return
        self._later.write()
        last = last_attempts(self._session, [sent.team.id]).get((sent.team.id, sent.task))
        if last is not None and elapsed < last + task.cooldown:
            wait = ceil((last + task.cooldown - elapsed).total_seconds())
            raise TooSoonError(
                f"your team's last answer to {sent.task} was wrong; the next is taken in {wait} s",
                seconds=wait,
                hint="Use the time to look again; no attempt was counted",
            )

    def _taken(self, sent: Sent, task: AnsweredTask, rules: Rules, judged: Judged) -> Submission:
        books = self._books[sent.team.id]
        if is_timed(task):
            note_passed(self._session, books, sent.team.id)
        if Amendments.of(books.corrections()).accepts(sent.task, sent.value):
            judged = Judged(right=True, readable=True, owner=None)
        submission = self._submission(sent, task, rules, judged)
        self._submissions.add(submission)
        self._lately.count(sent.team.id, sent.user)
        if judged.owner is not None:
            self._later.write()  # the signal refers to it
            ScoreRepository(self._session).add_signal(_signal(submission, judged.owner))
        take(self._fact(submission, task), books, rules)
        return submission

    def _submission(
        self, sent: Sent, task: AnsweredTask, rules: Rules, judged: Judged
    ) -> Submission:
        books = self._books[sent.team.id]
        decision = decide(
            right=judged.right,
            foreign=judged.owner is not None,
            readable=judged.readable,
            solved=books.is_solved(sent.task),
            used=self._submissions.used(sent.team.id, sent.task),
            allowed=task.attempts,
        )
        has_points = decision.verdict in {AnswerVerdict.CORRECT, AnswerVerdict.ALREADY}
        return Submission(
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
            milli_points=worth(books, rules, sent.task, self._elapsed(sent)) if has_points else 0,
            received_at=sent.at,
        )

    def _fact(self, submission: Submission, task: AnsweredTask) -> Fact:
        was_wrong = submission.verdict in {AnswerVerdict.WRONG, AnswerVerdict.FOREIGN}
        return Fact(
            cause=Cause.SUBMISSION,
            id=submission.id,
            at=submission.received_at,
            user=submission.user_id,
            subject=submission.task,
            number=submission.attempt or 0,
            outcome=submission.verdict,
            elapsed=self._exercise.elapsed(submission.received_at, submission.team_id),
            milli_points=task.wrong_cost * MILLI if was_wrong else 0,
        )

    def _elapsed(self, sent: Sent) -> timedelta:
        return self._exercise.elapsed(sent.at, sent.team.id)


def _the_same(earlier: Submission, sent: Sent) -> Submission:
    if (earlier.task, earlier.value) != (sent.task, sent.value):
        raise AnswerKeyReusedError(
            "this key came with another answer before",
            hint="Send a new key with each answer; nothing was changed",
        )
    return earlier


def _outcome(submission: Submission, task: AnsweredTask) -> Outcome:
    told = AnswerVerdict(submission.verdict).told
    not_right = told in {AnswerVerdict.WRONG, AnswerVerdict.WRONG_FORM}
    return Outcome(
        verdict=told,
        hint=form_hint(form_of(task), submission.value) if not_right else "",
        milli_points=submission.milli_points,
        attempts_left=submission.attempts_left,
    )


def _signal(submission: Submission, owner: tuple[TeamId, str]) -> SignalRow:
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
