"""What injects do outside the database: once, in order, whatever dies in between.

A team's deeds are done one after another, in the order in which their injects went out.
"""

import platform
import uuid
from datetime import timedelta
from functools import partial

import structlog

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from orchestrator.claims import renewing
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.inject_deeds import is_overtaken
from orchestrator.domain.injects import FiringState
from orchestrator.injects.deeds import Deeds, Outcome
from orchestrator.injects.going_out import CARRY_OUT
from orchestrator.injects.records import Record
from orchestrator.injects.repository import InjectRepository
from orchestrator.injects.turns import Turns
from orchestrator.ports import EngineUnavailableError
from orchestrator.service import JOB_PATIENCE, Exercises

log = structlog.get_logger()

# A worker that renewed its claim for so long no more is taken for dead. Longer than for worlds:
# whoever takes over ends the command that it finds, and cannot run it again.
_CLAIM_LASTS = timedelta(seconds=30)
_ENGINE_AWAY_RESTS = timedelta(seconds=4)


class Outside:
    """Carries out the deeds of injects that have gone out."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        turns: Turns,
        deeds: Deeds,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._turns = turns
        self._deeds = deeds
        self._worker = f"{platform.node()[:24]}-{uuid.uuid4().hex[:12]}"

    def sweep(self) -> None:
        """Send a job for every team with deeds that nobody has claimed."""
        now = self._clock.now()
        with self._database.reading() as session:
            teams = InjectRepository(session).left_alone(now)
        for exercise, team in teams:
            with self._database.transaction() as transaction:
                repository = InjectRepository(transaction.session)
                if repository.reserve(team, now=now, until=now + JOB_PATIENCE):
                    transaction.after_commit(Job(CARRY_OUT, (exercise, team)))

    def carry_out(self, exercise_id: ExerciseId, team_id: TeamId) -> None:
        """Restore the team's links whose time is up, then do what is due, one after another.

        Raises EngineUnavailableError; the sweep comes back to it.
        """
        exercise = self._exercises.get(exercise_id)
        team = exercise.team_with(team_id)
        self._undo(exercise, team)
        while (record := self._claimed(exercise, team)) is not None:
            try:
                with renewing(record.id, partial(self._renew, record), every=_CLAIM_LASTS / 3):
                    outcome = self._deeds.carry_out(exercise, team, record)
            except EngineUnavailableError:
                self._let_go(record)
                raise
            self._write_down(exercise, team, record, outcome)

    def _undo(self, exercise: Exercise, team: Team) -> None:
        scenario = self._exercises.scenario(exercise).scenario
        known = self._turns.look([exercise])[team.id]
        for record in known.to_undo:
            inject = record.firing.inject
            if not is_overtaken(scenario, known.situation.firings, record.firing):
                self._deeds.undo(exercise, team, scenario.injects[inject])
            with self._database.transaction() as transaction:
                if InjectRepository(transaction.session).undone(record.id):
                    self._exercises.journal.note(
                        transaction,
                        exercise,
                        "inject.undone",
                        f"{inject} is over: its link is as planned",
                        team=team.id,
                        subject=inject,
                    )

    def _claimed(self, exercise: Exercise, team: Team) -> Record | None:
        order = list(self._exercises.scenario(exercise).scenario.injects)
        now = self._clock.now()
        with self._database.transaction() as transaction:
            repository = InjectRepository(transaction.session)
            waiting = sorted(
                repository.under_way(team.id),
                key=lambda r: (r.changed_at, r.due or timedelta(), order.index(r.firing.inject)),
            )
            if not waiting:
                return None
            first = waiting[0]
            until = now + _CLAIM_LASTS
            is_mine = repository.claim(first.id, worker=self._worker, now=now, until=until)
        return first if is_mine else None

    def _renew(self, record: Record) -> None:
        until = self._clock.now() + _CLAIM_LASTS
        with self._database.transaction() as transaction:
            InjectRepository(transaction.session).renew(record.id, worker=self._worker, until=until)

    def _let_go(self, record: Record) -> None:
        until = self._clock.now() + _ENGINE_AWAY_RESTS
        with self._database.transaction() as transaction:
            InjectRepository(transaction.session).let_go(
                record.id, worker=self._worker, until=until
            )

    def _plan_undo(
        self, transaction: Transaction, exercise: Exercise, record: Record, *, done: bool
    ) -> None:
        link = self._exercises.scenario(exercise).scenario.injects[record.firing.inject].link
        at = record.firing.at
        if done and link is not None and link.for_ is not None and at is not None:
            InjectRepository(transaction.session).undo_at(record.id, at + link.for_)

    def _write_down(self, exercise: Exercise, team: Team, record: Record, outcome: Outcome) -> None:
        inject = record.firing.inject
        with self._database.transaction() as transaction:
            if InjectRepository(transaction.session).move(
                record.id,
                before=FiringState.FIRING,
                after=outcome.state,
                now=self._clock.now(),
                detail=outcome.text,
            ):
                done = outcome.state is FiringState.FIRED
                self._plan_undo(transaction, exercise, record, done=done)
                act = "inject.done" if done else "inject.failed"
                text = f"{inject}: {outcome.text}"
                self._exercises.journal.note(
                    transaction, exercise, act, text, team=team.id, subject=inject
                )
        log.info("inject.ended", exercise=exercise.name, team=team.slug, inject=inject)
