"""The jobs of a rehearsal: done by hand, one after another, so that time stands between them."""

from collections import deque
from collections.abc import Callable, Mapping

from api.bootstrap import Services
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from orchestrator.injects.going_out import CARRY_OUT
from orchestrator.service import PREPARE, RAISE_WORLD, REMOVE_WORLD, TEST_WORLD
from scoring.checking import CHECK


class HandQueue:
    """Keeps jobs until they are taken, the oldest first."""

    def __init__(self) -> None:
        self._jobs: deque[Job] = deque()

    def send(self, job: Job) -> None:
        """Keep a job."""
        self._jobs.append(job)

    def take(self) -> Job | None:
        """Return the oldest job; `None` when there is none."""
        return self._jobs.popleft() if self._jobs else None


class Hands:
    """Does the jobs of a site here and now."""

    def __init__(self, services: Services, queue: HandQueue) -> None:
        self._queue = queue
        self._scoring = services.scoring
        self._acts: Mapping[str, Callable[..., object]] = {
            PREPARE: services.worlds.prepare,
            RAISE_WORLD: services.worlds.raise_world,
            REMOVE_WORLD: services.worlds.remove_world,
            TEST_WORLD: services.worlds.test_world,
            CARRY_OUT: services.injects.carry_out,
            CHECK: self._check,
        }

    def work(self) -> None:
        """Do every job that was sent, and those that they send.

        Raises what a worker would log and leave to the next sweep: here there is none.
        """
        while self.work_one():
            pass

    def work_one(self) -> bool:
        """Do the oldest job; tell whether there was one."""
        job = self._queue.take()
        if job is not None:
            self._acts[job.name](*job.arguments)
        return job is not None

    def _check(self, exercise: str, team: str, check: str, number: str) -> None:
        self._scoring.run_check(ExerciseId(exercise), TeamId(team), check, int(number))
