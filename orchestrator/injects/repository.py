"""The SQL of firings and shifts: rows in, values out. Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Update, delete, func, select, update
from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId, new_id
from orchestrator.domain.injects import (
    FIRING_MOVES,
    Due,
    Expectation,
    Firing,
    FiringState,
    Shift,
)
from orchestrator.injects.records import Record
from orchestrator.service import JOB_PATIENCE
from orchestrator.tables import (
    ExerciseRow,
    InjectFiringRow,
    InjectShiftRow,
    TeamRow,
)

_MILLISECOND = timedelta(milliseconds=1)
_MOST_DETAIL = 2000


class InjectRepository:
    """What became of injects, and by how much they were moved, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take_turn(self, exercise: ExerciseId, team: TeamId) -> None:
        """Wait until no other transaction writes facts of this team; its phase stays until then.

        In the order in which scoring locks, so that the two never wait for each other for ever.
        """
        lock = select(TeamRow.id).where(TeamRow.id == team).with_for_update(key_share=True)
        self._session.execute(lock)
        phase = select(ExerciseRow.phase).where(ExerciseRow.id == exercise)
        self._session.execute(phase.with_for_update(read=True))

    # Firings

    def records(self, teams: Sequence[TeamId]) -> Mapping[TeamId, tuple[Record, ...]]:
        """Return what became of the injects of each team, in the order of occurrences."""
        rows = self._session.scalars(
            select(InjectFiringRow)
            .where(InjectFiringRow.team_id.in_(teams))
            .order_by(InjectFiringRow.inject, InjectFiringRow.occurrence)
        )
        found: dict[TeamId, list[Record]] = {team: [] for team in teams}
        for row in rows:
            found[TeamId(row.team_id)].append(_record(row))
        return {team: tuple(records) for team, records in found.items()}

    def add(
        self,
        exercise: ExerciseId,
        team: TeamId,
        due: Due,
        state: FiringState,
        *,
        at: timedelta | None,
        now: datetime,
        detail: str = "",
    ) -> str:
        """Note that something became of an occurrence for the first time; return its id.

        The table's key makes a second note of the same occurrence an error.
        """
        row = InjectFiringRow(
            id=new_id(),
            exercise_id=exercise,
            team_id=team,
            inject=due.inject,
            occurrence=due.occurrence,
            state=state,
            due_ms=due.at // _MILLISECOND,
            at_ms=_milliseconds(at),
            changed_at=now,
            attempt=int(state is FiringState.FIRING),
            detail=detail[:_MOST_DETAIL],
            claimed_until=now + JOB_PATIENCE,
        )
        self._session.add(row)
        self._session.flush()
        return row.id

    def move(
        self,
        firing: str,
        *,
        before: FiringState,
        after: FiringState,
        now: datetime,
        at: timedelta | None = None,
        detail: str = "",
    ) -> bool:
        """Change a firing's state if it is still `before`; tell whether it was."""
        assert after in FIRING_MOVES[before]
        row = InjectFiringRow
        values = {"state": after, "changed_at": now, "detail": detail[:_MOST_DETAIL]}
        if at is not None:
            values["at_ms"] = at // _MILLISECOND
        if after is FiringState.FIRING:
            values |= {"attempt": row.attempt + 1, "claimed_by": None}
            values["claimed_until"] = now + JOB_PATIENCE
        return self._changed(
            update(row).where(row.id == firing, row.state == before).values(values)
        )

    def forget(self, firing: str) -> bool:
        """Take a hold back as if it had never been; tell whether it was there."""
        row = InjectFiringRow
        held = delete(row).where(row.id == firing, row.state == FiringState.HELD)
        result = self._session.execute(held)
        assert isinstance(result, CursorResult)
        return result.rowcount == 1

    def expect(self, firing: str, *, before: Expectation | None, after: Expectation | None) -> bool:
        """Change what is known of a firing's expected response, if it is still `before`."""
        row = InjectFiringRow
        same = row.expectation.is_not_distinct_from(before)
        return self._changed(update(row).where(row.id == firing, same).values(expectation=after))

    # Outside actions: who carries them out, until when

    def under_way(self, team: TeamId) -> tuple[Record, ...]:
        """Return the firings of a team whose outside actions are not over yet."""
        row = InjectFiringRow
        rows = self._session.scalars(
            select(row).where(row.team_id == team, row.state == FiringState.FIRING)
        )
        return tuple(_record(found) for found in rows)

    def left_alone(self, now: datetime) -> tuple[tuple[ExerciseId, TeamId], ...]:
        """Return the teams with outside actions that nobody has claimed, of all exercises."""
        row = InjectFiringRow
        teams = self._session.execute(
            select(row.exercise_id, row.team_id)
            .where(row.state == FiringState.FIRING, row.claimed_until <= now)
            .distinct()
            .order_by(row.team_id)
        )
        return tuple((ExerciseId(exercise), TeamId(team)) for exercise, team in teams)

    def reserve(self, team: TeamId, *, now: datetime, until: datetime) -> bool:
        """Leave a team's outside actions to a job that is on its way; tell whether any was free."""
        row = InjectFiringRow
        free = (row.team_id == team) & (row.state == FiringState.FIRING)
        statement = update(row).where(free, row.claimed_until <= now)
        result = self._session.execute(statement.values(claimed_by=None, claimed_until=until))
        assert isinstance(result, CursorResult)
        return result.rowcount > 0

    def claim(self, firing: str, *, worker: str, now: datetime, until: datetime) -> bool:
        """Claim a firing's outside actions; tell whether nobody else holds them."""
        row = InjectFiringRow
        free = (row.claimed_until <= now) | row.claimed_by.is_(None)
        mine = update(row).where(row.id == firing, row.state == FiringState.FIRING, free)
        return self._changed(mine.values(claimed_by=worker, claimed_until=until))

    def undo_at(self, firing: str, time: timedelta) -> None:
        """Have what a firing changed taken back at a time of the team's clock."""
        row = InjectFiringRow
        self._session.execute(
            update(row).where(row.id == firing).values(undo_ms=time // _MILLISECOND)
        )

    def reserve_undo(self, firing: str, *, now: datetime, until: datetime) -> bool:
        """Leave it to a job that is on its way to take something back; tell whether none was."""
        row = InjectFiringRow
        free = (row.undo_ms.is_not(None)) & (row.claimed_until <= now)
        mine = update(row).where(row.id == firing, free)
        return self._changed(mine.values(claimed_until=until))

    def undone(self, firing: str) -> bool:
        """Note that what a firing changed was taken back; tell whether nobody had noted it."""
        row = InjectFiringRow
        mine = update(row).where(row.id == firing, row.undo_ms.is_not(None))
        return self._changed(mine.values(undo_ms=None))

    def renew(self, firing: str, *, worker: str, until: datetime) -> None:
        """Hold a claim for longer, if it is still this worker's."""
        row = InjectFiringRow
        mine = update(row).where(row.id == firing, row.claimed_by == worker)
        self._session.execute(mine.values(claimed_until=until))

    def let_go(self, firing: str, *, worker: str, until: datetime) -> None:
        """Give a claim back; the sweep leaves it alone before `until`."""
        row = InjectFiringRow
        self._session.execute(
            update(row)
            .where(row.id == firing, row.claimed_by == worker)
            .values(claimed_by=None, claimed_until=until)
        )

    # Shifts

    def shifts(self, teams: Sequence[TeamId]) -> Mapping[TeamId, tuple[Shift, ...]]:
        """Return by how much the rest was moved for each team, oldest first."""
        rows = self._session.scalars(
            select(InjectShiftRow)
            .where(InjectShiftRow.team_id.in_(teams))
            .order_by(InjectShiftRow.team_id, InjectShiftRow.position)
        )
        found: dict[TeamId, list[Shift]] = {team: [] for team in teams}
        for row in rows:
            shift = Shift(at=row.at_ms * _MILLISECOND, by=row.by_ms * _MILLISECOND)
            found[TeamId(row.team_id)].append(shift)
        return {team: tuple(shifts) for team, shifts in found.items()}

    def add_shift(self, team: TeamId, shift: Shift) -> None:
        """Move the rest of a team's injects."""
        mine = select(func.count()).where(InjectShiftRow.team_id == team)
        self._session.add(
            InjectShiftRow(
                team_id=team,
                position=self._session.scalar(mine),
                at_ms=shift.at // _MILLISECOND,
                by_ms=shift.by // _MILLISECOND,
            )
        )

    def _changed(self, statement: Update) -> bool:
        result = self._session.execute(statement)
        assert isinstance(result, CursorResult)
        return result.rowcount == 1


def _milliseconds(time: timedelta | None) -> int | None:
    return None if time is None else time // _MILLISECOND


def _time(stored: int | None) -> timedelta | None:
    return None if stored is None else stored * _MILLISECOND


def _record(row: InjectFiringRow) -> Record:
    return Record(
        id=row.id,
        team=TeamId(row.team_id),
        firing=Firing(
            inject=row.inject,
            occurrence=row.occurrence,
            state=FiringState(row.state),
            at=_time(row.at_ms),
        ),
        due=_time(row.due_ms),
        changed_at=row.changed_at,
        undo=_time(row.undo_ms),
        attempt=row.attempt,
        detail=row.detail,
        expectation=Expectation(row.expectation) if row.expectation is not None else None,
    )
