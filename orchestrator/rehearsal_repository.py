"""The SQL of rehearsals. Nothing here commits."""

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from orchestrator.domain.rehearsal import Rehearsal
from orchestrator.tables import RehearsalRow

_AS_DATA = TypeAdapter(Rehearsal)


class RehearsalRepository:
    """Rehearsals of scenarios, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def put(self, rehearsal: Rehearsal) -> None:
        """Keep a rehearsal, in the place of an earlier one of the same content."""
        self._session.merge(
            RehearsalRow(
                digest=rehearsal.digest,
                scenario_id=rehearsal.scenario,
                at=rehearsal.at,
                report=_AS_DATA.dump_python(rehearsal, mode="json"),
            )
        )

    def of(self, digest: str) -> Rehearsal | None:
        """Return the rehearsal of this content."""
        return _rehearsal(self._session.get(RehearsalRow, digest))

    def latest(self, scenario: str) -> Rehearsal | None:
        """Return the last rehearsal of a scenario."""
        mine = select(RehearsalRow).where(RehearsalRow.scenario_id == scenario)
        return _rehearsal(self._session.scalar(mine.order_by(RehearsalRow.at.desc()).limit(1)))


def _rehearsal(row: RehearsalRow | None) -> Rehearsal | None:
    return _AS_DATA.validate_python(row.report) if row is not None else None
