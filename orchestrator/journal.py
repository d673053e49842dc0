"""The event log of an exercise: every act of people and of the system, on both clocks, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import ExerciseId, TeamId, UserId
from core.users.tables import UserRow
from orchestrator.domain.exercise import Exercise, Problem, Team
from orchestrator.domain.phases import WorldPhase
from orchestrator.tables import JournalRow, TeamRow

_MOST_TEXT = 2000
_MOST_REASON = 500
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who does something, and why if they said so; nobody is the system itself."""

    user: UserId | None = None
    reason: str = ""


SYSTEM = By()


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """Something that was done. `elapsed` is the team's clock, or the exercise's without a team.

    `act` is stable and dotted (`exercise.paused`), `subject` what it was done to (a host, an
    inject), `text` a sentence for people; `actor` is a login name, or empty for the system.
    """

    id: int
    at: datetime
    elapsed: timedelta
    act: str
    actor: str
    team: str
    subject: str
    text: str
    reason: str


class Journal:
    """What was done in exercises, and by whom."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def note(
        self,
        transaction: Transaction,
        exercise: Exercise,
        act: str,
        text: str,
        *,
        team: TeamId | None = None,
        subject: str = "",
        by: By = SYSTEM,
    ) -> None:
        """Write an act down with the transaction that carries it out."""
        now = self._clock.now()
        transaction.session.add(
            JournalRow(
                exercise_id=exercise.id,
                team_id=team,
                at=now,
                exercise_ms=exercise.elapsed(now, team) // _MILLISECOND,
                user_id=by.user,
                act=act,
                subject=subject,
                text=text[:_MOST_TEXT],
                reason=by.reason[:_MOST_REASON],
            )
        )

    def note_world(
        self,
        transaction: Transaction,
        exercise: Exercise,
        team: Team,
        phase: WorldPhase,
        problem: Problem | None = None,
    ) -> None:
        """Write down what became of a team's world by itself, and what is wrong with it."""
        self.note(
            transaction,
            exercise,
            f"world.{phase}",
            problem.message if problem is not None else "",
            team=team.id,
            subject=problem.host if problem is not None else "",
        )

    def of(
        self, exercise: ExerciseId, *, after: int = 0, limit: int = 500
    ) -> tuple[JournalEntry, ...]:
        """Return what was done since the entry `after`, oldest first, at most `limit`."""
        with self._database.reading() as session:
            rows = session.execute(
                select(JournalRow, UserRow.name, TeamRow.slug)
                .outerjoin(UserRow, UserRow.id == JournalRow.user_id)
                .outerjoin(TeamRow, TeamRow.id == JournalRow.team_id)
                .where(JournalRow.exercise_id == exercise, JournalRow.id > after)
                .order_by(JournalRow.id)
                .limit(limit)
            ).all()
        return tuple(_entry(row, name or "", slug or "") for row, name, slug in rows)

    def last(self) -> int:
        """Return the id of the last act in any exercise, 0 before the first."""
        with self._database.reading() as session:
            return session.scalar(select(func.max(JournalRow.id))) or 0

    def latest(self, exercise: ExerciseId, *, limit: int = 30) -> tuple[JournalEntry, ...]:
        """Return the last `limit` acts, newest first."""
        with self._database.reading() as session:
            last = session.scalars(
                select(JournalRow.id)
                .where(JournalRow.exercise_id == exercise)
                .order_by(JournalRow.id.desc())
                .limit(limit + 1)
            ).all()
        before = last[limit] if len(last) > limit else 0
        return self.of(exercise, after=before, limit=limit)[::-1]

    def told_since(
        self,
        session: Session,
        exercise: ExerciseId,
        act: str,
        *,
        team: TeamId,
        subject: str,
        since: datetime,
    ) -> bool:
        """Tell whether an act of a team about a subject was written down after `since`."""
        row = JournalRow
        mine = (row.exercise_id == exercise) & (row.team_id == team) & (row.subject == subject)
        told = select(row.id).where(mine, row.act == act, row.at > since).limit(1)
        return session.scalar(told) is not None

    def last_acts(
        self, session: Session, exercises: Sequence[ExerciseId], acts: Sequence[str]
    ) -> Mapping[ExerciseId, tuple[str, str]]:
        """Return which of the acts came last in each exercise, and its text.

        Nothing for an exercise that has none of them.
        """
        row = JournalRow
        of_them = row.exercise_id.in_(exercises) & row.act.in_(acts)
        last = select(func.max(row.id)).where(of_them).group_by(row.exercise_id)
        found = session.execute(select(row.exercise_id, row.act, row.text).where(row.id.in_(last)))
        return {ExerciseId(exercise): (act, text) for exercise, act, text in found}


def _entry(row: JournalRow, actor: str, team: str) -> JournalEntry:
    return JournalEntry(
        id=row.id,
        at=row.at,
        elapsed=row.exercise_ms * _MILLISECOND,
        act=row.act,
        actor=actor,
        team=team,
        subject=row.subject,
        text=row.text,
        reason=row.reason,
    )
