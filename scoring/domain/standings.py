"""Standings: totals, ranks and ties, from the ledger's sums; and the hash that stands for them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from scoring.domain.ledger import Entry

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Total:
    """What a team has, in thousandths, by task, after so many entries.

    `moved_at` is when the last entry took effect that was not zero, and neither takes another back
    nor was taken back itself.
    """

    tasks: dict[str, int] = field(default_factory=dict)
    moved_at: datetime | None = None
    entries: int = 0

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "Total":
        """Return what entries add up to; of any number of them in any order the same."""
        total = cls()
        taken_back = {entry.reverses for entry in entries}
        for entry in entries:
            total.add(entry, counts=entry.key not in taken_back)
        return total

    def add(self, entry: Entry, *, counts: bool = True) -> None:
        """Add one entry more, which does not take another back unless `counts` knows of that."""
        self.tasks[entry.task] = self.tasks.get(entry.task, 0) + entry.milli_points
        self.entries += 1
        if counts and entry.milli_points and entry.reverses is None:
            self.moved_at = max(self.moved_at or _NEVER, entry.effective_at)

    @property
    def milli_points(self) -> int:
        """The sum over all tasks."""
        return sum(self.tasks.values())


def board_hash(totals: Mapping[str, Total]) -> str:
    """Return the SHA-256, in hex, of what teams have; the same whatever keeps them.

    Over JSON without white space: by slug in order, each team's points, tasks by name in order,
    and since when it has had them in UTC, to the microsecond.
    """
    lines = [
        [
            slug,
            total.milli_points,
            sorted(total.tasks.items()),
            total.moved_at.astimezone(UTC).isoformat(timespec="microseconds")
            if total.moved_at is not None
            else None,
        ]
        for slug, total in sorted(totals.items())
    ]
    text = json.dumps(lines, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A team's place. `reached_at` is since when it has had this total."""

    team: str
    rank: int
    milli_points: int
    tasks: Mapping[str, int]
    reached_at: datetime | None


def standings(teams: Sequence[str], totals: Mapping[str, Total]) -> tuple[Standing, ...]:
    """Return every team's standing, best first; a team without a total has nothing.

    Equal totals: who reached theirs first is ahead; entries of zero points never count for that.
    Teams that are still equal share a rank and stay in the order given; the next rank is skipped.
    """
    have = {team: totals.get(team, Total()) for team in teams}
    keys = {team: (-total.milli_points, total.moved_at or _NEVER) for team, total in have.items()}
    order = sorted(teams, key=keys.__getitem__)
    ranked: list[Standing] = []
    for place, team in enumerate(order, start=1):
        tied = ranked and keys[ranked[-1].team] == keys[team]
        ranked.append(
            Standing(
                team=team,
                rank=ranked[-1].rank if tied else place,
                milli_points=-keys[team][0],
                tasks=have[team].tasks,
                reached_at=have[team].moved_at,
            )
        )
    return tuple(ranked)
