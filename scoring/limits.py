"""How often a person and a team may answer: by what they sent, whatever address it came from.

Counted from what is kept, under the team's lock: it holds for several processes, and restarts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from core.ids import TeamId, UserId
from scoring.errors import TooManyAnswersError
from scoring.tables import SubmissionRow

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLimits:
    """How many answers are taken in any minute, of a person and of a whole team; `None`: all."""

    per_person: int | None = None
    per_team: int | None = None


UNLIMITED = AnswerLimits()


def require_within(
    session: Session, limits: AnswerLimits, team: TeamId, user: UserId, now: datetime
) -> None:
    """Raise TooManyAnswersError when a person or their team has sent too many just now."""
    mine = SubmissionRow.user_id == user
    for whose, most, which in (
        ("you have", limits.per_person, [mine]),
        ("your team has", limits.per_team, []),
    ):
        first = _first_of_last(session, team, most, which, now) if most is not None else None
        if first is not None:
            wait = ceil((first + _MINUTE - now).total_seconds())
            raise TooManyAnswersError(
                f"{whose} sent {most} answers in a minute, and no more are taken",
                seconds=max(1, wait),
            )


def _first_of_last(
    session: Session,
    team: TeamId,
    number: int,
    which: list[ColumnElement[bool]],
    now: datetime,
) -> datetime | None:
    """Return when the first of the last `number` answers came; `None` for fewer in a minute.

    One from the future does not count: the wall clock was set back since.
    """
    at = SubmissionRow.received_at
    recent = select(at).where(SubmissionRow.team_id == team, at > now - _MINUTE, at <= now, *which)
    return session.scalar(recent.order_by(at.desc()).offset(number - 1).limit(1))
