"""Scoring's entry points for the workers."""

from functools import partial

from celery import Celery

from core.errors import PoligonError
from core.ids import ExerciseId, TeamId
from scoring.asking import ASK
from scoring.attack_defence.rounds import LOOK
from scoring.attack_defence.service import AttackDefence
from scoring.checking import CHECK
from scoring.look_pool import LookPool
from scoring.proving import PROVE, Proving
from scoring.service import Scoring


def register(
    app: Celery,
    scoring: Scoring,
    attack_defence: AttackDefence,
    proving: Proving,
    looks: LookPool,
) -> None:
    """Let a worker carry out scoring's jobs; looks in threads of their own."""

    @app.task(name=CHECK, ignore_result=True)
    def check(exercise_id: str, team_id: str, check_id: str, number: str) -> None:
        ids = ExerciseId(exercise_id), TeamId(team_id), check_id, int(number)
        looks.start(partial(scoring.run_check, *ids))

    @app.task(name=ASK, ignore_result=True)
    def ask(exercise_id: str, team_id: str, question: str) -> None:
        ids = ExerciseId(exercise_id), TeamId(team_id), question
        looks.start(partial(scoring.asking.answer, *ids))

    @app.task(name=LOOK, ignore_result=True)
    def service_look(exercise_id: str, team_id: str, service: str, number: str) -> None:
        ids = ExerciseId(exercise_id), TeamId(team_id), service, int(number)
        looks.start(partial(attack_defence.look, *ids))

    @app.task(name=PROVE, ignore_result=True, throws=(PoligonError,))
    def prove(exercise_id: str) -> None:
        proving.prove(ExerciseId(exercise_id))
