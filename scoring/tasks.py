"""Scoring's entry points for the workers."""

from celery import Celery

from core.ids import ExerciseId, TeamId
from scoring.checking import CHECK
from scoring.service import Scoring


def register(app: Celery, scoring: Scoring) -> None:
    """Let a worker carry out scoring's jobs."""

    @app.task(name=CHECK, ignore_result=True)
    def check(exercise_id: str, team_id: str, check_id: str, number: str) -> None:
        scoring.run_check(ExerciseId(exercise_id), TeamId(team_id), check_id, int(number))
