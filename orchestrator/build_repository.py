"""The SQL of how long launches took. Nothing here commits."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.domain.estimate import Build
from orchestrator.domain.exercise import Exercise
from orchestrator.tables import BuildRow

_MOST_READ = 20


class BuildRepository:
    """Builds of exercises, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, exercise: Exercise, *, hosts: int, ready: bool, at: datetime) -> None:
        """Note how the first building of an exercise ended; later ones are retries and not kept."""
        if self._session.get(BuildRow, exercise.id) is None:
            took = at - exercise.created_at
            self._session.add(
                BuildRow(
                    exercise_id=exercise.id,
                    scenario_digest=exercise.scenario_digest,
                    hosts=hosts,
                    milliseconds=round(took.total_seconds() * 1000),
                    ready=ready,
                    at=at,
                )
            )
            self._session.flush()

    def recent(self, scenario_digest: str) -> tuple[Build, ...]:
        """Return the last builds that ended ready: of that scenario, and of any."""
        ready = select(BuildRow).where(BuildRow.ready).order_by(BuildRow.at.desc())
        same = ready.where(BuildRow.scenario_digest == scenario_digest)
        return tuple(
            Build(
                scenario_digest=row.scenario_digest,
                hosts=row.hosts,
                took=timedelta(milliseconds=row.milliseconds),
            )
            for query in (same, ready.where(BuildRow.scenario_digest != scenario_digest))
            for row in self._session.scalars(query.limit(_MOST_READ))
        )
