"""Jobs done here and now, as a worker would."""

from collections.abc import Callable, Mapping

from api.bootstrap import Services
from core.errors import PoligonError
from core.jobs import Job
from orchestrator.injects.going_out import CARRY_OUT
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

Acts = Mapping[str, Callable[..., None]]


def acts_on_worlds(worlds: Worlds, reconciling: Reconciling) -> Acts:
    """Return job name → what is done, for jobs about worlds."""
    return {
        PREPARE: worlds.prepare,
        RAISE_WORLD: worlds.raise_world,
        REMOVE_WORLD: worlds.remove_world,
        TEST_WORLD: worlds.test_world,
        RECONCILE: reconciling.reconcile,
        REPAIR_WORLD: reconciling.repair,
    }


def acts_of(services: Services) -> Acts:
    """Return job name → what is done, for every job of the orchestrator."""
    on_worlds = acts_on_worlds(services.worlds, services.reconciling)
    return {**on_worlds, CARRY_OUT: services.injects.carry_out}


def do(acts: Acts, job: Job) -> None:
    """Do a job as a worker does: an error of ours ends it, and nothing else."""
    try:
        acts[job.name](*job.arguments)
    except PoligonError:
        return
