"""Standings: totals, ranks and ties, from the ledger's sums."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSum:
    """The sum of a team's entries for a task, in thousandths of a point.

    `moved_at` is when the last entry that was not zero took effect.
    """

    team: str
    task: str
    milli_points: int
    moved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A team's place. `reached_at` is since when it has had this total."""

    team: str
    rank: int
    milli_points: int
    tasks: Mapping[str, int]
    reached_at: datetime | None


def standings(teams: Sequence[str], sums: Iterable[TaskSum]) -> tuple[Standing, ...]:
    """Return every team's standing, best first.

    Equal totals: who reached theirs first is ahead; entries of zero points never count for that.
    Teams that are still equal share a rank and stay in the order given; the next rank is skipped.
    """
    tasks: dict[str, dict[str, int]] = {team: {} for team in teams}
    moved: dict[str, datetime] = dict.fromkeys(teams, _NEVER)
    for line in sums:
        tasks[line.team][line.task] = line.milli_points
        moved[line.team] = max(moved[line.team], line.moved_at or _NEVER)
    keys = {team: (-sum(tasks[team].values()), moved[team]) for team in teams}
    order = sorted(teams, key=keys.__getitem__)
    ranked: list[Standing] = []
    for place, team in enumerate(order, start=1):
        tied = ranked and keys[ranked[-1].team] == keys[team]
        ranked.append(
            Standing(
                team=team,
                rank=ranked[-1].rank if tied else place,
                milli_points=-keys[team][0],
                tasks=tasks[team],
                reached_at=moved[team] if moved[team] != _NEVER else None,
            )
        )
    return tuple(ranked)
