"""What teams sent: what is known of it when answers of theirs are taken, read once for all."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BindParameter, bindparam, func, literal, select, union_all
from sqlalchemy.orm import Session

from core.db import table_of
from core.ids import ExerciseId, TeamId, UserId
from scoring.later import Later
from scoring.tables import SolveRow, SubmissionRow

_TABLE, _SOLVES = table_of(SubmissionRow), table_of(SolveRow).c
_SENT = _TABLE.c
_ADD = _TABLE.insert()
_IS_SOLVED = -1  # no number of attempts
_OF_TEAMS = _SENT.team_id.in_(bindparam("teams", expanding=True))
_TASKS: BindParameter[Sequence[str]] = bindparam("tasks", expanding=True)
_BEFORE = select(_TABLE).where(_OF_TEAMS, _SENT.client_key.in_(bindparam("keys", expanding=True)))
_USED_AND_SOLVED = union_all(
    select(_SENT.team_id, _SENT.task, func.max(_SENT.attempt).label("used"))
    .where(_OF_TEAMS, _SENT.task.in_(_TASKS))
    .group_by(_SENT.team_id, _SENT.task),
    select(_SOLVES.team_id, _SOLVES.task, literal(_IS_SOLVED)).where(
        _SOLVES.team_id.in_(bindparam("teams", expanding=True)), _SOLVES.task.in_(_TASKS)
    ),
)


class Submission(NamedTuple):
    """What a team sent and what it was told; as `SubmissionRow`, column by column."""

    id: str
    exercise_id: ExerciseId
    team_id: TeamId
    user_id: UserId
    task: str
    client_key: str
    value: str
    verdict: str
    attempt: int | None
    attempts_left: int | None
    milli_points: int
    received_at: datetime


class Submissions:
    """What some teams have sent, under their turn; what is added is written `later`."""

    def __init__(self, session: Session, later: Later, sent: Sequence[tuple[TeamId, str]]) -> None:
        """Read what was sent under the keys that teams send now."""
        self._session = session
        self._later = later
        asked = {"teams": list({team for team, _ in sent}), "keys": list({key for _, key in sent})}
        found = (Submission(*row) for row in session.execute(_BEFORE, asked))
        self._by_key = {(one.team_id, one.client_key): one for one in found}
        self._used: dict[tuple[TeamId, str], int] = {}

    def before(self, team: TeamId, key: str) -> Submission | None:
        """Return what a team has sent under a key."""
        return self._by_key.get((team, key))

    def read(
        self, teams: Sequence[TeamId], tasks: Sequence[str]
    ) -> AbstractSet[tuple[TeamId, str]]:
        """Read what answers of teams to tasks came to: return which team has done which task."""
        solved: set[tuple[TeamId, str]] = set()
        asked = {"teams": teams, "tasks": tasks}
        for team, task, used in self._session.execute(_USED_AND_SOLVED, asked):
            if used == _IS_SOLVED:
                solved.add((team, task))
            else:
                self._used[team, task] = used or 0
        return solved

    def used(self, team: TeamId, task: str) -> int:
        """Return how many answers of a team to a task were judged."""
        return self._used.get((team, task), 0)

    def add(self, sent: Submission) -> None:
        """Add what a team sent under a key that is new."""
        self._by_key[sent.team_id, sent.client_key] = sent
        if sent.attempt is not None:
            self._used[sent.team_id, sent.task] = sent.attempt
        self._later.add(_ADD, sent._asdict())
