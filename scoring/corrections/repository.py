"""The SQL of corrections and disputes."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId, UserId
from scoring.corrections.tables import CorrectionRow, DisputeRow
from scoring.corrections.views import Correction, CorrectionState, TeamCorrection
from scoring.domain.amendments import Accept, Amendment
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.ledger import Cause
from scoring.facts import facts_of
from scoring.tables import ScoreEntryRow, SubmissionRow

_AMENDMENT: TypeAdapter[Amendment] = TypeAdapter(Amendment)


class CorrectionRepository:
    """Corrections and disputes, within one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, exercise: ExerciseId, correction: Correction) -> None:
        """Add one that is proposed."""
        self._session.add(
            CorrectionRow(
                id=correction.id,
                exercise_id=exercise,
                body=correction.amendment.model_dump(mode="json"),
                reason=correction.reason,
                state=correction.state,
                proposed_by=correction.proposed_by,
                proposed_at=correction.proposed_at,
            )
        )
        self._session.flush()

    def all(self, exercise: ExerciseId) -> dict[str, Correction]:
        """Return an exercise's corrections by id, oldest first."""
        row = CorrectionRow
        rows = self._session.scalars(
            select(row).where(row.exercise_id == exercise).order_by(row.proposed_at, row.id)
        )
        return {row.id: _correction(row) for row in rows}

    def decide(
        self,
        id_: str,
        state: CorrectionState,
        *,
        by: UserId,
        at: datetime,
        note: str = "",
    ) -> bool:
        """Decide on one that is proposed; return whether nobody had."""
        row = CorrectionRow
        statement = (
            update(row)
            .where(row.id == id_, row.state == CorrectionState.PROPOSED)
            .values(state=state, decided_by=by, decided_at=at, note=note)
        )
        return self._session.scalar(statement.returning(row.id)) is not None

    def sent(self, teams: Sequence[TeamId], accept: Accept) -> Mapping[TeamId, list[str]]:
        """Return team → its wrong answers that are accepted now, oldest first."""
        row = SubmissionRow
        found: dict[TeamId, list[str]] = {team: [] for team in teams}
        rows = self._session.execute(
            select(row.team_id, row.id, row.value)
            .where(
                row.team_id.in_(teams),
                row.task == accept.task,
                row.verdict == AnswerVerdict.WRONG,
            )
            .order_by(row.received_at, row.id)
        )
        for team, id_, text in rows:
            if accept.is_said_by(text):
                found[TeamId(team)].append(id_)
        return found

    def of_team(self, team: TeamId) -> tuple[TeamCorrection, ...]:
        """Return the corrections of a team in their order, with what each moved."""
        entry = ScoreEntryRow
        rows = self._session.execute(
            select(entry.cause_id, entry.task, func.sum(entry.milli_points))
            .where(entry.team_id == team, entry.cause_type == Cause.CORRECTION)
            .group_by(entry.cause_id, entry.task)
            .order_by(entry.task)
        ).all()
        return tuple(
            TeamCorrection(
                id=fact.id,
                amendment=fact.decided.amendment,
                reason=fact.decided.reason,
                at=fact.at,
                tasks=tuple((task, int(sum_)) for id_, task, sum_ in rows if id_ == fact.id),
            )
            for fact in facts_of(self._session, team, Cause.CORRECTION)
            if fact.decided is not None
        )

    # Disputes

    def add_dispute(self, row: DisputeRow) -> bool:
        """Add a dispute; return whether the team had none open for the task."""
        try:
            with self._session.begin_nested():
                self._session.add(row)
        except IntegrityError:
            return False
        return True

    def disputes(self, exercise: ExerciseId) -> list[DisputeRow]:
        """Return an exercise's disputes, oldest first."""
        row = DisputeRow
        query = select(row).where(row.exercise_id == exercise)
        return list(self._session.scalars(query.order_by(row.opened_at, row.id)))

    def answer(
        self, id_: str, answer: str, *, by: UserId, at: datetime, correction: str | None
    ) -> bool:
        """Answer a dispute; return whether nobody had."""
        row = DisputeRow
        statement = (
            update(row)
            .where(row.id == id_, row.answered_at.is_(None))
            .values(answer=answer, answered_by=by, answered_at=at, correction_id=correction)
        )
        return self._session.scalar(statement.returning(row.id)) is not None


def _correction(row: CorrectionRow) -> Correction:
    return Correction(
        id=row.id,
        amendment=_AMENDMENT.validate_python(row.body),
        reason=row.reason,
        state=CorrectionState(row.state),
        proposed_by=UserId(row.proposed_by),
        proposed_at=row.proposed_at,
        decided_by=UserId(row.decided_by) if row.decided_by is not None else None,
        decided_at=row.decided_at,
        note=row.note,
    )
