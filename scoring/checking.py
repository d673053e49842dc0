"""Rounds of checks: when one is due, what it saw, and what follows from it."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId, new_id
from core.jobs import Job
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import AvailabilityTask, ChecksTask, GuardTask
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import PERMITS, STANDING, Act
from orchestrator.domain.world import WorldKey
from scoring.checks.prober import Prober
from scoring.checks.probes import Finding
from scoring.costs import settle_costs
from scoring.domain.guards import FAILURES, is_lost
from scoring.domain.holds import CheckRun, CheckState
from scoring.domain.ledger import Cause, Fact, availability_moved, lost, partly_done, solved
from scoring.domain.rounds import current_round, offset_of
from scoring.domain.verdicts import Verdict
from scoring.opening import times_now
from scoring.ports import Exercises
from scoring.repository import ScoreRepository, milliseconds
from scoring.tables import CheckRunRow, SolveRow
from scoring.team_scenario import TeamScenario

log = structlog.get_logger()

CHECK = "scoring.check"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A look, carried out."""

    check: str
    run: CheckRun
    output: str
    started_at: datetime
    took: timedelta


class Checking:
    """Checks of teams. `parallel` is how many this process carries out at once."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        prober: Prober,
        *,
        parallel: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._prober = prober
        self._places = threading.BoundedSemaphore(parallel)

    # Due work

    def sweep(self) -> int:
        """Send a job for every round that is on and has none yet; return how many."""
        exercises = self._exercises.permitting(Act.CHECK)
        teams = [team.id for exercise in exercises for team in exercise.teams]
        with self._database.reading() as session:
            sent = ScoreRepository(session).rounds_sent(teams)
        return sum(self._sweep(exercise, sent) for exercise in exercises)

    def _sweep(self, exercise: Exercise, sent: Mapping[tuple[str, str], int]) -> int:
        checks = self._exercises.scenario(exercise).scenario.checks
        now = self._clock.now()
        on = [t for t in exercise.teams if t.world in STANDING and exercise.permits(Act.CHECK, t)]
        due = [
            (team.id, name, number)
            for team in on
            for elapsed in (exercise.elapsed(now, team.id),)
            for name, check in checks.items()
            if (number := _round(team, name, check.every, elapsed)) is not None
            and number > sent.get((team.id, name), -1)
        ]
        return self._send(exercise.id, due) if due else 0

    def _send(self, exercise: ExerciseId, due: list[tuple[TeamId, str, int]]) -> int:
        with self._database.transaction() as transaction:
            repository = ScoreRepository(transaction.session)
            # In one order everywhere: two sweeps that lock rows crosswise would wait for ever.
            for team, check, number in sorted(due):
                if repository.claim_round(team, check, number):
                    transaction.after_commit(Job(CHECK, (exercise, team, check, str(number))))
        return len(transaction.jobs)

    # One round

    def run_check(
        self, exercise_id: ExerciseId, team_id: TeamId, check: str, number: int
    ) -> Verdict | None:
        """Carry out one round of a check; see `Scoring.run_check`."""
        with self._places:
            exercise = self._exercises.get(exercise_id)
            team = _team(exercise, team_id)
            scenario = self._exercises.scenario(exercise).scenario
            if check not in scenario.checks or not self._is_on(exercise, team, check, number):
                return None
            seen = self._look(exercise, team, check, number)
        now_exercise = self._exercises.get(exercise_id)
        if not _still_stands(now_exercise, team):
            log.info("check.left_behind", exercise=exercise.name, team=team.slug, check=check)
            return None
        return self._record(exercise, team, scenario, seen)

    def _is_on(self, exercise: Exercise, team: Team, check: str, number: int) -> bool:
        every = self._exercises.scenario(exercise).scenario.checks[check].every
        elapsed = exercise.elapsed(self._clock.now(), team.id)
        return _still_stands(exercise, team) and number == _round(team, check, every, elapsed)

    def _look(self, exercise: Exercise, team: Team, check: str, number: int) -> _Seen:
        started_at = self._clock.now()
        finding = self._find(exercise, team, check)
        failed = finding.verdict not in {Verdict.UP, Verdict.INFRA_ERROR}
        if failed and (team.in_doubt or self._fell(exercise, team)):
            # Something in there never became ready, or what we hold up fell: nobody can tell whose
            # fault it is.
            finding = Finding(verdict=Verdict.INFRA_ERROR, output=finding.output)
        at = exercise.elapsed(started_at, team.id)
        return _Seen(
            check=check,
            run=CheckRun(round=number, at=at, verdict=finding.verdict),
            output=finding.output,
            started_at=started_at,
            took=self._clock.now() - started_at,
        )

    def _fell(self, exercise: Exercise, team: Team) -> bool:
        world = WorldKey(exercise=exercise.id, team=team.slug)
        hosts = self._exercises.scenario(exercise).scenario.hosts
        wanted = {world.host(name): frozenset(host.networks) for name, host in hosts.items()}
        return self._prober.sees_ours_fallen(world, wanted)

    def _find(self, exercise: Exercise, team: Team, check: str) -> Finding:
        scenario = TeamScenario.of(self._exercises, exercise, team)
        look = scenario.look(scenario.scenario.checks[check])
        return self._prober.look(WorldKey(exercise=exercise.id, team=team.slug), look)

    def _record(
        self, exercise: Exercise, team: Team, scenario: Scenario, seen: _Seen
    ) -> Verdict | None:
        with self._database.transaction() as transaction:
            repository = ScoreRepository(transaction.session)
            if Act.CHECK not in PERMITS[repository.take_turn(exercise.id, team.id)]:
                return None
            states = {c: s for (_, c), s in repository.check_states([team.id]).items()}
            before = states.get(seen.check, CheckState())
            after = before.after(seen.run)
            row = _row(exercise, team, seen)
            if after is before or not repository.add_run(row):
                return None
            repository.keep_check_state(team.id, seen.check, after)
            booking = _Booking(
                session=transaction.session,
                repository=repository,
                exercise=exercise.id,
                team=team.id,
                scenario=scenario,
                fact=Fact(cause=Cause.CHECK_RUN, id=row.id, at=seen.started_at),
                at=seen.run.at,
                recorded_at=self._clock.now(),
            )
            booking.move_availability(seen.check, before, after)
            booking.take_what_was_lost(seen.check)
            booking.solve_what_held(seen.check, {**states, seen.check: after})
        return seen.run.verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Booking:
    """What follows from one run of a check of a team."""

    session: Session
    repository: ScoreRepository
    exercise: ExerciseId
    team: TeamId
    scenario: Scenario
    fact: Fact
    at: timedelta
    recorded_at: datetime

    def move_availability(self, check: str, before: CheckState, after: CheckState) -> None:
        for name, task in self.scenario.tasks.items():
            if isinstance(task, AvailabilityTask) and task.availability == check:
                for entry in availability_moved(
                    self.team,
                    name,
                    points=task.points,
                    before=before.rounds,
                    after=after.rounds,
                    fact=self.fact,
                ):
                    self.repository.book(self.exercise, entry, recorded_at=self.recorded_at)

    def take_what_was_lost(self, check: str) -> None:
        for name, task in self.scenario.tasks.items():
            if not isinstance(task, GuardTask) or task.guard != check:
                continue
            entry = lost(self.team, name, points=task.points, fact=self.fact)
            latest = self.repository.latest_verdicts(self.team, check, FAILURES)
            if is_lost(latest) and not self.repository.is_booked(entry.key):
                self.repository.book(self.exercise, entry, recorded_at=self.recorded_at)

    def solve_what_held(self, check: str, states: dict[str, CheckState]) -> None:
        for name, task in self.scenario.tasks.items():
            if not isinstance(task, ChecksTask) or check not in task.checks:
                continue
            held = [
                c
                for c in task.checks
                if states.get(c, CheckState()).has_held(self.scenario.checks[c].hold)
            ]
            if held and self._counts_now(task):
                self._book_parts(name, task, held)
                if len(held) == len(task.checks):
                    self._book_solve(name, task)

    def _book_parts(self, name: str, task: ChecksTask, held: Sequence[str]) -> None:
        if not task.partial or self.repository.is_solved(self.team, name):
            return
        for check in held:
            if check in task.partial:
                points = task.partial[check]
                entry = partly_done(self.team, name, check, points=points, fact=self.fact)
                if not self.repository.is_booked(entry.key):
                    self.repository.book(self.exercise, entry, recorded_at=self.recorded_at)
                    self._settle(name)

    def _counts_now(self, task: ChecksTask) -> bool:
        times = times_now(self.session, self.team, task)
        return times.is_open and not times.is_over(self.at)

    def _book_solve(self, name: str, task: ChecksTask) -> None:
        if self.repository.add_solve(self._solve(name)):
            given = self.repository.given_in_part(self.team, name)
            entry = solved(self.team, name, points=task.points, given=given, fact=self.fact)
            self.repository.book(self.exercise, entry, recorded_at=self.recorded_at)
            self._settle(name)

    def _settle(self, task: str) -> None:
        settle_costs(
            self.session,
            self.scenario,
            self.exercise,
            self.team,
            task,
            at=self.fact.at,
            recorded_at=self.recorded_at,
        )

    def _solve(self, task: str) -> SolveRow:
        return SolveRow(
            team_id=self.team,
            task=task,
            exercise_id=self.exercise,
            user_id=None,
            cause_type=self.fact.cause,
            cause_id=self.fact.id,
            solved_at=self.fact.at,
        )


def _round(team: Team, check: str, every: timedelta, elapsed: timedelta) -> int | None:
    return current_round(elapsed, every, offset_of(team.id, check, every))


def _team(exercise: Exercise, team: TeamId) -> Team:
    return next(t for t in exercise.teams if t.id == team)


def _still_stands(exercise: Exercise, team: Team) -> bool:
    """Tell whether checks of the team count now, and its world is the one we know."""
    current = _team(exercise, team.id)
    return (
        exercise.permits(Act.CHECK, current)
        and current.world in STANDING
        and current.world_since == team.world_since
    )


def _row(exercise: Exercise, team: Team, seen: _Seen) -> CheckRunRow:
    return CheckRunRow(
        id=new_id(),
        exercise_id=exercise.id,
        team_id=team.id,
        check=seen.check,
        round=seen.run.round,
        verdict=seen.run.verdict,
        output=seen.output,
        started_at=seen.started_at,
        exercise_ms=milliseconds(seen.run.at),
        duration_ms=milliseconds(seen.took),
    )
