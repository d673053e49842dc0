"""The orchestrator's tasks: an id in, one use case called, nothing decided here.

An error of ours ends a task in one line, without a trace: the database says what is still due, and
the sweep sends it again.
"""

from celery import Celery

from core.errors import PoligonError
from core.ids import ExerciseId, TeamId
from orchestrator.injects.going_out import CARRY_OUT
from orchestrator.injects.service import Injects
from orchestrator.reconcile import Reconciling
from orchestrator.service import (
    PREPARE,
    RAISE_WORLD,
    RECONCILE,
    REMOVE_WORLD,
    REPAIR_WORLD,
    TEST_WORLD,
)
from orchestrator.worlds import Worlds


def register(app: Celery, worlds: Worlds, reconciling: Reconciling, injects: Injects) -> None:
    """Let a worker of `app` do the orchestrator's jobs."""

    @app.task(name=PREPARE, throws=(PoligonError,))
    def prepare(exercise: str) -> None:
        worlds.prepare(ExerciseId(exercise))

    @app.task(name=RAISE_WORLD, throws=(PoligonError,))
    def raise_world(exercise: str, team: str) -> None:
        worlds.raise_world(ExerciseId(exercise), TeamId(team))

    @app.task(name=REMOVE_WORLD, throws=(PoligonError,))
    def remove_world(exercise: str, team: str) -> None:
        worlds.remove_world(ExerciseId(exercise), TeamId(team))

    @app.task(name=RECONCILE, throws=(PoligonError,))
    def reconcile(exercise: str) -> None:
        reconciling.reconcile(ExerciseId(exercise))

    @app.task(name=REPAIR_WORLD, throws=(PoligonError,))
    def repair_world(exercise: str, team: str) -> None:
        reconciling.repair(ExerciseId(exercise), TeamId(team))

    @app.task(name=TEST_WORLD, throws=(PoligonError,))
    def test_world(exercise: str, team: str) -> None:
        worlds.test_world(ExerciseId(exercise), TeamId(team))

    @app.task(name=CARRY_OUT, throws=(PoligonError,))
    def carry_out(exercise: str, team: str) -> None:
        injects.carry_out(ExerciseId(exercise), TeamId(team))
