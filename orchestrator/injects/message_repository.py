"""The SQL of messages and replies: rows in, values out. Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId, UserId
from core.users.tables import UserRow
from orchestrator.domain.injects import Expectation
from orchestrator.injects.records import Letter, Reply, StoredMessage
from orchestrator.tables import InjectFiringRow, InjectReplyRow, MessageRow

_MILLISECOND = timedelta(milliseconds=1)


class MessageRepository:
    """What teams were told, and what they replied, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def send(
        self,
        exercise: ExerciseId,
        team: TeamId,
        firing: str,
        letter: Letter,
        *,
        now: datetime,
        at: timedelta,
    ) -> bool:
        """Send a team the message of a firing; tell whether it did not have it already."""
        sent = select(MessageRow.id).where(MessageRow.firing_id == firing)
        if self._session.scalar(sent) is not None:
            return False
        self._session.add(
            MessageRow(
                exercise_id=exercise,
                team_id=team,
                firing_id=firing,
                sender=letter.sender,
                recipient=letter.to,
                text=letter.text,
                at=now,
                exercise_ms=at // _MILLISECOND,
            )
        )
        return True

    def of_teams(self, teams: Sequence[TeamId]) -> tuple[StoredMessage, ...]:
        """Return what teams were told, newest first, with their replies."""
        found = self._session.execute(
            select(MessageRow, InjectFiringRow)
            .join(InjectFiringRow, InjectFiringRow.id == MessageRow.firing_id)
            .where(MessageRow.team_id.in_(teams))
            .order_by(MessageRow.id.desc())
        ).all()
        replies: dict[str, list[Reply]] = {}
        for row, name in self._session.execute(
            select(InjectReplyRow, UserRow.name)
            .join(UserRow, UserRow.id == InjectReplyRow.user_id)
            .where(InjectReplyRow.team_id.in_(teams))
            .order_by(InjectReplyRow.id)
        ):
            replies.setdefault(row.firing_id, []).append(_reply(row, name))
        return tuple(_message(row, firing, replies.get(row.firing_id, [])) for row, firing in found)

    def reply(self, team: TeamId, client_key: str) -> InjectReplyRow | None:
        """Return what a team sent under a key."""
        row = InjectReplyRow
        same = select(row).where(row.team_id == team, row.client_key == client_key)
        return self._session.scalar(same)

    def add_reply(self, row: InjectReplyRow) -> None:
        """Add what somebody answered."""
        self._session.add(row)

    def first_replies(self, teams: Sequence[TeamId]) -> Mapping[str, timedelta]:
        """Return firing → when its first reply came, on the team's clock."""
        row = InjectReplyRow
        rows = self._session.execute(
            select(row.firing_id, func.min(row.exercise_ms))
            .where(row.team_id.in_(teams))
            .group_by(row.firing_id)
        )
        return {firing: first * _MILLISECOND for firing, first in rows}


def _reply(row: InjectReplyRow, name: str) -> Reply:
    return Reply(
        user=UserId(row.user_id),
        name=name,
        text=row.text,
        at=row.at,
        elapsed=row.exercise_ms * _MILLISECOND,
    )


def _message(row: MessageRow, firing: InjectFiringRow, replies: Sequence[Reply]) -> StoredMessage:
    return StoredMessage(
        id=row.id,
        team=TeamId(row.team_id),
        firing=row.firing_id,
        inject=firing.inject,
        letter=Letter(sender=row.sender, to=row.recipient, text=row.text),
        at=row.at,
        elapsed=row.exercise_ms * _MILLISECOND,
        fired=(firing.at_ms or 0) * _MILLISECOND,
        expectation=Expectation(firing.expectation) if firing.expectation is not None else None,
        replies=tuple(replies),
    )
