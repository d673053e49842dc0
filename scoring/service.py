"""What trainees, instructors and workers ask of scoring."""

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId, UserId
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.ports import RangeEngine
from scoring.answering import Answering, Sent
from scoring.canaries import Canaries
from scoring.checking import Checking
from scoring.checks.prober import Prober
from scoring.domain.verdicts import Verdict
from scoring.hinting import Asked, Hinting
from scoring.ports import Exercises
from scoring.reading import Reading
from scoring.records.record import TrainingRecord
from scoring.team_scenario import TeamScenario
from scoring.views import Board, HintTaken, HintView, Outcome, Signal, TaskView


class Scoring:
    """Answers, checks, the board and the training record of exercises.

    `parallel_checks` is how many looks this process has under way at most.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        engine: RangeEngine,
        *,
        parallel_checks: int = 4,
    ) -> None:
        self._exercises = exercises
        self._answering = Answering(database, clock, Canaries(exercises))
        self._hinting = Hinting(database, clock)
        self._checking = Checking(
            database, clock, exercises, Prober(engine), parallel=parallel_checks
        )
        self._reading = Reading(database, clock, exercises)

    def answer(
        self,
        exercise: Exercise,
        team: Team,
        user: UserId,
        *,
        task: str,
        value: str,
        client_key: str,
    ) -> Outcome:
        """Judge an answer of a team's member, book it if it is right, and return what to tell.

        `client_key` makes it safe to send again: the same key with the same answer gets the same
        outcome and changes nothing. Raises NotNowError, TaskUnknownError, TaskNotAnswerableError,
        AnswerInvalidError, AnswerKeyReusedError.
        """
        sent = Sent(
            exercise=exercise, team=team, user=user, task=task, value=value, client_key=client_key
        )
        return self._answering.answer(sent, TeamScenario.of(self._exercises, exercise, team))

    def take_hint(
        self,
        exercise: Exercise,
        team: Team,
        user: UserId,
        *,
        task: str,
        hint: int,
        language: str = "",
    ) -> HintView:
        """Show a hint to a team, whose task pays for it once it is solved; return the hint.

        In a language as `tasks` are. One that the team has is shown again and costs nothing more.
        Raises NotNowError, TaskUnknownError, HintUnknownError, TaskLockedError, TaskOverdueError,
        HintNotNowError.
        """
        asked = Asked(exercise=exercise, team=team, user=user, task=task, hint=hint)
        self._hinting.take(asked, TeamScenario.of(self._exercises, exercise, team))
        tasks = self.tasks(exercise, team, language=language)
        view = next(view for view in tasks if view.task == task)
        return view.hints[hint - 1]

    def hints_taken(self, exercise: Exercise) -> tuple[HintTaken, ...]:
        """Return the hints that teams have taken, oldest first. Not for trainees."""
        return self._reading.hints_taken(exercise)

    def tasks(self, exercise: Exercise, team: Team, *, language: str = "") -> tuple[TaskView, ...]:
        """Return the tasks as the team sees them, in the scenario's order.

        In a language of the scenario, as far as it is translated; `` for the first one.
        """
        return self._reading.tasks(exercise, team, language=language)

    def board(self, exercise: Exercise) -> Board:
        """Return the standings as they are now."""
        return self._reading.board(exercise)

    def signals(self, exercise: Exercise) -> tuple[Signal, ...]:
        """Return what a person should look at, oldest first. Not for trainees."""
        return self._reading.signals(exercise)

    def record(self, exercise: Exercise) -> TrainingRecord:
        """Return what was achieved so far; `final` once the exercise has ended."""
        return self._reading.record(exercise)

    def run_check(
        self,
        exercise_id: ExerciseId,
        team_id: TeamId,
        check: str,
        round: int,  # noqa: A002  # the field's word
    ) -> Verdict | None:
        """Look once, write down what was seen and book what follows; return the verdict.

        `None` when nothing was written: the round is not on, was done before, or the exercise or
        the world moved on meanwhile. What the engine cannot do is a verdict, never an exception.
        """
        return self._checking.run_check(exercise_id, team_id, check, round)

    def sweep(self) -> int:
        """Send a job for each round that is on and has none yet; return how many were sent."""
        return self._checking.sweep()
