"""A look: a round's errands to one service of one team, and what is written down of them."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId, new_id
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import PERMITS, Act
from orchestrator.domain.world import WorldKey
from orchestrator.images import checker_namer
from orchestrator.ports import RangeEngine
from orchestrator.repository import ExerciseRepository
from scoring.attack_defence.repository import AttackDefenceRepository, LeftFlag
from scoring.attack_defence.tables import ServiceLookRow
from scoring.checks.checkers import Action, Checkers, Errand, TeamService, Told
from scoring.checks.prober import Prober
from scoring.domain.attack_defence.looks import Step, look_verdict
from scoring.domain.flags import round_flag
from scoring.domain.verdicts import Verdict
from scoring.maintenance_repository import window_at
from scoring.ports import Exercises
from scoring.repository import ScoreRepository, milliseconds
from scoring.team_scenario import TeamScenario

log = structlog.get_logger()

_OUTPUT_CHARACTERS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """Whom a look goes to, in which round, and how flags of earlier rounds were left there."""

    exercise: Exercise
    team: Team
    service: str
    number: int
    asked: TeamService
    flags: Mapping[int, str]
    left: tuple[LeftFlag, ...]

    def errands(self, flag_id: str) -> Iterator[Errand]:
        """Yield what to do after `put`, which printed `flag_id`, in order."""
        yield Errand(action=Action.CHECK, round=self.number)
        yield self._get(self.number, flag_id)
        for earlier in self.left:
            if earlier.put is Verdict.UP:
                yield self._get(earlier.round, earlier.flag_id)

    def _get(self, number: int, flag_id: str) -> Errand:
        return Errand(action=Action.GET, round=number, flag=self.flags[number], flag_id=flag_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A look, carried out."""

    verdict: Verdict
    put: Verdict
    flag_id: str
    output: str
    started_at: datetime
    took: timedelta


class Looking:
    """Looks at services. `parallel` is how many this process carries out at once."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        engine: RangeEngine,
        *,
        installation: str,
        parallel: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._checkers = Checkers(engine)
        self._prober = Prober(engine)
        self._installation = installation
        self._places = threading.BoundedSemaphore(parallel)

    def look(
        self, exercise_id: ExerciseId, team_id: TeamId, service: str, number: int
    ) -> Verdict | None:
        """Carry a look out; see `AttackDefence.look`."""
        with self._places:
            visit = self._visit(exercise_id, team_id, service, number)
            if visit is None:
                return None
            seen = self._look(visit)
        exercise = self._exercises.get(exercise_id)
        if not exercise.is_looked_at(visit.team):
            log.info("look.left_behind", exercise=exercise.name, team=visit.team.slug)
            return None
        return self._record(visit, seen, ended=exercise.elapsed(self._clock.now()))

    def _visit(
        self, exercise_id: ExerciseId, team_id: TeamId, service: str, number: int
    ) -> _Visit | None:
        """Return whom to look at; `None` when the round is not on, or was looked at before."""
        exercise = self._exercises.get(exercise_id)
        team = exercise.team_with(team_id)
        loaded = self._exercises.scenario(exercise)
        spec = loaded.scenario.services.get(service)
        if spec is None or not exercise.is_looked_at(team):
            return None
        rounds = range(number - spec.flag.lives + 1, number + 1)
        with self._database.reading() as session:
            repository = AttackDefenceRepository(session)
            on = repository.open_round(exercise_id)
            left = repository.left_flags(exercise_id, (team_id, service), rounds)
            key = ExerciseRepository(session).secret(exercise_id)
        if on is None or on.number != number or any(flag.round == number for flag in left):
            return None
        image = checker_namer(self._installation, loaded)(spec)
        seen = TeamScenario.of(self._exercises, exercise, team)
        return _Visit(
            exercise=exercise,
            team=team,
            service=service,
            number=number,
            asked=seen.service(service, exercise=exercise, image=image),
            flags={
                one: round_flag(spec.flag, key=key, team=team.slug, service=service, number=one)
                for one in (number, *(flag.round for flag in left))
            },
            left=left,
        )

    def _look(self, visit: _Visit) -> _Seen:
        started_at = self._clock.now()
        put = self._ask(
            visit.asked,
            Errand(action=Action.PUT, round=visit.number, flag=visit.flags[visit.number]),
        )
        told, steps = [put], [Step(verdict=put.verdict)]
        for errand in visit.errands(put.flag_id):
            if steps[-1].is_last:
                break
            told.append(self._ask(visit.asked, errand))
            steps.append(Step(verdict=told[-1].verdict, is_earlier=errand.round != visit.number))
        lacks = any(flag.put.scored and flag.put is not Verdict.UP for flag in visit.left)
        verdict = look_verdict(steps, lacks_flags=lacks)
        seen = _Seen(
            verdict=verdict,
            put=put.verdict,
            flag_id=put.flag_id,
            output="\n".join(one.output for one in told if one.output)[-_OUTPUT_CHARACTERS:],
            started_at=started_at,
            took=self._clock.now() - started_at,
        )
        return _unscored(seen) if self._is_ours(visit, verdict) else seen

    def _ask(self, service: TeamService, errand: Errand) -> Told:
        """Send a checker; one that finds nobody there is sent again, by another container."""
        told = self._checkers.ask(service, errand)
        return self._checkers.ask(service, errand) if told.verdict is Verdict.DOWN else told

    def _is_ours(self, visit: _Visit, verdict: Verdict) -> bool:
        """Tell whether a service may be failing because of us: then its team does not pay."""
        if verdict is Verdict.UP or not verdict.scored:
            return False
        world = WorldKey(exercise=visit.exercise.id, team=visit.team.slug)
        hosts = self._exercises.scenario(visit.exercise).scenario.hosts
        wanted = {world.host(name): frozenset(host.networks) for name, host in hosts.items()}
        return visit.team.in_doubt or self._prober.sees_ours_fallen(world, wanted)

    def _record(self, visit: _Visit, seen: _Seen, *, ended: timedelta) -> Verdict | None:
        exercise, team = visit.exercise, visit.team
        with self._database.transaction() as transaction:
            phase = ScoreRepository(transaction.session).take_turn(exercise.id, team.id)
            if Act.CHECK not in PERMITS[phase]:
                return None
            repository = AttackDefenceRepository(transaction.session)
            on = repository.open_round(exercise.id)
            in_time = on is not None and on.number == visit.number and ended <= on.deadline
            if window_at(transaction.session, exercise.id, team.id, at=seen.started_at):
                seen = _unscored(seen)
            row = ServiceLookRow(
                id=new_id(),
                exercise_id=exercise.id,
                team_id=team.id,
                service=visit.service,
                round=visit.number,
                verdict=seen.verdict,
                put=seen.put,
                flag_id=seen.flag_id,
                output=seen.output,
                late=not in_time,
                started_at=seen.started_at,
                exercise_ms=milliseconds(exercise.elapsed(seen.started_at)),
                duration_ms=milliseconds(seen.took),
            )
            return seen.verdict if repository.add_look(row) else None


def _unscored(seen: _Seen) -> _Seen:
    """Return a look that counts on neither side; a flag that was left is still asked for."""
    put = seen.put if seen.put is Verdict.UP else Verdict.INFRA_ERROR
    return replace(seen, verdict=Verdict.INFRA_ERROR, put=put)
