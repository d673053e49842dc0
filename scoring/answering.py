"""Taking teams' answers: judged outside, then written down, together with others that wait."""

from collections.abc import Sequence
from concurrent.futures import Future

from core.clock import Clock
from core.db import Database
from core.errors import PoligonError
from core.scenario.load import LoadedScenario
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import AnsweredTask, FeedTask, RubricTask
from core.text import is_storable
from core.together import Together
from scoring.answer_turn import AnswerTurn, Judged, Sent
from scoring.canaries import Canaries
from scoring.domain.answers import judge
from scoring.domain.forms import form_of
from scoring.errors import AnswerInvalidError, TaskNotAnswerableError
from scoring.limits import AnswerLimits
from scoring.ports import Exercises
from scoring.team_scenario import TeamScenario, task_of
from scoring.views import Outcome

MAX_ANSWER = 1000
MAX_CLIENT_KEY = 100
_MOST_AT_ONCE = 64  # other writers wait for as long as these take


class Answering:
    """Answers of teams.

    They are taken in one thread, those that wait in one transaction: beginning and committing one,
    and reading what is known of a team, costs as much for many as for one.
    """

    def __init__(
        self, database: Database, clock: Clock, exercises: Exercises, limits: AnswerLimits
    ) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock
        self._exercises = exercises
        self._canaries = Canaries(exercises)
        self._together = Together[Sent, Outcome](
            self._answered, alike=lambda sent: sent.exercise.id, most=_MOST_AT_ONCE, name="answers"
        )

    def answer(self, sent: Sent) -> Future[Outcome]:
        """Have an answer judged and booked; see `Scoring.answer`.

        Nothing is read here and now. Raises AnswerInvalidError.
        """
        _require_readable(sent)
        return self._together.ask(sent)

    def _answered(self, answers: Sequence[Sent]) -> Sequence[Outcome | PoligonError]:
        """Take answers of one exercise, in their order."""
        loaded = self._exercises.scenario(answers[0].exercise)
        judged = self._judged(answers, loaded)
        with self._database.transaction() as transaction:
            turn = AnswerTurn(
                transaction.session,
                answers,
                judged,
                limits=self._limits,
                recorded_at=self._clock.now(),
            )
            return turn.take(loaded.scenario)

    def _judged(
        self, answers: Sequence[Sent], loaded: LoadedScenario
    ) -> Sequence[Judged | PoligonError]:
        teams = [sent.team for sent in answers]
        facts = self._exercises.facts_of(answers[0].exercise, teams)
        scenarios = {team: TeamScenario.known(loaded, known) for team, known in facts.items()}
        return [self._judge(sent, scenarios[sent.team.id]) for sent in answers]

    def _judge(self, sent: Sent, scenario: TeamScenario) -> Judged | PoligonError:
        try:
            task = answerable(scenario.scenario, sent.task)
        except PoligonError as refusal:
            return refusal
        right = judge(scenario.right_answer(sent.task, task), sent.value)
        owner = None if right else self._canaries.owner(sent.exercise, sent.value)
        foreign = owner is not None and owner[0] != sent.team.id
        form = form_of(task)
        readable = right or form is None or not form.refuses(sent.value)
        return Judged(right=right, readable=readable, owner=owner if foreign else None)


def answerable(scenario: Scenario, task: str) -> AnsweredTask:
    """Return a task that is answered in words; raises TaskUnknownError, TaskNotAnswerableError."""
    found = task_of(scenario, task)
    if not isinstance(found, AnsweredTask):
        hint = "Do it on the hosts: checks look there"
        if isinstance(found, RubricTask):
            hint = "Assessors mark it"
        elif isinstance(found, FeedTask):
            hint = f"{found.feed.source} gives its points"
        raise TaskNotAnswerableError(f"{task} is not answered in words", hint=hint)
    return found


def _require_readable(sent: Sent) -> None:
    if not sent.value.strip() or len(sent.value) > MAX_ANSWER:
        raise AnswerInvalidError(
            f"an answer has 1 to {MAX_ANSWER} characters, this one {len(sent.value.strip())}",
            hint="Send the answer alone",
        )
    if not is_storable(sent.value):
        raise AnswerInvalidError(
            "an answer is text; this one holds something else", hint="Type it instead of pasting"
        )
    if not 0 < len(sent.client_key) <= MAX_CLIENT_KEY or not sent.client_key.isprintable():
        raise AnswerInvalidError(
            f"the key of an answer has 1 to {MAX_CLIENT_KEY} printable characters",
            hint="Send a new UUID with each answer",
        )
