"""A queue that keeps the jobs it was given."""

from core.jobs import Job


class RecordingQueue:
    """Holds what was sent, in order; `take` empties it."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def send(self, job: Job) -> None:
        self.jobs.append(job)

    def take(self) -> list[Job]:
        taken, self.jobs = self.jobs, []
        return taken
