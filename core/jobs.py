"""Jobs: what is left to do after a transaction, as a name and ids.

The queue only carries them. Which work is due is in the database; a sweep derives it again, so a
job that is lost costs time, and one that comes twice does nothing the second time.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do: the task's name and the ids that it needs."""

    name: str
    arguments: tuple[str, ...] = ()


class JobQueue(Protocol):
    """Somewhere to leave jobs for a worker."""

    def send(self, job: Job) -> None:
        """Leave `job`. A queue that does not answer is logged, not raised: the sweep finds it."""
        ...
