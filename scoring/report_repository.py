"""The SQL of after-action reports: what teams sent and when they acted. Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.ids import TeamId
from orchestrator.tables import AccessSessionRow, SessionCommandRow, SessionFileRow
from scoring.tables import HintTakenRow, SubmissionRow


def submissions(session: Session, teams: Sequence[TeamId]) -> list[SubmissionRow]:
    """Return what teams sent, oldest first."""
    row = SubmissionRow
    query = select(row).where(row.team_id.in_(teams)).order_by(row.received_at, row.id)
    return list(session.scalars(query))


def last_tries(session: Session, teams: Sequence[TeamId]) -> Mapping[str, datetime]:
    """Return when each team last answered, took a hint or ran a command that was recorded."""
    sent, hint, ran = SubmissionRow, HintTakenRow, SessionCommandRow
    tries = [
        *session.execute(
            select(sent.team_id, func.max(sent.received_at))
            .where(sent.team_id.in_(teams))
            .group_by(sent.team_id)
        ),
        *session.execute(
            select(hint.team_id, func.max(hint.taken_at))
            .where(hint.team_id.in_(teams))
            .group_by(hint.team_id)
        ),
        *session.execute(
            select(AccessSessionRow.team_id, func.max(ran.at))
            .join(ran, ran.session_id == AccessSessionRow.id)
            .where(AccessSessionRow.team_id.in_(teams))
            .group_by(AccessSessionRow.team_id)
        ),
    ]
    last: dict[str, datetime] = {}
    for team, at in tries:
        last[team] = max(at, last.get(team, at))
    return last


def first_acts(session: Session, teams: Sequence[TeamId]) -> Mapping[str, datetime]:
    """Return when each team first ran a command or moved a file that was recorded."""
    acts = [
        found
        for row in (SessionCommandRow, SessionFileRow)
        for found in session.execute(
            select(AccessSessionRow.team_id, func.min(row.at))
            .join(row, row.session_id == AccessSessionRow.id)
            .where(AccessSessionRow.team_id.in_(teams))
            .group_by(AccessSessionRow.team_id)
        )
    ]
    first: dict[str, datetime] = {}
    for team, at in acts:
        first[team] = min(at, first.get(team, at))
    return first
