"""What teams did on hosts, for those who judge by it: commands typed, files moved."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from core.db import Database
from core.ids import TeamId
from orchestrator.tables import AccessSessionRow, MemberRow, SessionCommandRow, SessionFileRow
from orchestrator.terminal.book import Direction

_MOST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command line, and when it was typed."""

    at: datetime
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A file that passed whole, and when it had; its path in the host, its SHA-256."""

    at: datetime
    direction: Direction
    path: str
    sha256: str


class ActivityLog:
    """What is kept of every session of a team's members. Staff in a team's hosts are no members."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def typed(self, team: TeamId, host: str) -> tuple[Typed, ...]:
        """Return what members of a team typed on a host, oldest first, the first 20,000 lines."""
        row = SessionCommandRow
        query = (
            select(row.at, row.line)
            .where(row.session_id.in_(_sessions(team, host)))
            .order_by(row.at, row.id)
            .limit(_MOST)
        )
        with self._database.reading() as reading:
            return tuple(Typed(at=at, line=line) for at, line in reading.execute(query))

    def moved(self, team: TeamId, host: str) -> tuple[Moved, ...]:
        """Return which files members moved into a host or out of it, the first 20,000, as above.

        What was cut on its way, or not seen from its first byte to its last, is not among them.
        """
        row = SessionFileRow
        query = (
            select(row.at, row.direction, row.path, row.sha256)
            .where(row.session_id.in_(_sessions(team, host)), row.whole)
            .order_by(row.at, row.id)
            .limit(_MOST)
        )
        with self._database.reading() as reading:
            return tuple(
                Moved(at=at, direction=Direction(direction), path=path, sha256=sha256)
                for at, direction, path, sha256 in reading.execute(query)
            )


def _sessions(team: TeamId, host: str) -> Select[str]:
    session, member = AccessSessionRow, MemberRow
    is_members = (member.team_id == session.team_id) & (member.user_id == session.user_id)
    return (
        select(session.id)
        .join(member, is_members)
        .where(session.team_id == team, session.host == host)
    )
