"""Rehearsals that were made here: the last of each content of a scenario."""

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

    def of(self, digest: str) -> Rehearsal | None:
        """Return the rehearsal of this very content; `None` when it was never rehearsed."""
        with self._database.reading() as session:
            return RehearsalRepository(session).of(digest)

    def latest(self, scenario: str) -> Rehearsal | None:
        """Return the last rehearsal of a scenario, whatever its content was then."""
        with self._database.reading() as session:
            return RehearsalRepository(session).latest(scenario)

    def doubt(self, scenario: str, digest: str) -> str:
        """Return why one should rehearse before launching, without its stop; nothing if not."""
        same = self.of(digest)
        if same is not None:
            return "" if same.passed else f"its rehearsal failed: {same.findings[0]}"
        earlier = self.latest(scenario)
        if earlier is None:
            return "it was never rehearsed here"
        return f"it changed since its rehearsal of {earlier.at:%Y-%m-%d %H:%M} UTC"
