"""Disputes: a team does not agree with a score, and gets an answer."""

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import TeamId, UserId, new_id
from core.text import is_storable
from core.users.model import User
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act, require
from orchestrator.journal import By, Journal
from scoring.corrections.repository import CorrectionRepository
from scoring.corrections.tables import DisputeRow
from scoring.corrections.views import Dispute
from scoring.errors import (
    AnswerInvalidError,
    CorrectionUnknownError,
    DisputeAnsweredError,
    DisputeOpenError,
    DisputeUnknownError,
    TaskUnknownError,
)
from scoring.ports import Exercises

MAX_TEXT = 2000


class Disputes:
    """Disputes of exercises that run, are paused or are over."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._journal = Journal(database, clock)

    def open(self, exercise: Exercise, team: Team, by: UserId, *, task: str, text: str) -> Dispute:
        """Open a dispute of a team about a task's score; return it.

        Raises NotNowError, TaskUnknownError, AnswerInvalidError, DisputeOpenError.
        """
        require(exercise.phase, Act.CORRECT)
        if task not in self._exercises.scenario(exercise).scenario.tasks:
            raise TaskUnknownError(f"there is no task {task!r}", hint="Look at your tasks")
        row = DisputeRow(
            id=new_id(),
            exercise_id=exercise.id,
            team_id=team.id,
            task=task,
            text=_readable(text),
            opened_by=by,
            opened_at=self._clock.now(),
            answer="",
        )
        shown = _dispute(row, exercise)
        with self._database.transaction() as transaction:
            if not CorrectionRepository(transaction.session).add_dispute(row):
                raise DisputeOpenError(
                    f"your team disputes {task} already", hint="Wait for its answer"
                )
            self._note(transaction, exercise, "dispute.opened", shown, team, by)
        return shown

    def answer(
        self, exercise: Exercise, id_: str, by: User, *, text: str, correction: str = ""
    ) -> Dispute:
        """Answer a dispute, and say which correction followed if one did; return the dispute.

        Raises NotNowError, DisputeUnknownError, CorrectionUnknownError, AnswerInvalidError,
        DisputeAnsweredError.
        """
        require(exercise.phase, Act.CORRECT)
        answer = _readable(text)
        with self._database.transaction() as transaction:
            repository = CorrectionRepository(transaction.session)
            found = next((d for d in repository.disputes(exercise.id) if d.id == id_), None)
            if found is None:
                raise DisputeUnknownError(f"there is no dispute {id_!r}", hint="Look at the list")
            if correction and correction not in repository.all(exercise.id):
                raise CorrectionUnknownError(
                    f"there is no correction {correction!r}", hint="Look at the list of them"
                )
            at = self._clock.now()
            if not repository.answer(id_, answer, by=by.id, at=at, correction=correction or None):
                raise DisputeAnsweredError("this dispute is answered already", hint="Read it")
            transaction.session.refresh(found)
            shown = _dispute(found, exercise)
            team = exercise.team_with(TeamId(found.team_id))
            self._note(transaction, exercise, "dispute.answered", shown, team, by.id)
        return shown

    def all(self, exercise: Exercise) -> tuple[Dispute, ...]:
        """Return an exercise's disputes, oldest first."""
        with self._database.reading() as session:
            rows = CorrectionRepository(session).disputes(exercise.id)
            return tuple(_dispute(row, exercise) for row in rows)

    def of_team(self, exercise: Exercise, team: Team) -> tuple[Dispute, ...]:
        """Return a team's disputes, oldest first."""
        return tuple(dispute for dispute in self.all(exercise) if dispute.team == team.slug)

    def _note(
        self,
        transaction: Transaction,
        exercise: Exercise,
        act: str,
        dispute: Dispute,
        team: Team,
        by: UserId,
    ) -> None:
        text = dispute.answer or dispute.text
        subject, who = dispute.task, By(user=by)
        self._journal.note(transaction, exercise, act, text, team=team.id, subject=subject, by=who)


def _readable(text: str) -> str:
    plain = text.replace("\r\n", "\n").strip()
    if not 0 < len(plain) <= MAX_TEXT or not is_storable(plain):
        raise AnswerInvalidError(
            f"this takes text of 1 to {MAX_TEXT} characters", hint="Type it instead of pasting"
        )
    return plain


def _dispute(row: DisputeRow, exercise: Exercise) -> Dispute:
    return Dispute(
        id=row.id,
        team=exercise.team_with(TeamId(row.team_id)).slug,
        task=row.task,
        text=row.text,
        opened_by=UserId(row.opened_by),
        opened_at=row.opened_at,
        answer=row.answer,
        answered_by=UserId(row.answered_by) if row.answered_by is not None else None,
        answered_at=row.answered_at,
        correction=row.correction_id or "",
    )
