"""Scoring's SQL: rows in, values out. Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.db import Base
from core.ids import ExerciseId, TeamId
from orchestrator.domain.clock import Stop
from orchestrator.domain.exercise import phase_for
from orchestrator.domain.phases import Phase
from orchestrator.tables import ExerciseRow, TeamRow
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.availability import Rounds
from scoring.domain.holds import CheckState
from scoring.domain.ledger import Entry, EntryKind
from scoring.domain.standings import TaskSum
from scoring.domain.verdicts import Verdict
from scoring.tables import (
    CheckDispatchRow,
    CheckRunRow,
    CheckStateRow,
    HintTakenRow,
    ScoreEntryRow,
    SignalRow,
    SolveRow,
    SubmissionRow,
)

_MILLISECOND = timedelta(milliseconds=1)


class ScoreRepository:
    """Facts and entries, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Facts: a unique key decides, never a look beforehand

    def take_turn(self, exercise: ExerciseId, team: TeamId) -> Phase:
        """Wait until no other transaction adds facts of this team; return the exercise's phase.

        What follows from a fact depends on those before it (attempts used, share so far), so a
        team's facts come one after another; and the phase, which is the team's own if its clock was
        stopped alone, stays until they are committed, so that nothing is added to an exercise that
        has ended. SQLite has one writer at a time anyway.
        """
        stopped = self._session.execute(
            select(TeamRow.stopped).where(TeamRow.id == team).with_for_update(key_share=True)
        ).scalar_one()
        query = select(ExerciseRow.phase).where(ExerciseRow.id == exercise)
        phase = Phase(self._session.execute(query.with_for_update(read=True)).scalar_one())
        return phase_for(phase, Stop(stopped) if stopped is not None else None)

    def add_submission(self, row: SubmissionRow) -> bool:
        """Add what a team sent; return whether its key was new."""
        return self._add_once(row, "team_id", "client_key")

    def add_solve(self, row: SolveRow) -> bool:
        """Add a solve; return whether it was the first of its team and task."""
        return self._add_once(row, "team_id", "task")

    def add_hint(self, row: HintTakenRow) -> bool:
        """Add a hint that a team takes; return whether it had not before."""
        return self._add_once(row, "team_id", "task", "hint")

    def add_run(self, row: CheckRunRow) -> bool:
        """Add a look of a check; return whether it was the first of its round."""
        return self._add_once(row, "team_id", "check", "round")

    def add_signal(self, row: SignalRow) -> None:
        """Add something for a person to look at."""
        self._session.add(row)

    def claim_round(self, team: TeamId, check: str, number: int) -> bool:
        """Take on the dispatch of a round; return whether nobody had, nor of a later one."""
        statement = self._insert(CheckDispatchRow).values(team_id=team, check=check, round=number)
        return self._wrote(
            statement.on_conflict_do_update(
                index_elements=["team_id", "check"],
                set_={"round": number},
                where=CheckDispatchRow.round < number,
            )
        )

    # The ledger

    def book(self, exercise: ExerciseId, entry: Entry, *, recorded_at: datetime) -> None:
        """Add an entry; its key makes a second one of the same effect an error."""
        self._session.add(
            ScoreEntryRow(
                exercise_id=exercise,
                team_id=entry.team,
                user_id=entry.fact.user,
                task=entry.task,
                kind=entry.kind,
                milli_points=entry.milli_points,
                effective_at=entry.fact.at,
                recorded_at=recorded_at,
                cause_type=entry.fact.cause,
                cause_id=entry.fact.id,
                idem_key=entry.key,
            )
        )

    def is_booked(self, key: str) -> bool:
        """Tell whether the ledger has the entry of an effect."""
        entry = select(ScoreEntryRow.id).where(ScoreEntryRow.idem_key == key)
        return self._session.scalar(entry) is not None

    def sum_of(self, team: TeamId, task: str) -> int:
        """Return what a task has given a team so far."""
        entry = ScoreEntryRow
        total = select(func.sum(entry.milli_points)).where(
            entry.team_id == team, entry.task == task
        )
        return int(self._session.scalar(total) or 0)

    def paid(self, team: TeamId, task: str, cause_id: str) -> int:
        """Return what a task of a team has paid so far for one event."""
        entry = ScoreEntryRow
        costs = select(func.sum(entry.milli_points)).where(
            entry.team_id == team,
            entry.task == task,
            entry.kind == EntryKind.COST,
            entry.cause_id == cause_id,
        )
        return -int(self._session.scalar(costs) or 0)

    def given_in_part(self, team: TeamId, task: str) -> int:
        """Return what checks of a task have given alone."""
        entry = ScoreEntryRow
        given = select(func.sum(entry.milli_points)).where(
            entry.team_id == team, entry.task == task, entry.kind == EntryKind.PARTIAL
        )
        return int(self._session.scalar(given) or 0)

    def sums(self, teams: Sequence[TeamId]) -> tuple[tuple[TaskSum, ...], int]:
        """Return the ledger's sum for each team and task, and the id of its last entry (or 0).

        One query, so that sums and id fit each other on every database.
        """
        entry = ScoreEntryRow
        rows = self._session.execute(
            select(
                entry.team_id,
                entry.task,
                func.sum(entry.milli_points),
                func.max(entry.effective_at).filter(entry.milli_points != 0),
                func.max(entry.id),
            )
            .where(entry.team_id.in_(teams))
            .group_by(entry.team_id, entry.task)
            .order_by(entry.team_id, entry.task)
        ).all()
        lines = tuple(
            # A sum of bigint is a Decimal on PostgreSQL.
            TaskSum(team=team, task=task, milli_points=int(total), moved_at=moved_at)
            for team, task, total, moved_at, _ in rows
        )
        return lines, max((row[-1] for row in rows), default=0)

    # Reading facts

    def submission(self, team: TeamId, client_key: str) -> SubmissionRow:
        """Return what a team sent under a key that `add_submission` found taken."""
        return self._session.execute(
            select(SubmissionRow).where(
                SubmissionRow.team_id == team, SubmissionRow.client_key == client_key
            )
        ).scalar_one()

    def was_sent(self, team: TeamId, client_key: str) -> bool:
        """Tell whether a team has sent something under a key."""
        sent = select(SubmissionRow.id).where(
            SubmissionRow.team_id == team, SubmissionRow.client_key == client_key
        )
        return self._session.scalar(sent) is not None

    def is_solved(self, team: TeamId, task: str) -> bool:
        """Tell whether a team has done a task."""
        return self._session.get(SolveRow, (team, task)) is not None

    def attempts_used(self, team: TeamId, task: str) -> int:
        """Return how many answers of a team to a task were judged."""
        return (
            self._session.scalar(
                select(func.max(SubmissionRow.attempt)).where(
                    SubmissionRow.team_id == team, SubmissionRow.task == task
                )
            )
            or 0
        )

    def attempts(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], int]:
        """Return (team, task) → answers judged."""
        row = SubmissionRow
        return {
            (team, task): used or 0
            for team, task, used in self._session.execute(
                select(row.team_id, row.task, func.max(row.attempt))
                .where(row.team_id.in_(teams))
                .group_by(row.team_id, row.task)
            )
        }

    def wrong_answers(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], int]:
        """Return (team, user) → wrong answers, another team's secrets among them."""
        row = SubmissionRow
        wrong = (AnswerVerdict.WRONG, AnswerVerdict.FOREIGN)
        return {
            (team, user): count
            for team, user, count in self._session.execute(
                select(row.team_id, row.user_id, func.count())
                .where(row.team_id.in_(teams), row.verdict.in_(wrong))
                .group_by(row.team_id, row.user_id)
            )
        }

    def hints(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], list[HintTakenRow]]:
        """Return (team, task) → hints taken, in the order of the scenario."""
        row = HintTakenRow
        rows = self._session.scalars(
            select(row).where(row.team_id.in_(teams)).order_by(row.team_id, row.task, row.hint)
        )
        found: dict[tuple[str, str], list[HintTakenRow]] = {}
        for taken in rows:
            found.setdefault((taken.team_id, taken.task), []).append(taken)
        return found

    def solves(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], SolveRow]:
        """Return (team, task) → solve."""
        rows = self._session.scalars(select(SolveRow).where(SolveRow.team_id.in_(teams)))
        return {(row.team_id, row.task): row for row in rows}

    def signals(self, exercise: ExerciseId) -> list[tuple[SignalRow, SubmissionRow]]:
        """Return signals with what was sent, oldest first."""
        rows = self._session.execute(
            select(SignalRow, SubmissionRow)
            .join(SubmissionRow, SubmissionRow.id == SignalRow.submission_id)
            .where(SignalRow.exercise_id == exercise)
            .order_by(SignalRow.noticed_at, SignalRow.id)
        )
        return [(signal, submission) for signal, submission in rows]

    def rounds_sent(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], int]:
        """Return (team, check) → the last round that was dispatched."""
        rows = self._session.scalars(
            select(CheckDispatchRow).where(CheckDispatchRow.team_id.in_(teams))
        )
        return {(row.team_id, row.check): row.round for row in rows}

    def latest_verdicts(self, team: TeamId, check: str, count: int) -> tuple[Verdict, ...]:
        """Return what the last so many scored rounds of a check saw, the latest first."""
        row = CheckRunRow
        rows = self._session.scalars(
            select(row.verdict)
            .where(row.team_id == team, row.check == check, row.verdict != Verdict.INFRA_ERROR)
            .order_by(row.round.desc())
            .limit(count)
        )
        return tuple(map(Verdict, rows))

    # The state of checks, folded from their runs

    def check_states(self, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], CheckState]:
        """Return (team, check) → state; a check that never ran is not there."""
        rows = self._session.scalars(select(CheckStateRow).where(CheckStateRow.team_id.in_(teams)))
        return {(row.team_id, row.check): _state(row) for row in rows}

    def keep_check_state(self, team: TeamId, check: str, state: CheckState) -> None:
        """Keep the state after a run."""
        assert state.verdict is not None  # a state that is kept has at least one run
        self._session.merge(
            CheckStateRow(
                team_id=team,
                check=check,
                round=state.round,
                verdict=state.verdict,
                passing_since_ms=_milliseconds(state.passing_since),
                passed_at_ms=_milliseconds(state.passed_at),
                scored=state.rounds.scored,
                passed=state.rounds.passed,
            )
        )

    # One insert for both databases

    def _add_once(self, row: Base, *key: str) -> bool:
        values = {c.key: getattr(row, c.key) for c in row.__table__.columns}
        statement = self._insert(type(row)).values(values)
        return self._wrote(statement.on_conflict_do_nothing(index_elements=list(key)))

    def _insert(self, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
        dialect = self._session.get_bind().dialect.name
        insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
        return insert(table.metadata.tables[table.__tablename__])

    def _wrote(self, statement: sqlite.Insert | postgresql.Insert) -> bool:
        # Not by its row count, which is unknown for an INSERT on PostgreSQL.
        return self._session.scalar(statement.returning(literal_column("1"))) is not None


def milliseconds(time: timedelta) -> int:
    """Return a stretch of exercise time as it is stored."""
    return time // _MILLISECOND


def _milliseconds(time: timedelta | None) -> int | None:
    return None if time is None else milliseconds(time)


def _time(stored: int | None) -> timedelta | None:
    return None if stored is None else stored * _MILLISECOND


def _state(row: CheckStateRow) -> CheckState:
    return CheckState(
        round=row.round,
        verdict=Verdict(row.verdict),
        passing_since=_time(row.passing_since_ms),
        passed_at=_time(row.passed_at_ms),
        rounds=Rounds(scored=row.scored, passed=row.passed),
    )
