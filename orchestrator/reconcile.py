"""What should stand against what does, for exercises whose worlds were built: seen, told, repaired.

Anybody may run it at any time, also twice at once. The sweep and the engine's events only look and
send a job where something is to be done; the job looks again under a claim and decides.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.errors import PoligonError
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from core.scenario.networks import crossing_flows
from core.scenario.schema import Host
from orchestrator.claims import Claims
from orchestrator.domain.backoff import WITHIN
from orchestrator.domain.changes import Change, ChangeKind
from orchestrator.domain.engine_facts import Space
from orchestrator.domain.exercise import Exercise, Problem, Stage, Team
from orchestrator.domain.health import Ailing, Ailment, diagnose, unrouted
from orchestrator.domain.inject_deeds import stopped_hosts
from orchestrator.domain.needs import dependents
from orchestrator.domain.phases import PERMITS, Act, Phase, WorldPhase
from orchestrator.domain.repair import RESET, Case, Decision, Repair, decide, problem_of
from orchestrator.domain.world import WorldKey
from orchestrator.injects.links import LinksInForce
from orchestrator.injects.repository import InjectRepository
from orchestrator.ports import (
    EngineFullError,
    EngineUnavailableError,
    HostGoneError,
    HostNotReadyError,
    RangeEngine,
)
from orchestrator.repair_repository import RepairRepository
from orchestrator.repository import ExerciseRepository
from orchestrator.service import JOB_PATIENCE, RECONCILE, REPAIR_WORLD, Exercises
from orchestrator.standing import HostEndedError, Standing
from orchestrator.tables import ExerciseRow, TeamRow
from orchestrator.worlds import NotWantedError, Worlds

log = structlog.get_logger()

_STANDING = (WorldPhase.READY, WorldPhase.DEGRADED)
# How often a world that is not ready is asked again whether it is by now.
_ASKED_AGAIN = timedelta(seconds=15)
# How often the host's firewall rules are asserted and its disk is looked at: a run of the toolbox.
_PROTECTED_AGAIN = timedelta(seconds=30)
_NO_SPACE = Space(free=0, total=1)


class Reconciling:
    """Keeps built worlds as they should be."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        worlds: Worlds,
        engine: RangeEngine,
        claims: Claims,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._worlds = worlds
        self._engine = engine
        self._standing = Standing(engine)
        self._links = LinksInForce(database, clock, exercises, engine)
        self._claims = claims
        self._asked: dict[TeamId, datetime] = {}
        self._protected_at: datetime | None = None

    # Looking

    def sweep(self) -> None:
        """Look at every exercise that should stand; one call to the engine each."""
        standing = self._exercises.permitting(Act.STAND)
        # What is being built had it with its preparation, and wants the engine for itself now.
        if any(exercise.phase is not Phase.PROVISIONING for exercise in standing):
            self._assert_protection(standing)
        for exercise in standing:
            try:
                self._look(exercise)
            except EngineUnavailableError:
                raise  # it would say the same for every other one
            except PoligonError as error:
                log.warning("look.failed", exercise=exercise.name, error=str(error))

    def _assert_protection(self, standing: Sequence[Exercise]) -> None:
        """Have the engine's host protected: a reboot or a flush takes its rules away.

        What its disk has left is seen with it; a full one is told, and hosts that filled theirs.
        """
        now = self._clock.now()
        if self._protected_at is not None and now - self._protected_at < _PROTECTED_AGAIN:
            return
        try:
            space = self._engine.protect_host().space
        except EngineFullError:
            space = _NO_SPACE  # it is tried again with the next look
        else:
            self._protected_at = now
        shortages, written = self._exercises.shortages, self._engine.written
        shortages.tell_disk(standing, space, written)
        for exercise in standing:
            try:
                scenario = self._exercises.scenario(exercise).scenario
                shortages.tell_filled(exercise, scenario, written)
            except EngineUnavailableError:
                raise
            except PoligonError as error:  # the next one may be looked at all the same
                log.warning("disks.not_seen", exercise=exercise.name, error=str(error))

    def watch(self, stop: threading.Event) -> None:
        """Look at whatever the engine tells of, until `stop` is set."""
        self._engine.watch(self._noticed, stop)

    def _noticed(self, change: Change) -> None:
        try:
            self.notice(change)
        except PoligonError as error:  # the sweep looks again soon
            log.warning("notice.failed", exercise=change.exercise, error=str(error))
        except Exception:  # the outermost loop of this thread: it must not die
            log.exception("notice.crashed", exercise=change.exercise)

    def notice(self, change: Change) -> None:
        """Look at an exercise of which something changed on the engine; tell of lacking memory."""
        found = self._exercises.get(change.exercise)
        if Act.STAND not in PERMITS[found.phase]:
            return
        if change.kind is not ChangeKind.OUT_OF_MEMORY:
            self._look(found)
        elif change.host is not None:  # if the host ended of it, that is told by itself
            self._exercises.shortages.tell_memory(found, change.host)

    def _look(self, exercise: Exercise) -> None:
        """Send the jobs of what is to be done, unless they are on their way."""
        now = self._clock.now()
        seen = [(team, case, decide(case, now)) for team, case in self._cases(exercise)]
        repaired = [
            team.id
            for team, case, decision in seen
            if case.under_way or (decision.look_again and self._asks_again(team.id))
        ]
        to_decide = any(d.repairs or d.problem for _, _, d in seen)
        if not (repaired or to_decide):
            return
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            until = now + JOB_PATIENCE
            for team in sorted(repaired):
                if repository.claim(TeamRow, team, worker=None, now=now, until=until):
                    transaction.after_commit(Job(REPAIR_WORLD, (exercise.id, team)))
            if to_decide and repository.claim(
                ExerciseRow, exercise.id, worker=None, now=now, until=until
            ):
                transaction.after_commit(Job(RECONCILE, (exercise.id,)))

    def _asks_again(self, team: TeamId) -> bool:
        """Tell whether it is time to ask a world again whether it is ready: probes are not free."""
        now = self._clock.now()
        self._asked = {t: at for t, at in self._asked.items() if now - at < _ASKED_AGAIN}
        if team in self._asked:
            return False
        self._asked[team] = now
        return True

    def _cases(self, exercise: Exercise) -> list[tuple[Team, Case]]:
        """Return every built world of an exercise as it is now; asks the engine once."""
        hosts = self._exercises.scenario(exercise).scenario.hosts
        teams = [team for team in exercise.teams if team.world in _STANDING]
        if not teams or not hosts:
            return []
        ids = [team.id for team in teams]
        # Before the engine is asked: what ends meanwhile is then seen as under way, not as new.
        with self._database.reading() as session:
            repairs = RepairRepository(session)
            under_way = repairs.under_way(ids)
            tried = repairs.tried(ids, since=self._clock.now() - WITHIN)
            stopped = self._stopped(session, exercise, ids)
        wanted = {
            _world(exercise, team).host(name): frozenset(host.networks)
            for team in teams
            for name, host in hosts.items()
            if name not in {*_waiting(team, hosts), *stopped[team.id]}
        }
        ailing = (
            *diagnose(wanted, self._engine.observe(exercise.id)),
            *self._unrouted(exercise, teams),
        )
        restarted = frozenset(name for name, host in hosts.items() if host.restart == "always")
        return [
            (
                team,
                Case(
                    exercise=exercise.name,
                    team=team.slug,
                    degraded=team.world is WorldPhase.DEGRADED,
                    problem=team.problem,
                    ailing=[a for a in ailing if a.key.world.team == team.slug],
                    under_way=frozenset(r.host for r in under_way if r.team == team.id),
                    tries=tried.get(team.id, {}),
                    restarted=restarted,
                ),
            )
            for team in teams
        ]

    def _unrouted(self, exercise: Exercise, teams: Sequence[Team]) -> tuple[Ailing, ...]:
        """Return the routers that do not run; where no flow is stated the engine is not asked."""
        if not crossing_flows(self._exercises.scenario(exercise).scenario):
            return ()
        running = {r.world for r in self._engine.observe_routers(exercise.id) if r.running}
        return unrouted([_world(exercise, team) for team in teams], running)

    def _stopped(
        self, session: Session, exercise: Exercise, teams: Sequence[TeamId]
    ) -> Mapping[TeamId, frozenset[str]]:
        """Return the hosts of each team that injects have stopped: they are as they should be."""
        scenario = self._exercises.scenario(exercise).scenario
        if not any(inject.do for inject in scenario.injects.values()):
            return dict.fromkeys(teams, frozenset())
        records = InjectRepository(session).records(teams)
        return {
            team: stopped_hosts(scenario, [record.firing for record in mine])
            for team, mine in records.items()
        }

    # Deciding

    def reconcile(self, exercise_id: ExerciseId) -> None:
        """Decide what is done about every host that does not do what it should."""
        with self._claims.exercise(exercise_id) as held:
            if not held:
                return
            exercise = self._exercises.get(exercise_id)
            if Act.STAND not in PERMITS[exercise.phase]:
                return
            now = self._clock.now()
            decisions = [(team, decide(case, now)) for team, case in self._cases(exercise)]
            # All teams at once: of an outage that was told half-way, the rest would look as if
            # their hosts had ended by themselves while others ran.
            with self._database.transaction() as transaction:
                for team, decision in decisions:
                    self._write(transaction, exercise, team, decision)
        self._worlds.settle(exercise_id)

    def _write(
        self, transaction: Transaction, exercise: Exercise, team: Team, decision: Decision
    ) -> None:
        now = self._clock.now()
        if decision.problem is not None:
            moved = ExerciseRepository(transaction.session).move_world(
                team.id,
                before=(team.world,),
                after=WorldPhase.DEGRADED,
                at=now,
                problem=decision.problem,
            )
            if not moved:
                return  # somebody else has it built again, or removed
            self._exercises.journal.note_world(
                transaction, exercise, team, WorldPhase.DEGRADED, decision.problem
            )
            log.warning(
                "world.degraded",
                exercise=exercise.name,
                team=team.slug,
                host=decision.problem.host,
                problem=decision.problem.message,
            )
        for ailing in decision.repairs:
            RepairRepository(transaction.session).add(
                team.id, ailing.key.host, cause=ailing.ailment, at=now
            )
        if decision.repairs:
            transaction.after_commit(Job(REPAIR_WORLD, (exercise.id, team.id)))

    # Repairing

    def repair(self, exercise_id: ExerciseId, team_id: TeamId) -> None:
        """Raise again what was decided for a world, or ask it whether it is ready by now.

        The other hosts of the world are left alone, and people stay inside them.
        """
        with self._claims.team(team_id) as held:
            if not held:
                return
            exercise = self._exercises.get(exercise_id)
            team = exercise.team_with(team_id)
            if Act.STAND not in PERMITS[exercise.phase] or team.world not in _STANDING:
                return
            with structlog.contextvars.bound_contextvars(exercise=exercise.name, team=team.slug):
                self._repair(exercise, team)
        self._worlds.settle(exercise_id)

    def _repair(self, exercise: Exercise, team: Team) -> None:
        with self._database.reading() as session:
            repairs = RepairRepository(session).under_way([team.id])
        try:
            self._put_up(exercise, team, repairs)
        except NotWantedError:
            return  # the sweep removes what stands
        except HostGoneError:
            # A peer that was asked has ended. What was to be raised was: not again for that.
            self._finish(exercise, team, repairs, team.problem)
        except EngineUnavailableError:
            raise  # what was decided stays, and is done when the engine is back
        except (HostNotReadyError, HostEndedError) as error:
            self._finish(exercise, team, repairs, self._worlds.not_ready(exercise, error))
        except PoligonError as error:
            self._finish(exercise, team, repairs, _not_repaired(exercise, error))
        else:
            self._finish(exercise, team, repairs, None)

    def _put_up(self, exercise: Exercise, team: Team, repairs: Sequence[Repair]) -> None:
        plan = self._worlds.plan(exercise, team)
        repaired = {repair.host for repair in repairs}
        anew = {repair.host for repair in repairs if repair.cause == RESET}

        def reached(_: Stage) -> None:
            self._worlds.require_wanted(exercise.id)

        def put_up(only: Collection[str], anew: Collection[str] = ()) -> None:
            try:
                self._standing.put_up(plan, reached=reached, only=only, anew=anew)
            finally:
                self._links.put_back(exercise, team)

        if any(repair.cause == Ailment.OUTAGE for repair in repairs):
            self._engine.protect_host()  # before anything comes back that should not get out
        if repairs:
            put_up(repaired, anew)
        if not repairs or team.never_ready:
            hosts = self._exercises.scenario(exercise).scenario.hosts
            waiting = set(_waiting(team, hosts)) - repaired
            with self._database.reading() as session:
                stopped = self._stopped(session, exercise, [team.id])[team.id]
            self._standing.ask_once(plan, but=waiting | stopped)
            if waiting:
                put_up(waiting)

    def _finish(
        self,
        exercise: Exercise,
        team: Team,
        repairs: Sequence[Repair],
        problem: Problem | None,
    ) -> None:
        """Write down what came of it; a world of which nothing ails is ready again."""
        now = self._clock.now()
        with self._database.transaction() as transaction:
            RepairRepository(transaction.session).done(repairs, at=now)
        for repair in repairs:
            log.info("host.raised_again", host=repair.host, cause=repair.cause)
        shown = problem or self._still_ailing(exercise, team)
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            if shown is not None:
                falls = repository.move_world(
                    team.id,
                    before=(WorldPhase.READY,),
                    after=WorldPhase.DEGRADED,
                    at=now,
                    problem=shown,
                )
                if not falls:
                    repository.set_problem(team.id, shown, at=now)
            elif repository.move_world(
                team.id, before=(WorldPhase.DEGRADED,), after=WorldPhase.READY, at=now
            ):
                self._exercises.journal.note_world(transaction, exercise, team, WorldPhase.READY)
                log.info("world.ready")

    def _still_ailing(self, exercise: Exercise, team: Team) -> Problem | None:
        case = next(case for t, case in self._cases(exercise) if t.id == team.id)
        # What was shown before is over; a host that waits for somebody is not, nor a way out.
        has_way_out = case.problem is not None and case.problem.stage is Stage.ISOLATION
        shown = case if has_way_out else replace(case, problem=None)
        return problem_of(shown, self._clock.now())


def _world(exercise: Exercise, team: Team) -> WorldKey:
    return WorldKey(exercise=exercise.id, team=team.slug)


def _waiting(team: Team, hosts: Mapping[str, Host]) -> tuple[str, ...]:
    """Return the hosts that were not started, because one that they need never became ready."""
    if team.problem is None or not team.never_ready:
        return ()
    return dependents({name: host.needs for name, host in hosts.items()}, team.problem.host)


def _not_repaired(exercise: Exercise, error: PoligonError) -> Problem:
    return Problem(
        stage=Stage.REPAIR,
        message=error.message,
        output=error.hint,
        next_command=f"poligon exercise retry {exercise.name}",
    )
