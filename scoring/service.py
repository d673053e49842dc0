"""What trainees, instructors and workers ask of scoring."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId, UserId, new_id
from orchestrator.activity_log import ActivityLog
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.ports import RangeEngine
from scoring.answer_turn import Sent
from scoring.answering import Answering
from scoring.asking import Asking
from scoring.boards.service import Boards
from scoring.checking import Checking
from scoring.checks.prober import Prober
from scoring.checks.probes import Finding
from scoring.domain.boards import Audience, Board
from scoring.domain.verdicts import Verdict
from scoring.evidence import EvidenceReader
from scoring.hinting import Asked, Hinting
from scoring.limits import UNLIMITED, AnswerLimits
from scoring.looker import Looker
from scoring.maintenance import Maintenance, check_unknown
from scoring.ports import Exercises
from scoring.reading import Reading
from scoring.records.record import TrainingRecord
from scoring.sending import ALONE_AFTER, Sending, Start
from scoring.team_scenario import TeamScenario
from scoring.views import HintTaken, HintView, Outcome, Signal, TaskView


def _here(look: Callable[[], object]) -> None:
    """Do it here and now."""
    look()


class Scoring:
    """Answers, checks, the board and the training record of exercises.

    `limits` says how often a person and a team may answer; `worker` is what this process is called
    where it carries out checks; each has another name. Its looks take an exercise as it was
    `reuse` ago.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        engine: RangeEngine,
        *,
        limits: AnswerLimits = UNLIMITED,
        worker: str = "",
        reuse: timedelta = timedelta(),
        servers: int = 1,
    ) -> None:
        """`servers` is how many processes of the site answer what people read."""
        self._exercises = exercises
        self._clock = clock
        self._answering = Answering(database, clock, exercises, limits)
        self._hinting = Hinting(database, clock)
        worker = worker or new_id()
        evidence = EvidenceReader(database, ActivityLog(database))
        self._looker = Looker(exercises, Prober(engine), evidence)
        self._checking = Checking(
            database, clock, exercises, self._looker, worker=worker, reuse=reuse
        )
        self.asking = Asking(database, clock, exercises, self._looker)
        """What teams ask of checks, unscored."""
        self.maintenance = Maintenance(database, clock, exercises)
        """Windows of time whose rounds count for nobody."""
        self._sending = Sending(database, clock, exercises, self._checking, worker=worker)
        self._reading = Reading(database, clock, exercises)
        self.boards = Boards(database, clock, exercises, servers=servers)

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

        The exercise may be as it was some time before.

        `client_key` makes it safe to send again: the same key with the same answer gets the same
        outcome and changes nothing. Raises NotNowError, TaskUnknownError, TaskNotAnswerableError,
        AnswerInvalidError, AnswerKeyReusedError, TooManyAnswersError, TaskLockedError,
        TaskOverdueError, TooSoonError.
        """
        return self.answer_soon(
            exercise, team, user, task=task, value=value, client_key=client_key
        ).result()

    def answer_soon(
        self,
        exercise: Exercise,
        team: Team,
        user: UserId,
        *,
        task: str,
        value: str,
        client_key: str,
    ) -> Future[Outcome]:
        """Do as `answer`, whose outcome or error comes by and by; cancelled before, nothing is.

        Reads nothing here and now. Raises AnswerInvalidError at once.
        """
        sent = Sent(
            exercise=exercise,
            team=team,
            user=user,
            task=task,
            value=value,
            client_key=client_key,
            at=self._clock.now(),
        )
        return self._answering.answer(sent)

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

    def board(self, exercise: Exercise, *, for_teams: bool = False) -> Board:
        """Return the standings, at most a second old.

        For teams they stand still from the scenario's `freeze` until the exercise has ended.
        """
        audience = Audience.TEAM if for_teams else Audience.STAFF
        return self.boards.latest(exercise.id, audience).board

    def signals(self, exercise: Exercise) -> tuple[Signal, ...]:
        """Return what a person should look at, oldest first. Not for trainees."""
        return self._reading.signals(exercise)

    def record(self, exercise: Exercise, *, language: str = "") -> TrainingRecord:
        """Return what was achieved so far; `final` once the exercise has ended.

        Its texts are in a language as those of `tasks` are.
        """
        return self._reading.record(exercise, language=language)

    def run_check(
        self,
        exercise_id: ExerciseId,
        team_id: TeamId,
        check: str,
        round: int,  # noqa: A002  # the field's word
    ) -> Verdict | None:
        """Carry out the first look of a round and return what was seen.

        A look that accuses the team is kept until another process has looked, too (`confirm`); any
        other is written down, and what follows is booked. `None` when the look does not count: the
        round is not on, was looked at before, or the exercise or the world moved on meanwhile. What
        the engine cannot do is a verdict, never an exception.
        """
        return self._checking.first_look(exercise_id, team_id, check, round)

    def look(self, exercise: Exercise, team: Team, check: str) -> Finding:
        """Look at a check of a team once, and write nothing down; raises CheckUnknownError."""
        known = self._exercises.scenario(exercise).scenario.checks
        if check not in known:
            raise check_unknown(check, known)
        return self._looker.look(exercise, team, check)

    def sweep(self) -> int:
        """Close the rounds that are over, and send a job for each look that is due.

        Returns how many were sent.
        """
        return self._sending.sweep()

    def confirm(self, start: Start = _here, *, alone_after: timedelta = ALONE_AFTER) -> int:
        """Take the second looks that this process may carry out; return how many.

        `start` begins each, by default here and now. May means that another process had the first
        look, or that there is no other one and `alone_after` has passed.
        """
        return self._sending.confirm(start, alone_after=alone_after)
