"""What instructors do about injects: fire now, hold, release, skip, shift the rest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from core.ids import ExerciseId
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.injects import (
    FIRING_MOVES,
    Choice,
    Due,
    FiringState,
    Shift,
    due,
    next_occurrence,
    next_time,
)
from orchestrator.domain.phases import UNDER_WAY, Act, NotNowError, Phase
from orchestrator.injects.errors import InjectStateError, InjectUnknownError, ShiftInvalidError
from orchestrator.injects.going_out import GoingOut, Letters
from orchestrator.injects.turns import Turn, Turns
from orchestrator.journal import By
from orchestrator.service import Exercises
from orchestrator.timekeeping import TeamUnknownError

_LONGEST = timedelta(days=1)
_BEFORE_THE_END = UNDER_WAY | {Phase.PROVISIONING, Phase.READY, Phase.DEGRADED}

_Act = Callable[[Turn, str], None]


class InjectActs:
    """Acts on injects, for one team or for all that they are possible for."""

    def __init__(self, turns: Turns, exercises: Exercises, going_out: GoingOut) -> None:
        self._turns = turns
        self._exercises = exercises
        self._going_out = going_out

    def fire(self, exercise: ExerciseId, inject: str, *, team: str, by: By) -> tuple[str, ...]:
        """See `Injects.fire`."""
        found = self._known(exercise, inject)
        letters = {t.id: self._going_out.letters(found, t, [inject]) for t in _teams(found, team)}

        def act(turn: Turn, name: str) -> None:
            self._fire(turn, name, letters[turn.team.id], by)

        return self._each(found, inject, team, UNDER_WAY, act)

    def hold(self, exercise: ExerciseId, inject: str, *, team: str, by: By) -> tuple[str, ...]:
        """See `Injects.hold`."""

        def act(turn: Turn, name: str) -> None:
            found = _next(turn, name, FiringState.HELD)
            turn.repository.add(
                turn.exercise.id, turn.team.id, found, FiringState.HELD, at=None, now=turn.now
            )
            self._going_out.note(turn, "inject.held", f"{name} is held", name, by)

        return self._each(self._known(exercise, inject), inject, team, _BEFORE_THE_END, act)

    def release(self, exercise: ExerciseId, inject: str, *, team: str, by: By) -> tuple[str, ...]:
        """See `Injects.release`."""
        found = self._known(exercise, inject)

        def act(turn: Turn, name: str) -> None:
            record = turn.injects.latest(name)
            if record is None or not turn.repository.forget(record.id):
                raise InjectStateError(f"{name} is not held", hint="Nothing was changed")
            self._going_out.note(turn, "inject.released", f"{name} is released", name, by)

        released = self._each(found, inject, team, _BEFORE_THE_END, act)
        for slug in released:
            self._fire_if_due(found, inject, slug, by)
        return released

    def skip(self, exercise: ExerciseId, inject: str, *, team: str, by: By) -> tuple[str, ...]:
        """See `Injects.skip`."""

        def act(turn: Turn, name: str) -> None:
            found = _next(turn, name, FiringState.SKIPPED)
            record = turn.injects.record(name, found.occurrence)
            if record is None:
                turn.repository.add(
                    turn.exercise.id,
                    turn.team.id,
                    found,
                    FiringState.SKIPPED,
                    at=turn.elapsed,
                    now=turn.now,
                )
            else:
                turn.repository.move(
                    record.id,
                    before=record.firing.state,
                    after=FiringState.SKIPPED,
                    now=turn.now,
                    at=turn.elapsed,
                    detail=record.detail,
                )
            self._going_out.note(turn, "inject.skipped", f"{name} is skipped", name, by)

        return self._each(self._known(exercise, inject), inject, team, _BEFORE_THE_END, act)

    def shift(
        self, exercise: ExerciseId, by_time: timedelta, *, team: str, by: By
    ) -> tuple[str, ...]:
        """See `Injects.shift`."""
        if not by_time or abs(by_time) > _LONGEST:
            raise ShiftInvalidError(
                f"nothing can be moved by {by_time}", hint="Move by a second to a day, either way"
            )

        def act(turn: Turn, _: str) -> None:
            turn.repository.add_shift(turn.team.id, Shift(at=turn.elapsed, by=by_time))
            minutes = f"the rest moves by {by_time.total_seconds() / 60:g} minutes"
            self._going_out.note(turn, "injects.shifted", minutes, "", by)

        return self._each(self._exercises.get(exercise), "", team, _BEFORE_THE_END, act)

    # For one team or for all

    def _known(self, exercise: ExerciseId, inject: str) -> Exercise:
        found = self._exercises.get(exercise)
        injects = self._exercises.scenario(found).scenario.injects
        if inject not in injects:
            known = ", ".join(injects) or "none"
            raise InjectUnknownError(
                f"there is no inject {inject[:50]!r}", hint=f"The injects are {known}"
            )
        return found

    def _each(
        self,
        exercise: Exercise,
        inject: str,
        team: str,
        phases: frozenset[Phase],
        act: _Act,
    ) -> tuple[str, ...]:
        """Do it for the team, or for every team that it is possible for; return their slugs.

        Raises what stands against it when it is possible for none.
        """
        done, refused = [], None
        for one in _teams(exercise, team):
            try:
                with self._turn(exercise, one, phases) as turn:
                    act(turn, inject)
            except InjectStateError as error:
                refused = refused or error
            else:
                done.append(one.slug)
        if refused is not None and not done:
            raise refused
        return tuple(done)

    @contextmanager
    def _turn(self, exercise: Exercise, team: Team, phases: frozenset[Phase]) -> Iterator[Turn]:
        with self._turns.take(exercise.id, team.id) as turn:
            if turn.exercise.phase not in phases:
                raise NotNowError(phase=turn.exercise.phase, act=Act.CHECK)
            yield turn

    # Going out by hand

    def _fire(self, turn: Turn, name: str, letters: Letters, by: By) -> None:
        found = _next(turn, name, FiringState.FIRED)
        self._going_out.fire(turn, found, letters, by=by)

    def _fire_if_due(self, exercise: Exercise, inject: str, slug: str, by: By) -> None:
        """Let a released one go out when its time has passed: that it is late is intended."""
        team = next(team for team in exercise.teams if team.slug == slug)
        letters = self._going_out.letters(exercise, team, [inject])
        with self._turns.take(exercise.id, team.id) as turn:
            if turn.exercise.phase_for(turn.team) is not Phase.RUNNING:
                return
            for found in due(turn.injects.situation):
                if found.inject == inject:
                    self._going_out.fire(turn, found, letters, by=by)


def _next(turn: Turn, name: str, after: FiringState) -> Due:
    """Return the occurrence that an act is about; raises InjectStateError when it cannot be."""
    situation = turn.injects.situation
    record = turn.injects.latest(name)
    if record is not None and after in FIRING_MOVES[record.firing.state]:
        at = record.due if record.due is not None else turn.elapsed
        return Due(inject=name, occurrence=record.firing.occurrence, at=at, choice=Choice.FIRE)
    inject = situation.scenario.injects[name]
    occurrence = next_occurrence(situation.firings, name, inject)
    if occurrence is None:
        state = record.firing.state if record is not None else "unknown"
        raise InjectStateError(
            f"{name} of {turn.team.slug} is {state} already", hint="Nothing was changed"
        )
    planned = next_time(situation, name)
    at = planned[1] if planned is not None else turn.elapsed
    return Due(inject=name, occurrence=occurrence, at=at, choice=Choice.FIRE)


def _teams(exercise: Exercise, slug: str) -> tuple[Team, ...]:
    if not slug:
        return exercise.teams
    found = exercise.team(slug)
    if found is None:
        known = ", ".join(t.slug for t in exercise.teams)
        raise TeamUnknownError(f"there is no team {slug!r}", hint=f"The teams are {known}")
    return (found,)
