"""The lessons-learned survey: each member answers once, and may say it otherwise later."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import UserId
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import OVER
from scoring.errors import SurveyAnswerInvalidError, SurveyNotOpenError
from scoring.records.survey import (
    MOST_TEXT,
    RATINGS,
    SCALE,
    TEXTS,
    SurveyAnswer,
    SurveyResults,
    results,
)
from scoring.tables import SurveyRow


class Surveying:
    """Surveys of exercises."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def is_open(self, exercise: Exercise) -> bool:
        """Tell whether members are asked: once the exercise has ended."""
        return exercise.phase in OVER

    def mine(self, exercise: Exercise, user: UserId) -> SurveyAnswer | None:
        """Return what a member said themselves."""
        with self._database.reading() as session:
            row = session.get(SurveyRow, (exercise.id, user))
            return None if row is None else _answer(row)

    def answer(
        self,
        exercise: Exercise,
        user: UserId,
        *,
        ratings: Mapping[str, int],
        texts: Mapping[str, str],
    ) -> None:
        """Keep what a member says instead of what they said before.

        Raises SurveyNotOpenError, SurveyAnswerInvalidError.
        """
        team = exercise.team_of(user)
        if team is None or not self.is_open(exercise):
            raise SurveyNotOpenError(
                "the survey is for members of teams, once the exercise has ended",
                hint="Come back after the end",
            )
        row = SurveyRow(
            exercise_id=exercise.id,
            user_id=user,
            team_id=team.id,
            ratings=_ratings(ratings),
            texts=_texts(texts),
            at=self._clock.now(),
        )
        with self._database.transaction() as transaction:
            transaction.session.merge(row)

    def results(self, exercise: Exercise, team: str = "") -> SurveyResults:
        """Return what members said, of all teams or of one; nothing of too few answers."""
        teams = [t for t in exercise.teams if team in {"", t.slug}]
        with self._database.reading() as session:
            answers = _answers(session, [t.id for t in teams])
        return results(answers, asked=sum(len(t.members) for t in teams))


def _answers(session: Session, teams: list[str]) -> list[SurveyAnswer]:
    rows = session.scalars(select(SurveyRow).where(SurveyRow.team_id.in_(teams)))
    return [_answer(row) for row in rows]


def _answer(row: SurveyRow) -> SurveyAnswer:
    return SurveyAnswer(ratings=dict(row.ratings), texts=dict(row.texts))


def _ratings(ratings: Mapping[str, int]) -> dict[str, int]:
    for question, number in ratings.items():
        if question not in RATINGS or number not in SCALE:
            raise SurveyAnswerInvalidError(
                f"{number} is no answer to {question[:40]!r}",
                hint=f"Answer 1 to {SCALE[-1]} to {', '.join(RATINGS)}",
            )
    return dict(ratings)


def _texts(texts: Mapping[str, str]) -> dict[str, str]:
    for question, text in texts.items():
        if question not in TEXTS or len(text) > MOST_TEXT:
            raise SurveyAnswerInvalidError(
                f"{len(text)} characters are no answer to {question[:40]!r}",
                hint=f"At most {MOST_TEXT} characters to {', '.join(TEXTS)}",
            )
    return {q: text.replace("\0", "").strip() for q, text in texts.items() if text.strip()}
