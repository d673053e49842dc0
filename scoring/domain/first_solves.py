"""First solves: who did each task first, by when the server got to know of it."""

from collections.abc import Collection, Mapping
from datetime import datetime

from core.ids import TeamId

When = tuple[datetime, int]
"""When a solve took effect, and the id of its first entry."""


def first_solves(
    solves: Mapping[tuple[TeamId, str], When], *, without: Collection[TeamId] = ()
) -> dict[str, TeamId]:
    """Return task → the team that solved it first; teams `without` rank are nobody's rivals.

    Lowest time first, then lowest entry.
    """
    first: dict[str, tuple[When, TeamId]] = {}
    for (team, task), when in solves.items():
        if team not in without:
            first[task] = min(first.get(task, (when, team)), (when, team))
    return {task: team for task, (_, team) in first.items()}
