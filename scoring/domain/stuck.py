"""Stuck teams: nothing solved and nothing gained for so long, while something is left to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

STUCK_AFTER = timedelta(minutes=20)
"""How long a team may have no progress, on its own clock, before instructors are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A team without progress for `since`; `silent` for how long it has not even tried anything.

    Both on its clock. `open_tasks` is what is left to do.
    """

    team: str
    since: timedelta
    silent: timedelta
    open_tasks: tuple[str, ...]


def stuck(
    team: str,
    *,
    now: timedelta,
    progress: Sequence[timedelta],
    tries: Sequence[timedelta],
    open_tasks: Callable[[], Sequence[str]],
    after: timedelta = STUCK_AFTER,
) -> Stuck | None:
    """Return how a team is stuck, or `None`: there was progress, or there is nothing left to do.

    `progress` are the times of what brought points or opened a task, `tries` those of answers,
    hints and commands; `open_tasks` is asked only of a team without progress.
    """
    since = now - max(progress, default=timedelta())
    if since < after or not (left := open_tasks()):
        return None
    silent = now - max([*tries, *progress], default=timedelta())
    return Stuck(team=team, since=since, silent=silent, open_tasks=tuple(left))
