"""The workers' side: making the worlds that should stand, and removing those that should not.

Every method takes ids, may run twice, and may be killed at any point: what is due is read from the
database, what stands is found by label, and a sweep sends again what got lost.
"""

import platform
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network

import structlog

from core.clock import Clock
from core.db import Database
from core.errors import Fault, PoligonError
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from orchestrator.claims import Claims
from orchestrator.domain.addresses import allocate
from orchestrator.domain.exercise import Exercise, Problem, Team
from orchestrator.domain.phases import PERMITS, Act, Phase, WorldPhase, settled
from orchestrator.domain.plan import named_images, plan_images, plan_world
from orchestrator.domain.world import HostPlan, WorldKey, WorldPlan
from orchestrator.images import image_namer
from orchestrator.ports import (
    EngineUnavailableError,
    HostNotReadyError,
    RangeEngine,
    SubnetTakenError,
)
from orchestrator.repository import ExerciseRepository
from orchestrator.service import JOB_PATIENCE, PREPARE, RAISE_WORLD, REMOVE_WORLD, Exercises
from orchestrator.tables import ExerciseRow, TeamRow

log = structlog.get_logger()

_WAITING = (WorldPhase.PLANNED, WorldPhase.BUILDING)
_OVER = (Phase.CLOSED, Phase.CANCELLED)


class NotWantedError(PoligonError):
    """The exercise was cancelled while its world was being built."""

    code = "world.not_wanted"
    fault = Fault.CONFLICT


