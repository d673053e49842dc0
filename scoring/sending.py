"""Rounds of checks: sent when they are due, sent again when a look is lost, closed when over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from core.scenario.schema_checks import Check
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act
from scoring.checking import CHECK, Checking, open_round, round_of
from scoring.domain.rounds import RoundState
from scoring.ports import Exercises
from scoring.repository import ScoreRepository, milliseconds
from scoring.round_repository import RoundRepository
from scoring.tables import CheckRoundRow

log = structlog.get_logger()

Start = Callable[[Callable[[], object]], None]
"""Has something done: here and now, or in a thread."""

# A process that has said nothing for so long carries out no checks.
_GONE = timedelta(seconds=10)
ALONE_AFTER = timedelta(seconds=2)
"""How long a process waits that is the only one, before it looks for the second time."""
# A look that has not come so long after its own time is lost with its worker, or never arrived.
_LOST_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    team: Team
    check: str
    rule: Check
    number: int


class Sending:
    """What is due of checks, always derived from the database; for any number of processes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        checking: Checking,
        *,
        worker: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._checking = checking
        self._worker = worker

    def sweep(self) -> int:
        """Close what is over, and send a job for each look that is due; return how many."""
        exercises = self._exercises.permitting(Act.CHECK)
        teams = [team.id for exercise in exercises for team in exercise.teams]
        if not teams:
            return 0
        with self._database.transaction() as transaction:
            repository = RoundRepository(transaction.session)
            repository.worker_was_here(self._worker, self._clock.now())
        with self._database.reading() as session:
            sent = ScoreRepository(session).rounds_sent(teams)
            undecided = RoundRepository(session).undecided(teams)
        for exercise, row in _of(exercises, undecided):
            if self._is_over(exercise, row):
                self._checking.close_overdue(exercise, row)
        return sum(self._send(exercise, sent, undecided) for exercise in exercises)

    def confirm(self, start: Start, *, alone_after: timedelta = ALONE_AFTER) -> int:
        """Take second looks and start each with `start`; return how many.

        Only looks whose first was of another process. The only process there is takes its own, too,
        some time after.
        """
        exercises = self._exercises.permitting(Act.CHECK)
        teams = [team.id for exercise in exercises for team in exercise.teams]
        if not teams:
            return 0
        now = self._clock.now()
        with self._database.reading() as session:
            rounds = RoundRepository(session)
            undecided, alone = rounds.undecided(teams), self._is_alone(rounds.workers(), now)
        waiting = [
            (exercise, row)
            for exercise, row in _of(exercises, undecided)
            if self._wants_another(exercise, row, now)
            and (row.worker != self._worker or (alone and now - row.sent_at >= alone_after))
        ]
        taken = self._taken(waiting, now) if waiting else []
        for exercise, row in taken:
            ids = (exercise.id, TeamId(row.team_id), row.check, row.round)
            mine = row.worker == self._worker
            start(partial(self._checking.second_look, *ids, alone=mine))
        return len(taken)

    def _taken(
        self, waiting: Sequence[tuple[Exercise, CheckRoundRow]], now: datetime
    ) -> list[tuple[Exercise, CheckRoundRow]]:
        """Take rounds for their second look; return those that nobody else took."""
        with self._database.transaction() as transaction:
            rounds = RoundRepository(transaction.session)
            return [
                (exercise, row)
                for exercise, row in waiting
                if rounds.take(row, after=RoundState.CONFIRMING, at=now)
            ]

    def _is_alone(self, workers: Mapping[str, datetime], now: datetime) -> bool:
        return not any(
            worker != self._worker and now - seen < _GONE for worker, seen in workers.items()
        )

    def _wants_another(self, exercise: Exercise, row: CheckRoundRow, now: datetime) -> bool:
        """Tell whether a round is in doubt, and nobody is looking again, or who did is lost."""
        if row.state == RoundState.CONFIRMING and not self._is_lost(exercise, row, now):
            return False
        return row.state != RoundState.SENT and not self._is_over(exercise, row)

    def _is_over(self, exercise: Exercise, row: CheckRoundRow) -> bool:
        elapsed = exercise.elapsed(self._clock.now(), TeamId(row.team_id))
        return milliseconds(elapsed) > row.deadline_ms

    def _is_lost(self, exercise: Exercise, row: CheckRoundRow, now: datetime) -> bool:
        rule = self._exercises.scenario(exercise).scenario.checks[row.check]
        return now - row.sent_at > rule.timeout + _LOST_AFTER

    # First looks

    def _send(
        self,
        exercise: Exercise,
        sent: Mapping[tuple[str, str], int],
        undecided: Sequence[CheckRoundRow],
    ) -> int:
        now = self._clock.now()
        on = list(self._on(exercise, now))
        due = [d for d in on if d.number > sent.get((d.team.id, d.check), -1)]
        open_now = {(d.team.id, d.check, d.number) for d in on}
        lost = [
            row
            for row in undecided
            if (row.team_id, row.check, row.round) in open_now
            and row.state == RoundState.SENT
            and self._is_lost(exercise, row, now)
        ]
        if not due and not lost:
            return 0
        with self._database.transaction() as transaction:
            session = transaction.session
            jobs = [*self._opened(session, exercise, due, now), *_taken_again(session, lost, now)]
            for team, check, number in jobs:
                job = Job(CHECK, (exercise.id, team, check, str(number)))
                transaction.after_commit(job)
        return len(transaction.jobs)

    def _on(self, exercise: Exercise, now: datetime) -> Iterator[_Due]:
        checks = self._exercises.scenario(exercise).scenario.checks
        for team in exercise.teams:
            if not exercise.is_looked_at(team):
                continue
            elapsed = exercise.elapsed(now, team.id)
            for name, rule in checks.items():
                number = round_of(team, name, rule.every, elapsed)
                if number is not None:
                    yield _Due(team=team, check=name, rule=rule, number=number)

    def _opened(
        self, session: Session, exercise: Exercise, due: list[_Due], now: datetime
    ) -> Iterator[tuple[str, str, int]]:
        # In one order everywhere: two sweeps that lock rows crosswise would wait for ever.
        for d in sorted(due, key=lambda d: (d.team.id, d.check)):
            if open_round(session, exercise, d.team, d.check, d.rule, d.number, at=now):
                yield d.team.id, d.check, d.number


def _taken_again(
    session: Session, lost: Sequence[CheckRoundRow], now: datetime
) -> Iterator[tuple[str, str, int]]:
    for row in lost:
        if RoundRepository(session).take(row, after=RoundState.SENT, at=now):
            log.info("check.sent_again", team=row.team_id, check=row.check, round=row.round)
            yield row.team_id, row.check, row.round


def _of(
    exercises: Sequence[Exercise], rows: Sequence[CheckRoundRow]
) -> Iterator[tuple[Exercise, CheckRoundRow]]:
    """Yield rounds with their exercises."""
    by_id = {ExerciseId(exercise.id): exercise for exercise in exercises}
    for row in rows:
        yield by_id[ExerciseId(row.exercise_id)], row
