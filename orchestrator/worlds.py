"""The workers' side: making the worlds that should stand, and removing those that should not.

Every method takes ids, may run twice, and may be killed at any point: what is due is read from the
database, what stands is found by label, and a sweep sends again what got lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Network

import structlog

from core.clock import Clock
from core.db import Database, Transaction
from core.errors import Fault, PoligonError
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from orchestrator.addressing import hold_addresses
from orchestrator.build_repository import BuildRepository
from orchestrator.claims import Claims, NotYetError
from orchestrator.domain.addresses import Pools
from orchestrator.domain.backoff import WITHIN, next_try
from orchestrator.domain.exercise import Exercise, Problem, Stage, Team
from orchestrator.domain.needs import dependents
from orchestrator.domain.phases import MOVES, PERMITS, TO_BUILD, Act, Phase, WorldPhase, settled
from orchestrator.domain.plan import named_images, plan_world
from orchestrator.domain.repair import BUILD, RESET, WORLD, Repair
from orchestrator.domain.world import WorldKey, WorldPlan
from orchestrator.images import image_builds, image_namer
from orchestrator.injects.links import LinksInForce
from orchestrator.ports import (
    EngineUnavailableError,
    HostNotReadyError,
    RangeEngine,
    SubnetTakenError,
)
from orchestrator.repair_repository import RepairRepository
from orchestrator.repository import ExerciseRepository
from orchestrator.self_test import NotIsolatedError, SelfTest, Thoroughness
from orchestrator.service import (
    JOB_PATIENCE,
    PREPARE,
    RAISE_WORLD,
    REMOVE_WORLD,
    TEST_WORLD,
    Exercises,
)
from orchestrator.shortages import require_space
from orchestrator.standing import HostEndedError, Standing
from orchestrator.tables import ExerciseRow, TeamRow

log = structlog.get_logger()

_SETTLING = (Phase.PROVISIONING, Phase.READY, Phase.DEGRADED)
_OVER = (Phase.CLOSED, Phase.CANCELLED)
_TOLD = frozenset({WorldPhase.READY, WorldPhase.DEGRADED, WorldPhase.FAILED})


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
        internet_pool: Sequence[IPv4Network] = (),
        self_test: Thoroughness = Thoroughness.EVERY,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._engine = engine
        self._standing = Standing(engine)
        self._links = LinksInForce(database, clock, exercises, engine)
        self._installation = installation
        self._pools = Pools(ordinary=tuple(pool), internet=tuple(internet_pool))
        self._self_test = SelfTest(database, clock, exercises, engine, thoroughness=self_test)
        self._claims = Claims(database, clock)

    # Images and addresses, once an exercise

    def prepare(self, exercise_id: ExerciseId) -> None:
        """Have images, the host's protection and addresses ready, then send a job a world."""
        with self._claims.exercise(exercise_id) as held:
            if not held:
                return
            exercise = self._exercises.get(exercise_id)
            if Act.STAND not in PERMITS[exercise.phase] or self._is_prepared(exercise_id):
                return
            waiting = [team for team in exercise.teams if team.world in TO_BUILD]
            try:
                self._have_images(exercise)
                room = self._engine.protect_host()
                if waiting == list(exercise.teams):  # nothing of it stands yet
                    require_space(room.space)
                self._have_addresses(exercise, waiting, taken=room.taken)
            except EngineUnavailableError as error:
                self._note(waiting, _problem(exercise, Stage.ENGINE, error))
                raise
            except PoligonError as error:
                images = error.code.startswith("engine.")
                problem = _problem(exercise, Stage.IMAGES if images else Stage.ADDRESSES, error)
                self._rest(error, waiting, problem)
                self._fail(exercise, waiting, problem)
                return
            self._start_worlds(exercise, waiting)
            self._self_test.make_ready(exercise_id)

    def _is_prepared(self, exercise: ExerciseId) -> bool:
        with self._database.reading() as session:
            return ExerciseRepository(session).is_prepared(exercise)

    def _have_images(self, exercise: Exercise) -> None:
        loaded = self._exercises.scenario(exercise)
        for reference in named_images(loaded):
            self._engine.require_image(reference)
        for build in image_builds(self._installation, loaded):
            log.info("image.wanted", image=build.reference)
            self._engine.build_image(build)

    def _have_addresses(
        self, exercise: Exercise, teams: Sequence[Team], *, taken: Sequence[IPv4Network]
    ) -> None:
        scenario = self._exercises.scenario(exercise).scenario
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            hold_addresses(repository, exercise, teams, scenario, pools=self._pools, routed=taken)

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
            team = exercise.team_with(team_id)
            if not self._begin(exercise, team):
                return
            with structlog.contextvars.bound_contextvars(exercise=exercise.name, team=team.slug):
                self._raise(exercise, team)
        if exercise.phase is not Phase.PROVISIONING:
            self._self_test.end(exercise_id)  # a retry while it runs; nothing settles after it
        self.settle(exercise_id)

    def _begin(self, exercise: Exercise, team: Team) -> bool:
        if Act.STAND not in PERMITS[exercise.phase] or not self._is_prepared(exercise.id):
            return False
        return self._move(exercise, team, TO_BUILD, WorldPhase.BUILDING)

    def _raise(self, exercise: Exercise, team: Team) -> None:
        stage = Stage.PLAN

        def reached(next_one: Stage) -> None:
            nonlocal stage
            stage = next_one
            self.require_wanted(exercise.id)

        resets = self._resets(team)
        try:
            self._put_up(exercise, team, resets, reached)
        except NotWantedError:
            return  # the sweep removes what stands
        except SubnetTakenError as error:
            self._move_elsewhere(exercise, team, error)
        except EngineUnavailableError as error:
            self._note([team], _problem(exercise, Stage.ENGINE, error))
            raise
        except (HostNotReadyError, HostEndedError) as error:
            problem = self.not_ready(exercise, error)
            self._move(exercise, team, (WorldPhase.BUILDING,), WorldPhase.DEGRADED, problem, resets)
            log.warning("world.degraded", host=error.host, probe_output=error.output[:200])
        except NotIsolatedError as error:
            self._degrade(exercise, team, error)
        except PoligonError as error:
            problem = _problem(exercise, stage, error)
            self._rest(error, [team], problem)
            self._move(exercise, team, (WorldPhase.BUILDING,), WorldPhase.FAILED, problem)
            log.warning("world.failed", stage=stage, error=str(error))
        else:
            self._move(exercise, team, (WorldPhase.BUILDING,), WorldPhase.READY, done=resets)
            log.info("world.ready")

    def _put_up(
        self,
        exercise: Exercise,
        team: Team,
        resets: Sequence[Repair],
        reached: Callable[[Stage], None],
    ) -> None:
        plan = self.plan(exercise, team)
        try:
            self._standing.put_up(
                plan,
                reached=reached,
                anew={repair.host for repair in resets},
                during=lambda wait: self._self_test.beside(exercise, team, plan, wait),
            )
        finally:  # after the test, which asks over links that are whole
            self._links.put_back(exercise, team)

    def test_world(self, exercise_id: ExerciseId, team_id: TeamId) -> None:
        """Test a world once more that was tested when no other team stood."""
        with self._claims.team(team_id) as held:
            if not held:
                return
            exercise = self._exercises.get(exercise_id)
            team = exercise.team_with(team_id)
            if exercise.phase is Phase.PROVISIONING and team in self._self_test.due(exercise):
                with structlog.contextvars.bound_contextvars(
                    exercise=exercise.name, team=team.slug
                ):
                    self._test(exercise, team)
        self.settle(exercise_id)

    def _test(self, exercise: Exercise, team: Team) -> None:
        try:
            self._self_test.run(exercise, team, self.plan(exercise, team), last=True)
        except NotIsolatedError as error:
            self._degrade(exercise, team, error)

    def _degrade(self, exercise: Exercise, team: Team, error: NotIsolatedError) -> None:
        problem = _problem(exercise, Stage.ISOLATION, error)
        before = (WorldPhase.BUILDING, WorldPhase.READY)
        self._move(exercise, team, before, WorldPhase.DEGRADED, problem)
        log.warning("world.not_isolated", error=error.message)

    def _resets(self, team: Team) -> tuple[Repair, ...]:
        """Return the hosts of a world that are to be made anew, whatever stands of them."""
        with self._database.reading() as session:
            under_way = RepairRepository(session).under_way([team.id])
        return tuple(repair for repair in under_way if repair.cause == RESET)

    def not_ready(self, exercise: Exercise, error: HostNotReadyError | HostEndedError) -> Problem:
        """Return what is shown of a world whose host did not become ready."""
        hosts = self._exercises.scenario(exercise).scenario.hosts
        waiting = dependents({name: host.needs for name, host in hosts.items()}, error.host)
        problem = _problem(exercise, Stage.READINESS, error, host=error.host, output=error.output)
        if not waiting:
            return problem
        return replace(
            problem,
            message=f"{problem.message}; not started, because they need it: {', '.join(waiting)}",
        )

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

    def _move_elsewhere(self, exercise: Exercise, team: Team, error: SubnetTakenError) -> None:
        """Give the world other addresses: something that shows no route held one of them."""
        log.warning("world.subnet_taken", error=str(error))
        self._engine.remove_world(WorldKey(exercise=exercise.id, team=team.slug))
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            if error.subnet in repository.subnets(team.id).values():
                repository.condemn_subnets(team.id)
            repository.condemn_shared_subnet(exercise.id, error.subnet)
            repository.set_prepared(exercise.id, None)
            transaction.after_commit(Job(PREPARE, (exercise.id,)))

    def require_wanted(self, exercise: ExerciseId) -> None:
        """Raise NotWantedError when worlds of the exercise should not stand any more."""
        if Act.STAND not in PERMITS[self._exercises.phase(exercise)]:
            raise NotWantedError("the exercise was cancelled")

    def settle(self, exercise_id: ExerciseId) -> None:
        """Let an exercise that has not started follow its worlds; one that has stays as it is.

        Worlds that were tested when no other team stood are tested once more before.
        """
        seen = self._exercises.get(exercise_id)
        is_new = seen.phase is Phase.PROVISIONING
        if is_new and _settles_to(seen) and not self._self_test.due(seen):
            # First, so that whoever sees the exercise ready finds nothing of the test.
            self._self_test.end(exercise_id)
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            exercise = repository.find(exercise_id)
            if exercise is None:
                return
            after = _settles_to(exercise)
            if after is None or self._tests_first(transaction, exercise):
                return
            if repository.move(exercise.id, before=exercise.phase, after=after):
                if exercise.phase is Phase.PROVISIONING:
                    BuildRepository(transaction.session).add(
                        exercise,
                        hosts=self._exercises.hosts(exercise),
                        ready=after is Phase.READY,
                        at=self._clock.now(),
                    )
                self._exercises.journal.note(transaction, exercise, f"exercise.{after}", "")
                log.info("exercise.settled", exercise=exercise.name, phase=after)

    def _tests_first(self, transaction: Transaction, exercise: Exercise) -> bool:
        """Send the jobs of worlds that are to be tested before it is ready; tell if there are."""
        if exercise.phase is not Phase.PROVISIONING:
            return False
        repository = ExerciseRepository(transaction.session)
        due = self._self_test.due(exercise)
        for team in due:
            if self._reserve(repository, TeamRow, team.id):
                transaction.after_commit(Job(TEST_WORLD, (exercise.id, team.id)))
        return bool(due)

    def _rest(self, error: PoligonError, teams: Sequence[Team], problem: Problem) -> None:
        """Have it tried again after a rest, if a retry may help and was not made often enough.

        Raises NotYetError then. What the scenario or its author did wrong is never tried again.
        """
        if error.fault is not Fault.UPSTREAM:
            return
        now = self._clock.now()
        with self._database.transaction() as transaction:
            repairs = RepairRepository(transaction.session)
            for team in teams:
                repairs.add_tried(team.id, cause=BUILD, at=now)
            tried = repairs.tried([team.id for team in teams], since=now - WITHIN)
        again = [next_try(tried.get(team.id, {}).get(WORLD, ()), now) for team in teams]
        times = [at for at in again if at is not None]
        if len(times) < len(again):
            return
        rest = max(times) - now
        told = f"{problem.message}; tried again in {rest.total_seconds():g} s"
        self._note(teams, replace(problem, message=told))
        log.warning("world.not_yet", error=str(error), rest=rest.total_seconds())
        raise NotYetError(problem.message, rest=rest) from error

    # Removal

    def remove_world(self, exercise_id: ExerciseId, team_id: TeamId) -> None:
        """Remove everything of a team's world and give its addresses back."""
        with self._claims.team(team_id) as held:
            if not held:
                return
            exercise = self._exercises.get(exercise_id)
            team = exercise.team_with(team_id)
            if Act.STAND in PERMITS[exercise.phase]:
                return
            if team.world is WorldPhase.REMOVED:
                self._remove_shared(exercise_id)
                return
            left = tuple(phase for phase in WorldPhase if phase is not WorldPhase.REMOVED)
            self._move(exercise, team, left, WorldPhase.REMOVING)
            try:
                removed = self._engine.remove_world(WorldKey(exercise=exercise.id, team=team.slug))
                self._self_test.end(exercise.id)
            except PoligonError as error:
                self._note([team], _problem(exercise, Stage.REMOVAL, error))
                raise
            with self._database.transaction() as transaction:
                repository = ExerciseRepository(transaction.session)
                repository.release_subnets(team.id)
                removing = (WorldPhase.REMOVING,)
                after, now = WorldPhase.REMOVED, self._clock.now()
                repository.move_world(team.id, before=removing, after=after, at=now)
                self._exercises.journal.note_world(transaction, exercise, team, after)
            log.info(
                "world.removed",
                exercise=exercise.name,
                team=team.slug,
                containers=removed.containers,
                networks=removed.networks,
            )
            self._remove_shared(exercise_id)

    def _remove_shared(self, exercise_id: ExerciseId) -> None:
        """Remove what the worlds of an exercise shared, once the last of them is gone."""
        exercise = self._exercises.get(exercise_id)
        with self._database.reading() as session:
            shared = ExerciseRepository(session).shared_subnets(exercise_id)
        if not shared or any(team.world is not WorldPhase.REMOVED for team in exercise.teams):
            return
        self._engine.remove_exercise(exercise_id)
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            repository.hold(exercise_id)  # the worker of another of its teams may be here, too
            repository.release_shared_subnets(exercise_id)

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
            # With no world left it is what they shared that stands; any team's job removes it.
            self._send_again(REMOVE_WORLD, exercise, left or exercise.teams[:1])

    def _sweep_standing(self, exercise: Exercise) -> None:
        waiting = [team for team in exercise.teams if team.world in TO_BUILD]
        if not waiting:
            if _settles_to(exercise):
                self.settle(exercise.id)
        elif self._is_prepared(exercise.id):
            self._send_again(RAISE_WORLD, exercise, waiting)
        else:
            with self._database.transaction() as transaction:
                repository = ExerciseRepository(transaction.session)
                if self._reserve(repository, ExerciseRow, exercise.id):
                    transaction.after_commit(Job(PREPARE, (exercise.id,)))

    def _send_again(self, job: str, exercise: Exercise, teams: Sequence[Team]) -> None:
        with self._database.reading() as session:
            due = ExerciseRepository(session).expired((t.id for t in teams), now=self._clock.now())
        if not due:
            return  # a launch under way is swept often: that writes nothing
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            for team in teams:
                if team.id in due and self._reserve(repository, TeamRow, team.id):
                    transaction.after_commit(Job(job, (exercise.id, team.id)))

    def _reserve(
        self, repository: ExerciseRepository, thing: type[ExerciseRow | TeamRow], key: str
    ) -> bool:
        now = self._clock.now()
        return repository.claim(thing, key, worker=None, now=now, until=now + JOB_PATIENCE)

    # Writing down

    def _move(
        self,
        exercise: Exercise,
        team: Team,
        before: Sequence[WorldPhase],
        after: WorldPhase,
        problem: Problem | None = None,
        done: Sequence[Repair] = (),
    ) -> bool:
        with self._database.transaction() as transaction:
            RepairRepository(transaction.session).done(done, at=self._clock.now())
            moved = ExerciseRepository(transaction.session).move_world(
                team.id, before=before, after=after, at=self._clock.now(), problem=problem
            )
            if moved and after in _TOLD:
                self._exercises.journal.note_world(transaction, exercise, team, after, problem)
            return moved

    def _fail(self, exercise: Exercise, teams: Sequence[Team], problem: Problem) -> None:
        for team in teams:
            self._move(exercise, team, TO_BUILD, WorldPhase.FAILED, problem)
        log.warning("exercise.not_prepared", exercise=exercise.name, error=problem.message)
        self.settle(exercise.id)

    def _note(self, teams: Sequence[Team], problem: Problem) -> None:
        with self._database.transaction() as transaction:
            repository = ExerciseRepository(transaction.session)
            for team in teams:
                repository.set_problem(team.id, problem, at=self._clock.now())


def _settles_to(exercise: Exercise) -> Phase | None:
    """Return what an exercise that has not started becomes by its worlds; `None` for no change."""
    after = settled(team.world for team in exercise.teams)
    follows = exercise.phase in _SETTLING and after in MOVES[exercise.phase]
    return after if follows else None


def _problem(
    exercise: Exercise, stage: Stage, error: PoligonError, *, host: str = "", output: str = ""
) -> Problem:
    waits = error.fault is Fault.UPSTREAM and stage in {Stage.ENGINE, Stage.REMOVAL}
    return Problem(
        stage=stage,
        message=error.message,
        host=host,
        output=output or error.hint,
        next_command="poligon doctor" if waits else f"poligon exercise retry {exercise.name}",
    )
