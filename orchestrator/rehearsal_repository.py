"""The SQL of rehearsals. Nothing here commits."""

from collections.abc import Collection
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import func, select
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

    def of(self, digests: Collection[str]) -> dict[str, Rehearsal]:
        """Return digest → the rehearsal of this content, of those that were rehearsed."""
        those = select(RehearsalRow).where(RehearsalRow.digest.in_(digests))
        return {
            row.digest: _AS_DATA.validate_python(row.report) for row in self._session.scalars(those)
        }

    def last(self, scenarios: Collection[str]) -> dict[str, datetime]:
        """Return scenario → when it was last rehearsed, whatever its content was then."""
        when = (
            select(RehearsalRow.scenario_id, func.max(RehearsalRow.at))
            .where(RehearsalRow.scenario_id.in_(scenarios))
            .group_by(RehearsalRow.scenario_id)
        )
        return dict(self._session.execute(when).all())
