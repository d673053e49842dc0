"""The ledger: what each fact is worth. Facts in, entries out; a total is the sum of entries.

An entry's key says which effect it is, so the same effect cannot be booked twice.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.ids import TeamId, UserId
from scoring.domain.availability import Rounds

MILLI = 1000


class EntryKind(StrEnum):
    """Why points moved."""

    SOLVE = "solve"
    AVAILABILITY = "availability"
    COST = "cost"


class Cause(StrEnum):
    """Which kind of fact an entry follows from."""

    SUBMISSION = "submission"
    CHECK_RUN = "check_run"
    INJECT = "inject"
    RESET = "reset"
    HINT = "hint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """The proof of an entry: which fact, when it happened, and who did it if anybody did."""

    cause: Cause
    id: str
    at: datetime
    user: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A movement of points, in thousandths, before it is written down."""

    team: TeamId
    task: str
    kind: EntryKind
    milli_points: int
    key: str
    fact: Fact


def solved(team: TeamId, task: str, *, points: int, fact: Fact) -> Entry:
    """Return the one entry that a solve ever makes."""
    return Entry(
        team=team,
        task=task,
        kind=EntryKind.SOLVE,
        milli_points=points * MILLI,
        key=f"solve:{team}:{task}",
        fact=fact,
    )


def availability_moved(
    team: TeamId, task: str, *, points: int, before: Rounds, after: Rounds, fact: Fact
) -> tuple[Entry, ...]:
    """Return the entry that brings the task from its former share to the new one.

    Nothing when they are worth the same. The entries of a task always add up to
    `after.worth(points)`, so a total is a plain sum at any time.
    """
    moved = after.worth(points * MILLI) - before.worth(points * MILLI)
    if not moved:
        return ()
    # The count of scored rounds grows by one each time and never comes back.
    key = f"availability:{team}:{task}:{after.scored}"
    return (
        Entry(
            team=team,
            task=task,
            kind=EntryKind.AVAILABILITY,
            milli_points=moved,
            key=key,
            fact=fact,
        ),
    )


def charged(team: TeamId, task: str, *, cost: int, has: int, fact: Fact) -> tuple[Entry, ...]:
    """Return the entry that takes `cost` from a task, both in thousandths.

    Never more than the task has: nothing when it has nothing.
    """
    taken = min(cost, has)
    if taken <= 0:
        return ()
    return (
        Entry(
            team=team,
            task=task,
            kind=EntryKind.COST,
            milli_points=-taken,
            key=f"cost:{fact.id}:{task}",
            fact=fact,
        ),
    )
