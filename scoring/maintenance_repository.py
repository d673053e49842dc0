"""The SQL of maintenance windows. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId
from scoring.tables import MaintenanceRow


def window_at(
    session: Session, exercise: ExerciseId, team: TeamId, *, at: datetime, check: str | None = None
) -> str | None:
    """Return the id of a window that a look at that time falls into.

    Without `check`, what is looked at is none, and only windows for everything count.
    """
    window = MaintenanceRow
    return session.scalar(
        select(window.id)
        .where(
            window.exercise_id == exercise,
            or_(window.team_id.is_(None), window.team_id == team),
            or_(window.check.is_(None), window.check == check),
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