class Worlds:
    """Makes and removes worlds on one engine."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        engine: RangeEngine,
        installation: str,
        pool: Sequence[IPv4Network],
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._engine = engine
        self._installation = installation
        self._pool = tuple(pool)
        worker = f"{platform.node()[:24]}-{uuid.uuid4().hex[:12]}"
        self._claims = Claims(database, clock, worker=worker)

    # Images and addresses, once an exercise

    def prepare(self, exercise_id: ExerciseId) -> None:
        """Have images, the host's protection and addresses ready, then send a job a world."""
        with self._claims.exercise(exercise_id) as held:
            if not held:
                return
            exercise = self._exercises.get(exercise_id)
            if Act.STAND not in PERMITS[exercise.phase] or self._is_prepared(exercise_id):
                return
            waiting = [team for team in exercise.teams if team.world in _WAITING]
            try:
                self._have_images(exercise)
                self._have_addresses(exercise, waiting, routed=self._prepared_host())
            except EngineUnavailableError as error:
                self._note(waiting, _problem(exercise, "engine", error))
                raise
            except PoligonError as error:
                stage = "images" if error.code.startswith("engine.") else "addresses"
                self._fail(exercise, waiting, _problem(exercise, stage, error))
                return
            self._start_worlds(exercise, waiting)

    def _is_prepared(self, exercise: ExerciseId) -> bool:
        with self._database.reading() as session:
            return ExerciseRepository(session).is_prepared(exercise)

    def _have_images(self, exercise: Exercise) -> None:
        loaded = self._exercises.scenario(exercise)
        for reference in named_images(loaded):
            self._engine.require_image(reference)
        for build in plan_images(loaded, image_namer(self._installation, loaded)):
            log.info("image.wanted", image=build.reference)
            self._engine.build_image(build)

    def _prepared_host(self) -> tuple[IPv4Network, ...]:
        """Have the host protected; return what it routes. Both ask it, so both at once."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            protection = pool.submit(self._engine.protect_host)
            routed = self._engine.taken_subnets()
            protection.result()
        return routed

    def _have_addresses(
        self, exercise: Exercise, teams: Sequence[Team], *, routed: Sequence[IPv4Network]
    ) -> None:
        networks = self._exercises.scenario(exercise).scenario.networks
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            without = [team for team in teams if not repository.subnets(team.id)]
            found = allocate(
                self._pool,
                [*routed, *repository.held_subnets()],
                [network.size for _ in without for network in networks.values()],
            )
            each = iter(found)
            for team in without:
                repository.hold_subnets(team.id, {name: next(each) for name in networks})

    def _start_worlds(self, exercise: Exercise, teams: Sequence[Team]) -> None:
        now = self._clock.now()
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            repository.set_prepared(exercise.id, now)
            for team in teams:
                if self._reserve(repository, TeamRow, team.id):
                    transaction.after_commit(Job(RAISE_WORLD, (exercise.id, team.id)))

    # One world

    def raise_world(self, exercise_id: ExerciseId, team_id: TeamId) -> None:
        """Make a team's world stand and find out whether it is ready."""
        with self._claims.team(team_id) as held:
            if not held:
                return
            exercise = self._exercises.get(exercise_id)
            team = _team(exercise, team_id)
            if not self._begin(exercise, team):
                return
            with structlog.contextvars.bound_contextvars(exercise=exercise.name, team=team.slug):
                self._raise(exercise, team)
        self._settle(exercise_id)

    def _begin(self, exercise: Exercise, team: Team) -> bool:
        if Act.STAND not in PERMITS[exercise.phase] or not self._is_prepared(exercise.id):
            return False
        return self._move(team, _WAITING, WorldPhase.BUILDING)

    def _raise(self, exercise: Exercise, team: Team) -> None:
        stage = "plan"
        try:
            plan = self.plan(exercise, team)
            stage = "networks"
            for network in plan.networks:
                self._engine.raise_network(plan.key, network)
            stage = "hosts"
            self._require_wanted(exercise.id)
            self._each_host(plan, self._engine.raise_host)
            stage = "readiness"
            self._each_host(plan, self._engine.await_ready)
        except NotWantedError:
            return  # the sweep removes what stands
        except SubnetTakenError as error:
            self._move_elsewhere(exercise, team, error)
        except EngineUnavailableError as error:
            self._note([team], _problem(exercise, "engine", error))
            raise
        except HostNotReadyError as error:
            problem = _problem(exercise, stage, error, host=error.host, output=error.output)
            self._move(team, (WorldPhase.BUILDING,), WorldPhase.DEGRADED, problem)
            log.warning("world.degraded", host=error.host, probe_output=error.output[:200])
        except PoligonError as error:
            self._move(
                team, (WorldPhase.BUILDING,), WorldPhase.FAILED, _problem(exercise, stage, error)
            )
            log.warning("world.failed", stage=stage, error=str(error))
        else:
            self._move(team, (WorldPhase.BUILDING,), WorldPhase.READY)
            log.info("world.ready")

    def plan(self, exercise: Exercise, team: Team) -> WorldPlan:
        """Return what should stand for a team that has its addresses."""
        loaded = self._exercises.scenario(exercise)
        facts = self._exercises.facts(exercise, team)
        return plan_world(
            WorldKey(exercise=exercise.id, team=team.slug),
            loaded,
            facts=facts,
            subnets=facts.subnets,
            image_name=image_namer(self._installation, loaded),
        )

    def _each_host(self, plan: WorldPlan, act: Callable[[WorldKey, HostPlan], None]) -> None:
        """Do `act` for every host at once; the first error is raised when all are through."""
        if not plan.hosts:
            return
        with ThreadPoolExecutor(max_workers=len(plan.hosts)) as pool:
            futures = [pool.submit(act, plan.key, host) for host in plan.hosts]
        for future in futures:
            future.result()

    def _move_elsewhere(self, exercise: Exercise, team: Team, error: SubnetTakenError) -> None:
        """Give the world other addresses: something that shows no route held one of them."""
        log.warning("world.subnet_taken", error=str(error))
        self._engine.remove_world(WorldKey(exercise=exercise.id, team=team.slug))
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            repository.condemn_subnets(team.id)
            repository.set_prepared(exercise.id, None)
            transaction.after_commit(Job(PREPARE, (exercise.id,)))

    def _require_wanted(self, exercise: ExerciseId) -> None:
        if Act.STAND not in PERMITS[self._exercises.get(exercise).phase]:
            raise NotWantedError("the exercise was cancelled")

    def _settle(self, exercise_id: ExerciseId) -> None:
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            exercise = repository.find(exercise_id)
            if exercise is None or exercise.phase is not Phase.PROVISIONING:
                return
            after = settled(team.world for team in exercise.teams)
            if after is not None and repository.move(
                exercise.id, before=Phase.PROVISIONING, after=after
            ):
                log.info("exercise.settled", exercise=exercise.name, phase=after)

    # Removal

    def remove_world(self, exercise_id: ExerciseId, team_id: TeamId) -> None:
        """Remove everything of a team's world and give its addresses back."""
        with self._claims.team(team_id) as held:
            if not held:
                return
            exercise = self._exercises.get(exercise_id)
            team = _team(exercise, team_id)
            if Act.STAND in PERMITS[exercise.phase] or team.world is WorldPhase.REMOVED:
                return
            left = tuple(phase for phase in WorldPhase if phase is not WorldPhase.REMOVED)
            self._move(team, left, WorldPhase.REMOVING)
            try:
                removed = self._engine.remove_world(WorldKey(exercise=exercise.id, team=team.slug))
            except PoligonError as error:
                self._note([team], _problem(exercise, "removal", error))
                raise
            with self._database.transaction() as transaction:
                repository = ExerciseRepository(transaction.session)
                repository.release_subnets(team.id)
                repository.move_world(
                    team.id,
                    before=(WorldPhase.REMOVING,),
                    after=WorldPhase.REMOVED,
                    at=self._clock.now(),
                )
            log.info(
                "world.removed",
                exercise=exercise.name,
                team=team.slug,
                containers=removed.containers,
                networks=removed.networks,
            )

    # What is due, from the database alone

    def sweep(self) -> None:
        """Send the jobs that are due and that nobody works on."""
        standing = self._exercises.permitting(Act.STAND)
        with self._database.reading() as session:
            over = ExerciseRepository(session).with_worlds_left(*_OVER)
        for exercise in standing:
            self._sweep_standing(exercise)
        for exercise in over:
            left = [team for team in exercise.teams if team.world is not WorldPhase.REMOVED]
            self._send_again(REMOVE_WORLD, exercise, left)

    def _sweep_standing(self, exercise: Exercise) -> None:
        waiting = [team for team in exercise.teams if team.world in _WAITING]
        if not waiting:
            self._settle(exercise.id)
        elif self._is_prepared(exercise.id):
            self._send_again(RAISE_WORLD, exercise, waiting)
        else:
            with self._database.transaction() as transaction:
                repository = ExerciseRepository(transaction.session)
                if self._reserve(repository, ExerciseRow, exercise.id):
                    transaction.after_commit(Job(PREPARE, (exercise.id,)))

    def _send_again(self, job: str, exercise: Exercise, teams: Sequence[Team]) -> None:
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            for team in teams:
                if self._reserve(repository, TeamRow, team.id):
                    transaction.after_commit(Job(job, (exercise.id, team.id)))

    def _reserve(
        self, repository: ExerciseRepository, thing: type[ExerciseRow | TeamRow], key: str
    ) -> bool:
        now = self._clock.now()
        return repository.claim(thing, key, worker=None, now=now, until=now + JOB_PATIENCE)

    # Writing down

    def _move(
        self,
        team: Team,
        before: Sequence[WorldPhase],
        after: WorldPhase,
        problem: Problem | None = None,
    ) -> bool:
        with self._database.transaction() as transaction:
            return ExerciseRepository(transaction.session).move_world(
                team.id, before=before, after=after, at=self._clock.now(), problem=problem
            )

    def _fail(self, exercise: Exercise, teams: Sequence[Team], problem: Problem) -> None:
        for team in teams:
            self._move(team, _WAITING, WorldPhase.FAILED, problem)
        log.warning("exercise.not_prepared", exercise=exercise.name, error=problem.message)
        self._settle(exercise.id)

    def _note(self, teams: Sequence[Team], problem: Problem) -> None:
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            for team in teams:
                repository.set_problem(team.id, problem)


def _team(exercise: Exercise, team_id: TeamId) -> Team:
    return next(team for team in exercise.teams if team.id == team_id)


def _problem(
    exercise: Exercise, stage: str, error: PoligonError, *, host: str = "", output: str = ""
) -> Problem:
    waits = error.fault is Fault.UPSTREAM and stage in {"engine", "removal"}
    return Problem(
        stage=stage,
        message=error.message,
        host=host,
        output=output or error.hint,
        next_command="poligon doctor" if waits else f"poligon exercise retry {exercise.name}",
    )
