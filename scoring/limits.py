"""How often a person and a team may answer: by what they sent, whatever address it came from.

Counted from what is kept, under the team's lock: it holds for several processes, and restarts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, select
from sqlalchemy.orm import Session

from core.db import table_of
from core.ids import TeamId, UserId
from scoring.errors import TooManyAnswersError
from scoring.later import Later
from scoring.tables import SubmissionRow

_MINUTE = timedelta(minutes=1)
_SENT = table_of(SubmissionRow).c


def _first_of_last(before: str, *which: ColumnElement[bool]) -> ScalarSelect[datetime]:
    """Return when the first of the last answers came, `before` it a number; no row for fewer.

    Of those of a minute. One from the future does not count: the wall clock was set back since.
    """
    at = _SENT.received_at
    recent = (_SENT.team_id == bindparam("team"), at > bindparam("since"), at <= bindparam("now"))
    last = select(at).where(*recent, *which).order_by(at.desc())
    return last.offset(bindparam(before)).limit(1).scalar_subquery()


_FIRST_OF_LAST = select(
    _first_of_last("before_person", _SENT.user_id == bindparam("user")),
    _first_of_last("before_team"),
)
_LATELY = (
    select(_SENT.team_id, _SENT.user_id, func.count())
    .where(_SENT.team_id.in_(bindparam("teams", expanding=True)))
    .where(_SENT.received_at > bindparam("since"))
    .group_by(_SENT.team_id, _SENT.user_id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLimits:
    """How many answers are taken in any minute, of a person and of a whole team; `None`: all."""

    per_person: int | None = None
    per_team: int | None = None


UNLIMITED = AnswerLimits()


class Lately:
    """How many answers teams and their members have sent just now, under the teams' turn.

    They are counted for all at once, and looked at one by one only where a limit is near.
    """

    def __init__(self, session: Session, limits: AnswerLimits, later: Later) -> None:
        self._session = session
        self._limits = limits
        self._later = later
        self._sent: Counter[tuple[TeamId, UserId]] = Counter()

    def read(self, teams: Sequence[TeamId], since: datetime) -> None:
        """Count what teams have sent within a minute before some time, and later."""
        if self._limits == UNLIMITED:
            return
        asked = {"teams": teams, "since": since - _MINUTE}
        for team, user, count in self._session.execute(_LATELY, asked):
            self._sent[team, user] = count

    def count(self, team: TeamId, user: UserId) -> None:
        """Count one that was added."""
        self._sent[team, user] += 1

    def require_within(self, team: TeamId, user: UserId, now: datetime) -> None:
        """Raise TooManyAnswersError when a person or their team has sent too many just now."""
        limits, by_person = self._limits, self._sent[team, user]
        by_team = sum(count for (whose, _), count in self._sent.items() if whose == team)
        if (limits.per_person is not None and by_person >= limits.per_person) or (
            limits.per_team is not None and by_team >= limits.per_team
        ):
            self._later.write()
            _require_within(self._session, limits, team, user, now)


def _require_within(
    session: Session, limits: AnswerLimits, team: TeamId, user: UserId, now: datetime
) -> None:
    of_person, of_team = limits.per_person, limits.per_team
    asked = {"team": team, "user": user, "now": now, "since": now - _MINUTE}
    asked |= {"before_person": (of_person or 1) - 1, "before_team": (of_team or 1) - 1}
    by_person, by_team = session.execute(_FIRST_OF_LAST, asked).one()
    for whose, most, first in (
        ("you have", of_person, by_person),
        ("your team has", of_team, by_team),
    ):
        if most is not None and first is not None:
            wait = ceil((first + _MINUTE - now).total_seconds())
            raise TooManyAnswersError(
                f"{whose} sent {most} answers in a minute, and no more are taken",
                seconds=max(1, wait),
            )
