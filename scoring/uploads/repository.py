"""The SQL of what teams handed in: rows in, values out. Nothing here commits."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.ids import TeamId, UserId
from scoring.uploads.scanning import Scan
from scoring.uploads.tables import DeliveryRow
from scoring.uploads.views import Delivery

_MILLISECOND = timedelta(milliseconds=1)
_AT_ONCE = 500


class DeliveryRepository:
    """Files of teams, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_teams(self, teams: Sequence[TeamId], task: str = "") -> tuple[Delivery, ...]:
        """Return what teams handed in, for one task or for all, the latest revision first."""
        row = DeliveryRow
        found = select(row).where(row.team_id.in_(teams))
        if task:
            found = found.where(row.task == task)
        rows = self._session.scalars(found.order_by(row.team_id, row.task, row.revision.desc()))
        return tuple(map(_delivery, rows))

    def find(self, exercise: str, delivery: str) -> Delivery | None:
        """Return a file of an exercise by its id."""
        row = self._session.get(DeliveryRow, delivery)
        return _delivery(row) if row is not None and row.exercise_id == exercise else None

    def under_key(self, team: TeamId, client_key: str) -> Delivery | None:
        """Return what a team handed in under a key."""
        row = DeliveryRow
        same = select(row).where(row.team_id == team, row.client_key == client_key)
        found = self._session.scalar(same)
        return _delivery(found) if found is not None else None

    def last_revision(self, team: TeamId, task: str) -> int:
        """Return how many files a team has handed in for a task."""
        row = DeliveryRow
        last = select(func.max(row.revision)).where(row.team_id == team, row.task == task)
        return self._session.scalar(last) or 0

    def add(self, row: DeliveryRow) -> Delivery:
        """Add a file; its keys make a second one of the same revision an error."""
        self._session.add(row)
        self._session.flush()
        return _delivery(row)

    def known(self, digests: Collection[str]) -> frozenset[str]:
        """Return which of these contents some delivery has."""
        wanted, found = list(digests), set[str]()
        for at in range(0, len(wanted), _AT_ONCE):
            some = wanted[at : at + _AT_ONCE]
            rows = select(DeliveryRow.sha256).where(DeliveryRow.sha256.in_(some))
            found.update(self._session.scalars(rows))
        return frozenset(found)


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        id=row.id,
        team=TeamId(row.team_id),
        task=row.task,
        revision=row.revision,
        user=UserId(row.user_id),
        name=row.name,
        # People put their names into names of files, and assessors are not to read them.
        kept_name=f"{row.task}-{row.revision}.{row.ending}",
        media_type=row.media_type,
        size=row.size_bytes,
        sha256=row.sha256,
        scan=Scan(row.scan),
        at=row.received_at,
        elapsed=row.exercise_ms * _MILLISECOND,
    )
