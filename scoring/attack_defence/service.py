"""What teams, their bots and workers ask of attack and defence."""

from collections.abc import Sequence

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId, UserId
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.ports import RangeEngine
from scoring.attack_defence.board import Boards, ServiceBoard
from scoring.attack_defence.capturing import Capturing, FlagAnswer
from scoring.attack_defence.looking import Looking
from scoring.attack_defence.rounds import Rounds
from scoring.domain.verdicts import Verdict
from scoring.ports import Exercises


class AttackDefence:
    """Rounds, looks, captures and their board.

    `parallel_looks` is how many looks this process has under way at most.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        engine: RangeEngine,
        *,
        installation: str,
        parallel_looks: int = 4,
    ) -> None:
        self._rounds = Rounds(database, clock, exercises)
        self._looking = Looking(
            database,
            clock,
            exercises,
            engine,
            installation=installation,
            parallel=parallel_looks,
        )
        self._capturing = Capturing(database, clock, exercises)
        self._boards = Boards(database, clock, exercises)

    def sweep(self) -> int:
        """Open and close rounds, and send a job to each service that nobody looked at yet.

        Returns how many jobs were sent.
        """
        return self._rounds.sweep()

    def look(
        self, exercise_id: ExerciseId, team_id: TeamId, service: str, number: int
    ) -> Verdict | None:
        """Carry out a round's errands to a service; return what was seen and written down.

        `None` when nothing was: the round is not on, was looked at before, or the exercise or the
        world moved on meanwhile. What the engine cannot do is a verdict, never an exception.
        """
        return self._looking.look(exercise_id, team_id, service, number)

    def capture(
        self, exercise: Exercise, team: Team, user: UserId, flags: Sequence[str]
    ) -> tuple[FlagAnswer, ...]:
        """Take flags that a team's member hands in, and return what to tell of each, in order.

        Empty ones are passed over. Handed in again, a flag is a duplicate and nothing more. Raises
        NoServicesError, ReferenceTeamError, FlagsInvalidError.
        """
        return self._capturing.capture(exercise, team, user, flags)

    def board(
        self, exercise: Exercise, *, for_teams: bool = False, language: str = ""
    ) -> ServiceBoard:
        """Return services by teams as of the last round that was closed; raises NoServicesError.

        For teams it stands still from the scenario's `freeze` until the exercise has ended. Titles
        are in a language; `` for the scenario's first.
        """
        return self._boards.show(exercise, for_teams=for_teams, language=language)
