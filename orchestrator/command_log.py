"""The commands that teams typed on hosts, for those who judge by them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.db import Database
from core.ids import TeamId
from orchestrator.tables import AccessSessionRow, MemberRow, SessionCommandRow

_MOST = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command line, and when it was typed."""

    at: datetime
    line: str


class CommandLog:
    """What is kept of commands, of every session of a team's members."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def typed(self, team: TeamId, host: str) -> tuple[Typed, ...]:
        """Return what members of a team typed on a host, oldest first, the first 20,000 lines.

        Staff in a team's hosts are no members of it.
        """
        command, session, member = SessionCommandRow, AccessSessionRow, MemberRow
        query = (
            select(command.at, command.line)
            .join(session, session.id == command.session_id)
            .join(
                member,
                (member.team_id == session.team_id) & (member.user_id == session.user_id),
            )
            .where(session.team_id == team, session.host == host)
            .order_by(command.at, command.id)
            .limit(_MOST)
        )
        with self._database.reading() as reading:
            return tuple(Typed(at=at, line=line) for at, line in reading.execute(query))
