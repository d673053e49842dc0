"""The improvement plan: lines that staff write, change, tick off and remove."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import TeamId, UserId, new_id
from orchestrator.domain.exercise import Exercise
from scoring.errors import ImprovementInvalidError, ImprovementUnknownError
from scoring.records.report import Action
from scoring.tables import ImprovementRow

MOST_WORDS = 2000
MOST_OWNER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a line says; `team` is a slug, empty for all."""

    area: str
    action: str
    owner: str = ""
    due: date | None = None
    done: bool = False
    team: str = ""


class Improving:
    """Improvement plans of exercises. Each method raises ImprovementInvalidError for bad words."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def plan(self, exercise: Exercise, team: str = "") -> tuple[Action, ...]:
        """Return the plan in the order in which it was written: of all, or what concerns a team."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(ImprovementRow)
                .where(ImprovementRow.exercise_id == exercise.id)
                .order_by(ImprovementRow.made_at, ImprovementRow.id)
            ).all()
        slugs: dict[str | None, str] = {t.id: t.slug for t in exercise.teams}
        lines = (_action(row, slugs.get(row.team_id, "")) for row in rows)
        return tuple(line for line in lines if not team or line.team in {"", team})

    def add(self, exercise: Exercise, wording: Wording, *, by: UserId | None) -> Action:
        """Add a line at the end of the plan; return it."""
        now = self._clock.now()
        row = ImprovementRow(
            id=new_id(), exercise_id=exercise.id, user_id=by, made_at=now, done_at=None
        )
        self._say(exercise, row, wording)
        with self._database.transaction() as transaction:
            transaction.session.add(row)
            transaction.session.flush()
            return _action(row, wording.team)

    def change(self, exercise: Exercise, line: str, wording: Wording) -> Action:
        """Say something else in a line; return it. Raises ImprovementUnknownError."""
        with self._database.transaction() as transaction:
            row = _row(transaction.session, exercise, line)
            self._say(exercise, row, wording)
            return _action(row, wording.team)

    def wording(self, exercise: Exercise, line: str) -> Wording:
        """Return what a line says, to be said otherwise; raises ImprovementUnknownError."""
        with self._database.reading() as session:
            row = _row(session, exercise, line)
        return Wording(
            area=row.area,
            action=row.action,
            owner=row.owner,
            due=row.due,
            done=row.done_at is not None,
            team=exercise.team_with(TeamId(row.team_id)).slug if row.team_id else "",
        )

    def remove(self, exercise: Exercise, line: str) -> None:
        """Remove a line from the plan; raises ImprovementUnknownError."""
        with self._database.transaction() as transaction:
            transaction.session.delete(_row(transaction.session, exercise, line))

    def _say(self, exercise: Exercise, row: ImprovementRow, wording: Wording) -> None:
        team = exercise.team(wording.team) if wording.team else None
        if wording.team and team is None:
            raise ImprovementInvalidError(f"there is no team {wording.team[:40]!r}")
        row.area, row.action = _words("area", wording.area), _words("action", wording.action)
        row.owner = wording.owner.strip()[:MOST_OWNER]
        row.due = wording.due
        row.team_id = team.id if team is not None else None
        row.changed_at = self._clock.now()
        if not wording.done:
            row.done_at = None
        elif row.done_at is None:
            row.done_at = row.changed_at


def _words(field: str, text: str) -> str:
    words = text.replace("\0", "").strip()
    if not 1 <= len(words) <= MOST_WORDS:
        raise ImprovementInvalidError(
            f"the {field} has {len(words)} characters",
            hint=f"Say it in 1 to {MOST_WORDS}",
        )
    return words


def _row(session: Session, exercise: Exercise, line: str) -> ImprovementRow:
    row = session.get(ImprovementRow, line)
    if row is None or row.exercise_id != exercise.id:
        raise ImprovementUnknownError(
            f"the plan of {exercise.name} has no line {line[:40]!r}",
            hint=f"poligon improvement list {exercise.name} shows them",
        )
    return row


def _action(row: ImprovementRow, team: str) -> Action:
    return Action(
        id=row.id,
        team=team,
        area=row.area,
        action=row.action,
        owner=row.owner,
        due=row.due,
        done=row.done_at,
    )
