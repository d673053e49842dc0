"""What injects do outside the database: commands in hosts, once, whatever dies in between.

A team's commands run one after another, in the order in which their injects went out. Each leaves a
marker in its host before it begins: a worker that takes over from one that died finds it, and does
not run the command again.
"""

import platform
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from core.clock import Clock
from core.db import Database
from core.errors import PoligonError
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.injects import FiringState
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.injects.going_out import CARRY_OUT
from orchestrator.injects.records import Record
from orchestrator.injects.repository import InjectRepository
from orchestrator.ports import EngineUnavailableError, RangeEngine, RunResult
from orchestrator.service import JOB_PATIENCE, Exercises

log = structlog.get_logger()

MARKERS = "/run/cyberpoligon"
# The command's group is the session of this shell, so that whoever takes over can end it.
_ONCE = """\
marker=$1
export POLIGON_INJECT="$2" POLIGON_OCCURRENCE="$3"
shift 3
mkdir -p -m 700 "${marker%/*}" || exit 125
if mkdir "$marker" 2>/dev/null; then
  echo "$$" >"$marker/process"
  "$@"
  code=$?
  echo "$code" >"$marker/exit"
  exit "$code"
fi
[ -r "$marker/exit" ] && exit "$(cat "$marker/exit")"
[ -r "$marker/process" ] && kill -9 -"$(cat "$marker/process")" 2>/dev/null
echo "it was begun before, and nobody saw its end: look at the host, then fire it again or skip it"
exit 125
"""
_TIMED_OUT = 124
_KEPT = 64 * 1024  # of a command's output, by the engine's port
_MOST_SHOWN = 1500
# A claim outlives its command by this; then its worker is taken for dead.
_GRACE = timedelta(seconds=60)
_ENGINE_AWAY_RESTS = timedelta(seconds=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    state: FiringState
    text: str


class Outside:
    """Carries out the commands of injects that have gone out."""

    def __init__(
        self, database: Database, clock: Clock, exercises: Exercises, engine: RangeEngine
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._engine = engine
        self._worker = f"{platform.node()[:24]}-{uuid.uuid4().hex[:12]}"

    def sweep(self) -> None:
        """Send a job for every team with commands that nobody has claimed."""
        now = self._clock.now()
        with self._database.reading() as session:
            teams = InjectRepository(session).left_alone(now)
        for exercise, team in teams:
            with self._database.transaction() as transaction:
                repository = InjectRepository(transaction.session)
                if repository.reserve(team, now=now, until=now + JOB_PATIENCE):
                    transaction.after_commit(Job(CARRY_OUT, (exercise, team)))

    def carry_out(self, exercise_id: ExerciseId, team_id: TeamId) -> None:
        """Run the team's commands that are due, one after another.

        Raises EngineUnavailableError; the sweep comes back to it.
        """
        exercise = self._exercises.get(exercise_id)
        team = next(team for team in exercise.teams if team.id == team_id)
        while (record := self._claimed(exercise, team)) is not None:
            self._write_down(exercise, team, record, self._outcome(exercise, team, record))

    def _claimed(self, exercise: Exercise, team: Team) -> Record | None:
        injects = self._exercises.scenario(exercise).scenario.injects
        order = list(injects)
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
            until = now + injects[first.firing.inject].timeout + _GRACE
            is_mine = repository.claim(first.id, worker=self._worker, now=now, until=until)
        return first if is_mine else None

    def _outcome(self, exercise: Exercise, team: Team, record: Record) -> _Outcome:
        inject = self._exercises.scenario(exercise).scenario.injects[record.firing.inject]
        assert inject.run is not None
        assert inject.host is not None
        host = HostKey(world=WorldKey(exercise=exercise.id, team=team.slug), host=inject.host)
        try:
            renderer = self._exercises.renderer(exercise, team)
            command = once(record, [renderer.text(word) for word in inject.run])
            result = self._engine.run(host, command, timeout=inject.timeout)
        except EngineUnavailableError:
            self._let_go(record)
            raise
        except PoligonError as error:
            return _Outcome(state=FiringState.FAILED, text=str(error))
        return _told(result, inject.timeout)

    def _let_go(self, record: Record) -> None:
        until = self._clock.now() + _ENGINE_AWAY_RESTS
        with self._database.transaction() as transaction:
            InjectRepository(transaction.session).let_go(
                record.id, worker=self._worker, until=until
            )

    def _write_down(
        self, exercise: Exercise, team: Team, record: Record, outcome: _Outcome
    ) -> None:
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
                act = "inject.done" if done else "inject.failed"
                text = f"{inject}: {outcome.text}"
                self._exercises.journal.note(
                    transaction, exercise, act, text, team=team.id, subject=inject
                )
        log.info("inject.ended", exercise=exercise.name, team=team.slug, inject=inject)


def once(record: Record, command: Sequence[str]) -> tuple[str, ...]:
    """Return a command that runs in a host at most once for this attempt of a firing.

    Run again, it exits as it did the first time; while that is not known, it is ended and exits
    with 125.
    """
    marker = f"{MARKERS}/inject-{record.id}-{record.attempt}"
    firing = record.firing
    return ("sh", "-c", _ONCE, "sh", marker, firing.inject, str(firing.occurrence), *command)


def _told(result: RunResult, timeout: timedelta) -> _Outcome:
    cut = " It said more than 64 KiB; the rest was not kept." if _is_cut(result) else ""
    if result.ok:
        return _Outcome(state=FiringState.FIRED, text=f"it ended well.{cut}")
    how = (
        f"it did not end within {timeout.total_seconds():g} s and was ended."
        if result.exit_code == _TIMED_OUT
        else f"it ended with {result.exit_code}."
    )
    said = result.output.strip()[-_MOST_SHOWN:]
    return _Outcome(state=FiringState.FAILED, text=f"{how}{cut} {said}".strip())


def _is_cut(result: RunResult) -> bool:
    return len(result.output.encode()) >= _KEPT
