"""The SQL of marks: rows in, values out. Nothing here commits."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId, UserId, new_id
from core.users.tables import UserRow
from orchestrator.domain.phases import OVER
from orchestrator.tables import ExerciseRow
from scoring.marking.records import Mark, MarkingRecord, Sheet, SheetKind
from scoring.marking.tables import (
    AssessorRow,
    MarkingRow,
    MarkReleaseRow,
    MarkRow,
    MarkSheetRow,
)

_Key = tuple[TeamId, str]


class MarkRepository:
    """Assessors, their sheets, and results, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # Who marks

    def assessors(self, exercise: ExerciseId) -> Mapping[UserId, str]:
        """Return the assessors of an exercise, each with their login name, by name."""
        rows = self._session.execute(
            select(UserRow.id, UserRow.name)
            .join(AssessorRow, AssessorRow.user_id == UserRow.id)
            .where(AssessorRow.exercise_id == exercise)
            .order_by(UserRow.name)
        )
        return {UserId(user): name for user, name in rows}

    def exercises_of(self, user: UserId) -> tuple[ExerciseId, ...]:
        """Return the exercises in which somebody marks, the latest appointment first."""
        rows = self._session.scalars(
            select(AssessorRow.exercise_id)
            .where(AssessorRow.user_id == user)
            .order_by(AssessorRow.appointed_at.desc(), AssessorRow.exercise_id)
        )
        return tuple(map(ExerciseId, rows))

    def appoint(self, exercise: ExerciseId, user: UserId, *, at: datetime) -> bool:
        """Let somebody mark in an exercise; tell whether they did not before."""
        if self._session.get(AssessorRow, (exercise, user)) is not None:
            return False
        self._session.add(AssessorRow(exercise_id=exercise, user_id=user, appointed_at=at))
        return True

    def dismiss(self, exercise: ExerciseId, user: UserId) -> bool:
        """Let somebody mark no more; tell whether they did. What they handed in stays."""
        row = self._session.get(AssessorRow, (exercise, user))
        if row is None:
            return False
        self._session.delete(row)
        return True

    # Markings

    def of_teams(self, teams: Sequence[TeamId]) -> Mapping[_Key, tuple[MarkingRecord, ...]]:
        """Return (team, task) → its markings, the first one first."""
        row = MarkingRow
        rows = self._session.scalars(
            select(row).where(row.team_id.in_(teams)).order_by(row.team_id, row.task, row.number)
        ).all()
        sheets = self._sheets([marking.id for marking in rows])
        found: dict[_Key, tuple[MarkingRecord, ...]] = {}
        for marking in rows:
            key = (TeamId(marking.team_id), marking.task)
            found[key] = (*found.get(key, ()), _record(marking, sheets.get(marking.id, ())))
        return found

    def decided(self, teams: Sequence[TeamId]) -> frozenset[tuple[str, str]]:
        """Return the (team, task) that have a result."""
        row = MarkingRow
        rows = self._session.execute(
            select(row.team_id, row.task).where(row.team_id.in_(teams), row.decided_at.is_not(None))
        )
        return frozenset((team, task) for team, task in rows)

    def undecided_after_the_end(self) -> tuple[ExerciseId, ...]:
        """Return the exercises that are over and have a marking without a result."""
        row = MarkingRow
        rows = self._session.scalars(
            select(row.exercise_id)
            .join(ExerciseRow, ExerciseRow.id == row.exercise_id)
            .where(row.decided_at.is_(None), ExerciseRow.phase.in_(OVER))
            .distinct()
        )
        return tuple(map(ExerciseId, rows))

    def open(
        self,
        exercise: ExerciseId,
        team: TeamId,
        task: str,
        *,
        number: int,
        at: datetime,
        by: UserId | None = None,
        reason: str = "",
    ) -> str:
        """Begin a marking; return its id. Its key makes a second of the same number an error."""
        row = MarkingRow(
            id=new_id(),
            exercise_id=exercise,
            team_id=team,
            task=task,
            number=number,
            opened_at=at,
            opened_by=by,
            reason=reason,
            moderated=False,
        )
        self._session.add(row)
        self._session.flush()
        return row.id

    def seat(self, marking: str, user: UserId, kind: SheetKind, *, seat: int, at: datetime) -> str:
        """Give somebody a sheet in a marking; return its id. Its keys make a second an error."""
        row = MarkSheetRow(
            id=new_id(), marking_id=marking, user_id=user, kind=kind, seat=seat, begun_at=at
        )
        self._session.add(row)
        self._session.flush()
        return row.id

    def put(self, sheet: str, criterion: str, mark: Mark, *, at: datetime) -> None:
        """Keep a mark in the place of its draft."""
        self._session.merge(
            MarkRow(
                sheet_id=sheet,
                criterion=criterion,
                level=mark.level,
                reason=mark.reason,
                marked_at=at,
                handed_in_at=mark.handed_in,
            )
        )
        self._session.flush()

    def leave(self, sheet: str) -> None:
        """Take away a sheet of which nothing was handed in."""
        self._session.execute(delete(MarkRow).where(MarkRow.sheet_id == sheet))
        self._session.execute(delete(MarkSheetRow).where(MarkSheetRow.id == sheet))

    def decide(self, marking: str, *, at: datetime, moderated: bool) -> None:
        """Make the marks of a marking the team's result."""
        self._session.execute(
            update(MarkingRow)
            .where(MarkingRow.id == marking, MarkingRow.decided_at.is_(None))
            .values(decided_at=at, moderated=moderated)
        )

    # What teams may read

    def released(self, exercise: ExerciseId) -> frozenset[str]:
        """Return the tasks of which teams may read their marks."""
        row = MarkReleaseRow
        return frozenset(self._session.scalars(select(row.task).where(row.exercise_id == exercise)))

    def release(self, exercise: ExerciseId, task: str, *, at: datetime, by: UserId | None) -> None:
        """Let teams read their marks for a task."""
        self._session.add(
            MarkReleaseRow(exercise_id=exercise, task=task, released_at=at, released_by=by)
        )

    def _sheets(self, markings: Sequence[str]) -> Mapping[str, tuple[Sheet, ...]]:
        row = MarkSheetRow
        rows = self._session.scalars(
            select(row)
            .where(row.marking_id.in_(markings))
            .order_by(row.marking_id, row.kind, row.seat)
        ).all()
        marks: dict[str, dict[str, Mark]] = {}
        for mark in self._session.scalars(
            select(MarkRow)
            .join(row, row.id == MarkRow.sheet_id)
            .where(row.marking_id.in_(markings))
        ):
            marks.setdefault(mark.sheet_id, {})[mark.criterion] = Mark(
                level=mark.level, reason=mark.reason, handed_in=mark.handed_in_at
            )
        found: dict[str, tuple[Sheet, ...]] = {}
        for sheet in rows:
            shown = Sheet(
                id=sheet.id,
                kind=SheetKind(sheet.kind),
                user=UserId(sheet.user_id),
                seat=sheet.seat,
                marks=marks.get(sheet.id, {}),
            )
            found[sheet.marking_id] = (*found.get(sheet.marking_id, ()), shown)
        return found


def _record(row: MarkingRow, sheets: tuple[Sheet, ...]) -> MarkingRecord:
    return MarkingRecord(
        id=row.id,
        team=TeamId(row.team_id),
        task=row.task,
        number=row.number,
        opened_at=row.opened_at,
        reason=row.reason,
        decided_at=row.decided_at,
        moderated=row.moderated,
        sheets=sheets,
    )
