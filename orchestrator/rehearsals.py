"""Rehearsals that were made here: the last of each content of a scenario."""

from collections.abc import Collection, Mapping
from datetime import datetime

from core.db import Database
from orchestrator.domain.rehearsal import Rehearsal
from orchestrator.rehearsal_repository import RehearsalRepository


class Rehearsals:
    """What is known of scenarios from rehearsing them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, rehearsal: Rehearsal) -> None:
        """Keep a rehearsal, in the place of an earlier one of the same content."""
        with self._database.transaction() as transaction:
            RehearsalRepository(transaction.session).put(rehearsal)

    def of(self, digests: Collection[str]) -> dict[str, Rehearsal]:
        """Return digest → the rehearsal of this very content, of those that were rehearsed."""
        with self._database.reading() as session:
            return RehearsalRepository(session).of(digests)

    def doubts(self, scenarios: Mapping[str, str]) -> dict[str, str]:
        """Return digest → why one should rehearse before launching, for digest → scenario's id.

        A sentence without its stop each, empty where there is no reason to.
        """
        with self._database.reading() as session:
            repository = RehearsalRepository(session)
            same = repository.of(scenarios.keys())
            earlier = repository.last(set(scenarios.values()))
        return {
            digest: _doubt(same.get(digest), earlier.get(scenario))
            for digest, scenario in scenarios.items()
        }


def _doubt(same: Rehearsal | None, earlier: datetime | None) -> str:
    if same is not None:
        return "" if same.passed else f"its rehearsal failed: {same.findings[0]}"
    if earlier is None:
        return "it was never rehearsed here"
    return f"it changed since its rehearsal of {earlier:%Y-%m-%d %H:%M} UTC"
