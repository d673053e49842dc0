"""Rounds: opened and closed on the exercise's clock, and somebody sent to every service in each."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import TeamId, new_id
from core.jobs import Job
from core.scenario.schema import Scenario
from core.scenario.schema_services import Rounds as RoundsSpec
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import OVER, PERMITS, Act
from orchestrator.repository import ExerciseRepository
from scoring.attack_defence.closing import (
    Tallies,
    close_now,
    cut_short,
    defective_checkers,
    game_of,
    spoilt_rounds,
)
from scoring.attack_defence.repository import OPEN, AttackDefenceRepository, Round
from scoring.attack_defence.tables import FlagIssueRow, ServiceRoundRow
from scoring.booking import TeamBooks
from scoring.domain.attack_defence.entries import round_ruling
from scoring.domain.attack_defence.game import Place, points_of
from scoring.domain.attack_defence.rounds import ends_at, round_at
from scoring.domain.deriving import take
from scoring.domain.flags import round_flag
from scoring.domain.ledger import Cause, Fact
from scoring.domain.rules import NO_RULES
from scoring.ports import Exercises
from scoring.repository import ScoreRepository, milliseconds

log = structlog.get_logger()

LOOK = "scoring.service_look"


class Rounds:
    """The rounds of every exercise that has services."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises

    def sweep(self) -> int:
        """Open and close what is due, and send to services; return how many were sent to."""
        sent, running = 0, self._exercises.permitting(Act.CHECK)
        for exercise in running:
            scenario = self._exercises.scenario(exercise).scenario
            if scenario.services and scenario.rounds is not None:
                self._turn(exercise, scenario, scenario.rounds)
                sent += self._send(exercise, scenario)
        with self._database.reading() as session:
            left_open = AttackDefenceRepository(session).with_open_rounds()
        for exercise_id in left_open - {exercise.id for exercise in running}:
            exercise = self._exercises.get(exercise_id)
            if exercise.phase in OVER:
                self._end(exercise, self._exercises.scenario(exercise).scenario)
        return sent

    # Opening and closing

    def _turn(self, exercise: Exercise, scenario: Scenario, spec: RoundsSpec) -> None:
        now = self._clock.now()
        number = round_at(exercise.elapsed(now), spec.every)
        with self._database.reading() as session:
            on = AttackDefenceRepository(session).open_round(exercise.id)
        if on is not None and on.number >= number:
            return
        with self._database.transaction() as transaction:
            repository = AttackDefenceRepository(transaction.session)
            phase = ScoreRepository(transaction.session).take_turns(exercise.id)
            if Act.CHECK not in PERMITS[phase]:
                return
            on = repository.open_round(exercise.id)
            if on is not None and on.number >= number:
                return  # another sweep was quicker
            if on is not None:
                self._close(transaction, exercise, scenario, on, now)
            self._open(transaction, exercise, scenario, number, now)
        log.info("round.opened", exercise=exercise.name, round=number)

    def _end(self, exercise: Exercise, scenario: Scenario) -> None:
        """Close the round that was on when the exercise ended: what was taken in it counts."""
        with self._database.transaction() as transaction:
            repository = AttackDefenceRepository(transaction.session)
            ScoreRepository(transaction.session).take_turns(exercise.id)
            on = repository.open_round(exercise.id)
            if on is not None:
                now = self._clock.now()
                ran = exercise.elapsed(now)
                last = on if ran >= on.deadline else cut_short(on)
                self._close(transaction, exercise, scenario, last, now)

    def _open(
        self,
        transaction: Transaction,
        exercise: Exercise,
        scenario: Scenario,
        number: int,
        now: datetime,
    ) -> None:
        assert scenario.rounds is not None  # services have rounds: the scenario was checked
        key = ExerciseRepository(transaction.session).secret(exercise.id)
        row = ServiceRoundRow(
            id=new_id(),
            exercise_id=exercise.id,
            number=number,
            state=OPEN,
            deadline_ms=milliseconds(ends_at(number, scenario.rounds.every)),
            opened_at=now,
            whole=True,
        )
        flags = _flags(exercise, scenario, key, number, at=now)
        AttackDefenceRepository(transaction.session).open(row, flags)

    def _close(
        self,
        transaction: Transaction,
        exercise: Exercise,
        scenario: Scenario,
        closing: Round,
        now: datetime,
    ) -> None:
        repository = AttackDefenceRepository(transaction.session)
        if not repository.close(closing, at=now, whole=closing.whole):
            return
        game = game_of(exercise, scenario)
        defective = defective_checkers(transaction.session, exercise)
        spoilt = spoilt_rounds(transaction.session, exercise, scenario, defective)
        before, after = close_now(game, repository, exercise.id, closing, spoilt)
        repository.keep_tallies(closing, after)
        elapsed = exercise.elapsed(now)
        for team, fact in moved(closing, before, after, at=now, elapsed=elapsed):
            books = TeamBooks(transaction.session, exercise.id, team, recorded_at=now)
            take(fact, books, NO_RULES)
        log.info("round.closed", exercise=exercise.name, round=closing.number)

    # Sending

    def _send(self, exercise: Exercise, scenario: Scenario) -> int:
        now = self._clock.now()
        teams = [team.id for team in exercise.teams]
        with self._database.reading() as session:
            repository = AttackDefenceRepository(session)
            on = repository.open_round(exercise.id)
            if on is None:
                return 0
            seen, sent = repository.looks(exercise.id, on.number), repository.dispatched(teams)
        due = [
            place
            for place in self._places(exercise, scenario)
            if place not in seen and _may_be_sent(sent.get(place), on.number, now)
        ]
        if not due:
            return 0
        with self._database.transaction() as transaction:
            repository = AttackDefenceRepository(transaction.session)
            # In one order everywhere: two sweeps that lock rows crosswise would wait for ever.
            for place in sorted(due):
                until = now + scenario.services[place[1]].longest_look
                if repository.dispatch(place, on.number, now=now, until=until):
                    transaction.after_commit(Job(LOOK, (exercise.id, *place, str(on.number))))
        return len(transaction.jobs)

    def _places(self, exercise: Exercise, scenario: Scenario) -> Iterator[Place]:
        for team in exercise.teams:
            if exercise.is_looked_at(team):
                yield from ((team.id, service) for service in scenario.services)


