"""The SQL of rounds that are not closed, of looks that decided nothing, and of who looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId, new_id
from orchestrator.domain.phases import WorldPhase
from orchestrator.tables import TeamRow
from scoring.domain.holds import CheckRun
from scoring.domain.rounds import RoundState
from scoring.domain.verdicts import Verdict
from scoring.inserts import insert_into
from scoring.repository import milliseconds
from scoring.tables import CheckLookRow, CheckRoundRow, CheckRunRow, CheckWorkerRow

_OPEN = (RoundState.SENT, RoundState.DOUBTED, RoundState.CONFIRMING)


class Why(StrEnum):
    """Why a look decided no round."""

    FIRST = "first"  # a second one did
    LATE = "late"  # the round was over, or decided before


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A look, carried out by a worker; `took` is wall time."""

    check: str
    run: CheckRun
    output: str
    started_at: datetime
    took: timedelta
    worker: str


class RoundRepository:
    """Rounds under way, within one session. Nothing here commits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def world(self, team: TeamId) -> tuple[WorldPhase, datetime]:
        """Return where a team's world is, and since when."""
        row = TeamRow
        query = select(row.world, row.world_since).where(row.id == team)
        world, since = self._session.execute(query).one()
        return WorldPhase(world), since

    # Rounds

    def open(
        self,
        exercise: ExerciseId,
        team: TeamId,
        check: str,
        number: int,
        *,
        deadline: timedelta,
        at: datetime,
    ) -> None:
        """Add a round for which a look is sent; whoever calls has claimed it."""
        self._session.add(
            CheckRoundRow(
                team_id=team,
                check=check,
                round=number,
                exercise_id=exercise,
                state=RoundState.SENT,
                deadline_ms=milliseconds(deadline),
                sent_at=at,
            )
        )

    def find(self, team: TeamId, check: str, number: int) -> CheckRoundRow | None:
        """Return a round that is not closed."""
        return self._session.get(CheckRoundRow, (team, check, number))

    def of_check(self, team: TeamId, check: str) -> Sequence[CheckRoundRow]:
        """Return the rounds of a check that are not closed, in their order."""
        row = CheckRoundRow
        mine = select(row).where(row.team_id == team, row.check == check).order_by(row.round)
        return self._session.scalars(mine).all()

    def undecided(self, teams: Sequence[TeamId]) -> Sequence[CheckRoundRow]:
        """Return the rounds of teams that are not decided."""
        row = CheckRoundRow
        mine = select(row).where(row.team_id.in_(teams), row.state.in_(_OPEN))
        return self._session.scalars(mine.order_by(row.team_id, row.check, row.round)).all()

    def take(self, found: CheckRoundRow, *, after: RoundState, at: datetime) -> bool:
        """Take on the next look of a round; return whether nobody did since it was found."""
        row = CheckRoundRow
        statement = (
            update(row)
            .where(
                row.team_id == found.team_id,
                row.check == found.check,
                row.round == found.round,
                row.state == found.state,
                row.sent_at == found.sent_at,
            )
            .values(state=after, sent_at=at)
            .returning(row.round)
            .execution_options(synchronize_session=False)
        )
        return self._session.scalar(statement) is not None

    def close(self, row: CheckRoundRow) -> CheckRunRow:
        """Take a decided round out; return the row that says what became of it."""
        self._session.execute(
            delete(CheckRoundRow)
            .where(
                CheckRoundRow.team_id == row.team_id,
                CheckRoundRow.check == row.check,
                CheckRoundRow.round == row.round,
            )
            .execution_options(synchronize_session=False)
        )
        self._session.expunge(row)
        assert row.verdict is not None
        assert row.started_at is not None
        return CheckRunRow(
            id=new_id(),
            exercise_id=row.exercise_id,
            team_id=row.team_id,
            check=row.check,
            round=row.round,
            verdict=row.verdict,
            output=row.output or "",
            started_at=row.started_at,
            exercise_ms=row.exercise_ms or 0,
            duration_ms=row.duration_ms or 0,
            worker=row.worker or "",
            window_id=row.window_id,
        )

    # Looks that decided nothing

    def keep_first(self, row: CheckRoundRow) -> None:
        """Keep the first look of a round, if there was one, before another takes its place."""
        if row.verdict is None or row.started_at is None:
            return
        self._session.add(
            CheckLookRow(
                id=new_id(),
                exercise_id=row.exercise_id,
                team_id=row.team_id,
                check=row.check,
                round=row.round,
                why=Why.FIRST,
                worker=row.worker or "",
                verdict=row.verdict,
                output=row.output or "",
                started_at=row.started_at,
                exercise_ms=row.exercise_ms or 0,
                duration_ms=row.duration_ms or 0,
            )
        )

    def keep_late(self, exercise: ExerciseId, team: TeamId, seen: Seen) -> None:
        """Keep a look that came when its round was over."""
        self._session.add(
            CheckLookRow(
                id=new_id(),
                exercise_id=exercise,
                team_id=team,
                check=seen.check,
                round=seen.run.round,
                why=Why.LATE,
                worker=seen.worker,
                verdict=seen.run.verdict,
                output=seen.output,
                started_at=seen.started_at,
                exercise_ms=milliseconds(seen.run.at),
                duration_ms=milliseconds(seen.took),
            )
        )

    # Workers

    def worker_was_here(self, worker: str, at: datetime) -> None:
        """Note that a process carries out checks, and forget those that have gone for long."""
        self._session.execute(
            insert_into(self._session, CheckWorkerRow)
            .values(worker=worker, seen_at=at)
            .on_conflict_do_update(index_elements=["worker"], set_={"seen_at": at})
        )
        old = CheckWorkerRow.seen_at < at - timedelta(hours=1)
        self._session.execute(delete(CheckWorkerRow).where(old))

    def workers(self) -> Mapping[str, datetime]:
        """Return who carries out checks, and when each last said so."""
        return {row.worker: row.seen_at for row in self._session.scalars(select(CheckWorkerRow))}


def put_look(row: CheckRoundRow, seen: Seen) -> None:
    """Put a look into its round, in the place of another."""
    row.worker, row.verdict, row.output = seen.worker, seen.run.verdict, seen.output
    row.started_at, row.exercise_ms = seen.started_at, milliseconds(seen.run.at)
    row.duration_ms = milliseconds(seen.took)


def put_missing(row: CheckRoundRow, *, at: datetime, why: str) -> None:
    """Say in a round that nobody carried it out in time."""
    row.worker, row.verdict, row.output = "", Verdict.MISSING, why
    row.started_at, row.exercise_ms, row.duration_ms = at, row.deadline_ms, 0
