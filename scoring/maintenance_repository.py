"""The SQL of maintenance windows. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId
from scoring.tables import CheckRoundRow, MaintenanceRow


def window_at(session: Session, row: CheckRoundRow, at: datetime) -> str | None:
    """Return the id of a window that a look of a round at that time falls into."""
    window = MaintenanceRow
    return session.scalar(
        select(window.id)
        .where(
            window.exercise_id == row.exercise_id,
            or_(window.team_id.is_(None), window.team_id == row.team_id),
            or_(window.check.is_(None), window.check == row.check),
            window.from_at <= at,
            window.to_at > at,
        )
        .order_by(window.declared_at, window.id)
        .limit(1)
    )


def windows_of(session: Session, exercise: ExerciseId) -> Sequence[MaintenanceRow]:
    """Return the windows of an exercise, by when they begin."""
    row = MaintenanceRow
    mine = select(row).where(row.exercise_id == exercise).order_by(row.from_at, row.id)
    return session.scalars(mine).all()


def windows_for(
    session: Session, exercise: ExerciseId, team: TeamId, *, now: datetime
) -> Sequence[MaintenanceRow]:
    """Return the windows of a team that are on or to come, by when they begin."""
    return [
        row
        for row in windows_of(session, exercise)
        if row.team_id in {None, team} and row.to_at > now
    ]


def is_maintained(session: Session, exercise: ExerciseId, team: TeamId, *, at: datetime) -> bool:
    """Tell whether a window of a team, for whatever is looked at, covers a time."""
    return any(
        row.check is None and row.from_at <= at < row.to_at and row.team_id in {None, team}
        for row in windows_of(session, exercise)
    )