def moved(
    closed: Round, before: Tallies, after: Tallies, *, at: datetime, elapsed: timedelta
) -> Iterator[tuple[TeamId, Fact]]:
    """Yield the teams whose points a round moved, each with the fact that says by how much."""
    had = points_of(before.items())
    for team, has in points_of(after.items()).items():
        if has != had.get(team, 0):
            yield (
                team,
                Fact(
                    cause=Cause.SERVICE_ROUND,
                    id=closed.id,
                    at=at,
                    number=closed.number,
                    elapsed=elapsed,
                    ruling=round_ruling(has - had.get(team, 0)),
                ),
            )


def _flags(
    exercise: Exercise, scenario: Scenario, key: bytes, number: int, *, at: datetime
) -> list[FlagIssueRow]:
    """Return what is kept of the flags that a round issues."""
    return [
        FlagIssueRow(
            id=new_id(),
            exercise_id=exercise.id,
            team_id=team.id,
            service=name,
            round=number,
            digest=digest_of(
                round_flag(spec.flag, key=key, team=team.slug, service=name, number=number)
            ),
            issued_at=at,
        )
        for team in exercise.teams
        for name, spec in scenario.services.items()
    ]


def digest_of(flag: str) -> str:
    """Return what is stored of a flag, and what one that is handed in is looked up by."""
    return hashlib.sha256(flag.encode()).hexdigest()


def _may_be_sent(sent: tuple[int, datetime] | None, number: int, now: datetime) -> bool:
    return sent is None or sent[0] < number or sent[1] <= now
