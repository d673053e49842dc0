"""Looks of checks: what one saw, whether it decides its round, and what follows from that."""

import threading
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId
from core.scenario.schema import Scenario
from core.scenario.schema_checks import Check
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import PERMITS, Act
from scoring.booking import TeamBooks
from scoring.domain.deriving import take
from scoring.domain.holds import CheckRun
from scoring.domain.ledger import Cause, Fact
from scoring.domain.rounds import RoundState, current_round, deadline_of, decides, offset_of
from scoring.domain.rules import Rules
from scoring.domain.timing import is_timed
from scoring.domain.verdicts import Verdict
from scoring.looker import Looker
from scoring.maintenance_repository import window_at
from scoring.opening import note_passed
from scoring.ports import Exercises
from scoring.recent import RecentExercises
from scoring.repository import ScoreRepository, milliseconds, run_of
from scoring.round_repository import RoundRepository, Seen, put_look, put_missing
from scoring.tables import CheckRoundRow, CheckRunRow

log = structlog.get_logger()

CHECK = "scoring.check"


class Checking:
    """Looks of checks of teams, carried out by a process that is called `worker`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        looker: Looker,
        *,
        worker: str,
        reuse: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._recent = RecentExercises(exercises, reuse)
        self._looker = looker
        self._worker = worker
        # SQLite has one writer, and lets whoever waits long wait longer; here they stand in line.
        self._writing = threading.Lock()

    def first_look(
        self, exercise_id: ExerciseId, team_id: TeamId, check: str, number: int
    ) -> Verdict | None:
        """Carry out the first look of a round; see `Scoring.run_check`."""
        exercise = self._recent.get(exercise_id)
        team = exercise.team_with(team_id)
        checks = self._exercises.scenario(exercise).scenario.checks
        if check not in checks or not self._is_on(exercise, team, check, number):
            return None
        if not self._is_open(exercise, team, check, number):
            return None
        return self._carry_out(exercise, team, check, number, again=False)

    def second_look(
        self, exercise_id: ExerciseId, team_id: TeamId, check: str, number: int, *, alone: bool
    ) -> Verdict | None:
        """Look once more for a round that this process has taken, as another one or `alone`."""
        exercise = self._recent.get(exercise_id)
        team = exercise.team_with(team_id)
        if not exercise.is_looked_at(team):
            return None
        return self._carry_out(exercise, team, check, number, again=alone)

    def close_overdue(self, exercise: Exercise, row: CheckRoundRow) -> None:
        """Close a round as missing whose deadline has passed, and those that waited for it."""
        team = exercise.team_with(TeamId(row.team_id))
        scenario = self._exercises.scenario(exercise).scenario
        with self._database.transaction() as transaction:
            repository = ScoreRepository(transaction.session)
            if Act.CHECK not in PERMITS[repository.take_turn(exercise.id, team.id)]:
                return
            rounds = RoundRepository(transaction.session)
            now = rounds.find(team.id, row.check, row.round)
            if now is None or now.state == RoundState.DECIDED:
                return
            rounds.keep_first(now)
            put_missing(now, at=self._clock.now(), why=_why_missing(now))
            now.state = RoundState.DECIDED
            log.info("check.missing", team=team.slug, check=row.check, round=row.round)
            self._close_decided(transaction.session, exercise, team, scenario, row.check)

    def _is_on(self, exercise: Exercise, team: Team, check: str, number: int) -> bool:
        every = self._exercises.scenario(exercise).scenario.checks[check].every
        elapsed = exercise.elapsed(self._clock.now(), team.id)
        return exercise.is_looked_at(team) and number == round_of(team, check, every, elapsed)

    def _is_open(self, exercise: Exercise, team: Team, check: str, number: int) -> bool:
        """Tell whether somebody is to look; a round that no sweep has sent is opened here."""
        with self._database.reading() as session:
            row = RoundRepository(session).find(team.id, check, number)
        if row is not None:
            return row.state == RoundState.SENT
        rule = self._exercises.scenario(exercise).scenario.checks[check]
        with self._database.transaction() as transaction:
            return open_round(
                transaction.session, exercise, team, check, rule, number, at=self._clock.now()
            )

    def _carry_out(
        self, exercise: Exercise, team: Team, check: str, number: int, *, again: bool
    ) -> Verdict | None:
        scenario = self._exercises.scenario(exercise).scenario
        seen = self._look(exercise, team, check, number)
        return self._record(exercise, team, scenario, seen, again=again)

    def _look(self, exercise: Exercise, team: Team, check: str, number: int) -> Seen:
        started_at = self._clock.now()
        finding = self._looker.look(exercise, team, check)
        at = exercise.elapsed(started_at, team.id)
        return Seen(
            check=check,
            run=CheckRun(round=number, at=at, verdict=finding.verdict),
            output=finding.output,
            started_at=started_at,
            took=max(self._clock.now() - started_at, timedelta()),
            worker=self._worker,
        )

    def _record(
        self, exercise: Exercise, team: Team, scenario: Scenario, seen: Seen, *, again: bool
    ) -> Verdict | None:
        with self._writing, self._database.transaction() as transaction:
            session = transaction.session
            phase = ScoreRepository(session).take_turn(exercise.id, team.id)
            world = RoundRepository(session).world(team.id)
            if Act.CHECK not in PERMITS[phase] or world != (team.world, team.world_since):
                log.info("check.left_behind", exercise=exercise.name, team=team.slug)
                return None
            rounds, now = RoundRepository(session), self._clock.now()
            rule = scenario.checks[seen.check]
            row = rounds.find(team.id, seen.check, seen.run.round)
            over = (
                row is not None and milliseconds(exercise.elapsed(now, team.id)) > row.deadline_ms
            )
            if row is not None and _is_of_former_world(row, team):
                row.state = RoundState.SENT  # its first look says nothing of this one
            if row is None or over or not _put(session, row, seen, rule, again=again, at=now):
                rounds.keep_late(exercise.id, team.id, seen)
                return None
            self._close_decided(session, exercise, team, scenario, seen.check)
        return seen.run.verdict

    def _close_decided(
        self, session: Session, exercise: Exercise, team: Team, scenario: Scenario, check: str
    ) -> None:
        """Write down and book the decided rounds of a check that wait for none before them."""
        session.flush()
        rounds, rules = RoundRepository(session), Rules.of(scenario)
        books = TeamBooks(session, exercise.id, team.id, recorded_at=self._clock.now())
        for row in rounds.of_check(team.id, check):
            if row.state != RoundState.DECIDED:
                return
            _book(session, books, rules, rounds.close(row))


def _book(session: Session, books: TeamBooks, rules: Rules, row: CheckRunRow) -> None:
    run = run_of(row)
    before = books.check(row.check)
    after = before.after(run.round, run.at, run.outcome)
    if after is before or not ScoreRepository(session).add_run(row):
        return
    if any(map(is_timed, rules.checks[row.check].checked.values())):
        note_passed(session, books, books.team)
    take(_fact(row, run), books, rules)


def _put(
    session: Session, row: CheckRoundRow, seen: Seen, rule: Check, *, again: bool, at: datetime
) -> bool:
    """Put a look into its round; return whether it had a place there."""
    state, mine = RoundState(row.state), (ExerciseId(row.exercise_id), TeamId(row.team_id))
    window = window_at(session, *mine, at=seen.started_at, check=row.check)
    # Of evidence the database is the witness, and another worker would ask the same one.
    accuses = seen.run.verdict.accuses and window is None and rule.evidence is None
    decided = decides(state, accuses=accuses, worker=seen.worker, first=row.worker, again=again)
    if not decided and state is not RoundState.SENT:
        return False
    RoundRepository(session).keep_first(row)
    put_look(row, seen)
    row.window_id = window
    row.state = RoundState.DECIDED if decided else RoundState.DOUBTED
    row.sent_at = at
    return True


def _is_of_former_world(row: CheckRoundRow, team: Team) -> bool:
    """Tell whether a look that is in doubt was at a world that was raised anew since."""
    in_doubt = row.state in {RoundState.DOUBTED, RoundState.CONFIRMING}
    return in_doubt and row.started_at is not None and row.started_at < team.world_since


def _why_missing(row: CheckRoundRow) -> str:
    if row.verdict is None:
        return "nobody looked in time"
    return f"it was {row.verdict} at first, and nobody looked again in time"


def _fact(row: CheckRunRow, run: CheckRun) -> Fact:
    return Fact(
        cause=Cause.CHECK_RUN,
        id=row.id,
        at=row.started_at,
        subject=row.check,
        number=row.round,
        outcome=run.outcome,
        elapsed=run.at,
    )


def round_of(team: Team, check: str, every: timedelta, elapsed: timedelta) -> int | None:
    """Return the round of a team's check that is on; `None` before the first."""
    return current_round(elapsed, every, offset_of(team.id, check, every))


def open_round(
    session: Session,
    exercise: Exercise,
    team: Team,
    check: str,
    rule: Check,
    number: int,
    *,
    at: datetime,
) -> bool:
    """Open a round for which nobody has sent a look; return whether nobody had."""
    if not ScoreRepository(session).claim_round(team.id, check, number):
        return False
    offset = offset_of(team.id, check, rule.every)
    deadline = deadline_of(number, every=rule.every, offset=offset, timeout=rule.timeout)
    RoundRepository(session).open(exercise.id, team.id, check, number, deadline=deadline, at=at)
    return True
