"""Clocks of single teams, extensions, and the end of the time that was given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clock
from core.db import Database, Transaction
from core.errors import Fault, PoligonError
from core.ids import ExerciseId
from orchestrator.domain.clock import ClockEvent, Stop, Tick
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import STANDING, UNDER_WAY, Act, IllegalMoveError, Phase
from orchestrator.journal import SYSTEM, By
from orchestrator.repository import ExerciseRepository
from orchestrator.service import Exercises, ExerciseUnknownError

_LONGEST = timedelta(days=7)
_BEFORE_THE_END = frozenset(
    {Phase.PROVISIONING, Phase.READY, Phase.DEGRADED, Phase.RUNNING, Phase.PAUSED}
)


class TeamUnknownError(PoligonError):
    """The exercise has no such team."""

    code = "team.unknown"
    fault = Fault.MISSING


class TeamClockError(PoligonError):
    """A team's clock is not in the state that this needs."""

    code = "team.clock"
    fault = Fault.CONFLICT


class ExtensionInvalidError(PoligonError):
    """Time that cannot be added."""

    code = "exercise.extension_invalid"
    fault = Fault.INPUT


@dataclass(frozen=True, slots=True)
class _Turn:
    """One transaction on an exercise as it is now."""

    transaction: Transaction
    repository: ExerciseRepository
    exercise: Exercise


class Timekeeping:
    """Stops, lets go and extends clocks; `sweep` is for the worker's ticker."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises

    def extend(
        self, exercise: ExerciseId, time: timedelta, *, team: str = "", by: By = SYSTEM
    ) -> Exercise:
        """Let every team, or one, go on for longer; a team whose time was up goes on.

        Raises ExtensionInvalidError, TeamUnknownError, IllegalMoveError after the end.
        """
        if not timedelta() < time <= _LONGEST:
            raise ExtensionInvalidError(
                f"{time} cannot be added", hint="Add between a second and 7 days"
            )
        with self._turn(exercise) as turn:
            if turn.exercise.phase not in _BEFORE_THE_END:
                raise IllegalMoveError(current=turn.exercise.phase, wanted=Phase.RUNNING)
            one = _named(turn.exercise, team) if team else None
            self._tick(turn, Tick.EXTEND, one, time)
            minutes = f"{time.total_seconds() / 60:g} minutes more"
            self._note(turn, "clock.extended", minutes, one, by)
        self._keep(exercise)
        return self._exercises.get(exercise)

    def pause_team(self, exercise: ExerciseId, team: str, *, by: By = SYSTEM) -> Exercise:
        """Stop one team's clock; raises TeamUnknownError, TeamClockError, IllegalMoveError."""
        with self._turn(exercise) as turn:
            one = self._running(turn, team)
            if not turn.repository.stop(one.id, before=None, after=Stop.PAUSED):
                raise TeamClockError(
                    f"the clock of {one.slug} stands already", hint="Nothing was changed"
                )
            self._tick(turn, Tick.PAUSE, one)
            self._note(turn, "team.paused", f"{one.slug} paused", one, by)
        return self._exercises.get(exercise)

    def resume_team(self, exercise: ExerciseId, team: str, *, by: By = SYSTEM) -> Exercise:
        """Let one team's clock run on; raises as `pause_team`."""
        with self._turn(exercise) as turn:
            one = self._running(turn, team)
            if not self._go_on(turn, one, Stop.PAUSED):
                raise TeamClockError(
                    f"{one.slug} was not paused", hint="Extend its time if that is up"
                )
            self._note(turn, "team.resumed", f"{one.slug} goes on", one, by)
        return self._exercises.get(exercise)

    def sweep(self) -> None:
        """Start teams whose worlds stand at last, and stop those whose time is up.

        The exercise goes on: to end it, or to give more time, is the instructor's to decide.
        """
        for exercise in self._exercises.permitting(Act.CHECK):
            if any(self._due(exercise, team) for team in exercise.teams):
                self._keep(exercise.id)

    def _due(self, exercise: Exercise, team: Team) -> Callable[[_Turn, Team], None] | None:
        """Return what has to be done about a team's clock now."""
        if team.stopped is Stop.WAITING:
            return self._start_late if team.world in STANDING else None
        is_over = exercise.elapsed(self._clock.now(), team.id) >= exercise.length(team.id)
        if team.stopped is Stop.TIME_UP:
            return None if is_over else self._use_extension
        return self._stop_in_time if is_over and team.stopped is None else None

    def _keep(self, exercise: ExerciseId) -> None:
        with self._turn(exercise) as turn:
            for team in turn.exercise.teams if turn.exercise.phase is Phase.RUNNING else ():
                if act := self._due(turn.exercise, team):
                    act(turn, team)

    def _start_late(self, turn: _Turn, team: Team) -> None:
        if self._go_on(turn, team, Stop.WAITING):
            self._note(turn, "team.started", f"{team.slug} starts late", team, SYSTEM)

    def _use_extension(self, turn: _Turn, team: Team) -> None:
        if self._go_on(turn, team, Stop.TIME_UP):
            self._note(turn, "team.resumed", f"{team.slug} has more time", team, SYSTEM)

    def _stop_in_time(self, turn: _Turn, team: Team) -> None:
        if turn.repository.stop(team.id, before=None, after=Stop.TIME_UP):
            self._tick(turn, Tick.PAUSE, team)
            self._note(turn, "team.time_up", f"the time of {team.slug} is up", team, SYSTEM)

    def _running(self, turn: _Turn, team: str) -> Team:
        if turn.exercise.phase not in UNDER_WAY:
            raise IllegalMoveError(current=turn.exercise.phase, wanted=Phase.PAUSED)
        return _named(turn.exercise, team)

    def _go_on(self, turn: _Turn, team: Team, stop: Stop) -> bool:
        if not turn.repository.stop(team.id, before=stop, after=None):
            return False
        self._tick(turn, Tick.RESUME, team)
        return True

    @contextmanager
    def _turn(self, exercise: ExerciseId) -> Iterator[_Turn]:
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            repository.hold(exercise)  # before any team, or two turns wait for each other for ever
            found = repository.find(exercise)
            if found is None:
                raise ExerciseUnknownError(exercise)
            yield _Turn(transaction, repository, found)

    def _tick(
        self, turn: _Turn, tick: Tick, team: Team | None, time: timedelta = timedelta()
    ) -> None:
        event = ClockEvent(tick=tick, at=self._clock.now(), team=team.id if team else None, by=time)
        turn.repository.tick(turn.exercise.id, event)

    def _note(self, turn: _Turn, act: str, text: str, team: Team | None, by: By) -> None:
        self._exercises.journal.note(
            turn.transaction, turn.exercise, act, text, team=team.id if team else None, by=by
        )


def _named(exercise: Exercise, team: str) -> Team:
    found = exercise.team(team)
    if found is None:
        known = ", ".join(t.slug for t in exercise.teams)
        raise TeamUnknownError(f"there is no team {team!r}", hint=f"The teams are {known}")
    return found
