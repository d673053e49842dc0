"""What instructors, trainees and workers ask of injects."""

from collections.abc import Callable
from datetime import timedelta

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId, UserId
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act
from orchestrator.domain.world import WorldPlan
from orchestrator.injects.acts import InjectActs
from orchestrator.injects.deeds import Deeds
from orchestrator.injects.going_out import GoingOut
from orchestrator.injects.links import LinksInForce
from orchestrator.injects.message_files import FileContent
from orchestrator.injects.messages import Messages, MessageView
from orchestrator.injects.outside import Outside
from orchestrator.injects.ports import Scorekeeper
from orchestrator.injects.reading import InjectReading, InjectView
from orchestrator.injects.turns import Turns
from orchestrator.journal import SYSTEM, By
from orchestrator.ports import RangeEngine
from orchestrator.service import Exercises


class Injects:
    """Injects, messages and replies of exercises. `plan` says what should stand for a team.

    Acts without a team are for every team for which they are possible, and return those teams'
    slugs; when there is none they raise what stands against it.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        engine: RangeEngine,
        scorekeeper: Scorekeeper,
        plan: Callable[[Exercise, Team], WorldPlan],
    ) -> None:
        turns = Turns(database, clock, exercises, scorekeeper)
        self._exercises = exercises
        self._going_out = GoingOut(turns, exercises, scorekeeper)
        self._acts = InjectActs(turns, exercises, self._going_out)
        self._outside = Outside(
            clock=clock,
            turns=turns,
            database=database,
            exercises=exercises,
            deeds=Deeds(exercises, engine, plan, LinksInForce(database, clock, exercises, engine)),
        )
        self._messages = Messages(database, turns, exercises)
        self._reading = InjectReading(turns, exercises)

    # The workers' side

    def sweep(self) -> None:
        """Let what is due go out, settle expected responses, send again what was left lying."""
        running = self._exercises.permitting(Act.CHECK)
        self._going_out.sweep(e for e in running if self._exercises.scenario(e).scenario.injects)
        self._outside.sweep()

    def carry_out(self, exercise: ExerciseId, team: TeamId) -> None:
        """Do what a team's injects do outside, in order, each once; restore links whose time is up.

        Raises EngineUnavailableError; the sweep comes back to it.
        """
        self._outside.carry_out(exercise, team)

    # Acts of instructors; each raises TeamUnknownError, InjectUnknownError, InjectStateError and,
    # in the wrong phase, NotNowError.

    def fire(
        self, exercise: ExerciseId, inject: str, *, team: str = "", by: By = SYSTEM
    ) -> tuple[str, ...]:
        """Let an inject go out now: before its time, held, asked about, manual, or failed."""
        return self._acts.fire(exercise, inject, team=team, by=by)

    def hold(
        self, exercise: ExerciseId, inject: str, *, team: str = "", by: By = SYSTEM
    ) -> tuple[str, ...]:
        """Keep an inject back until it is released, fired or skipped."""
        return self._acts.hold(exercise, inject, team=team, by=by)

    def release(
        self, exercise: ExerciseId, inject: str, *, team: str = "", by: By = SYSTEM
    ) -> tuple[str, ...]:
        """Let a held inject go: at its time, or at once when that has passed."""
        return self._acts.release(exercise, inject, team=team, by=by)

    def skip(
        self, exercise: ExerciseId, inject: str, *, team: str = "", by: By = SYSTEM
    ) -> tuple[str, ...]:
        """Let an inject never go out; what comes after it, or opens with it, goes on from now."""
        return self._acts.skip(exercise, inject, team=team, by=by)

    def shift(
        self, exercise: ExerciseId, by_time: timedelta, *, team: str = "", by: By = SYSTEM
    ) -> tuple[str, ...]:
        """Move everything that has not gone out yet, later or (below zero) earlier.

        Raises ShiftInvalidError.
        """
        return self._acts.shift(exercise, by_time, team=team, by=by)

    # Reading, and replies

    def all(self, exercise: Exercise) -> tuple[InjectView, ...]:
        """Return every inject with its state for each team, in the scenario's order."""
        return self._reading.all(exercise)

    def messages(self, exercise: Exercise, *, team: str = "") -> tuple[MessageView, ...]:
        """Return what the teams, or one, were told, newest first."""
        return self._messages.of_teams(exercise, team)

    def messages_to(
        self, exercise: Exercise, team: Team, user: UserId, *, language: str = ""
    ) -> tuple[MessageView, ...]:
        """Return what a member of a team was told, by their role, newest first.

        In a language of the scenario, as far as it is translated; `` for the first one.
        """
        return self._messages.of_member(exercise, team, user, language=language)

    def message_file(self, exercise: Exercise, message: int, number: int) -> FileContent:
        """Return a file of any message, as its team gets it; a message's files count from 1.

        Raises MessageUnknownError, MessageFileUnknownError.
        """
        return self._messages.file(exercise, message, number)

    def message_file_to(
        self, exercise: Exercise, team: Team, user: UserId, message: int, number: int
    ) -> FileContent:
        """Return a file of a message that a member of a team was told, by their role.

        Raises what `message_file` does.
        """
        return self._messages.file_of_member(exercise, team, user, message, number)

    def reply(
        self,
        exercise: Exercise,
        team: Team,
        user: UserId,
        message: int,
        *,
        text: str,
        client_key: str,
    ) -> None:
        """Take a reply to a message; the same key with the same text again changes nothing.

        Raises NotNowError, MessageUnknownError, ReplyInvalidError, ReplyKeyReusedError.
        """
        self._messages.reply(exercise, team, user, message, text=text, client_key=client_key)
