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
    PARTIAL = "partial"
    GUARD = "guard"
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


def solved(team: TeamId, task: str, *, points: int, fact: Fact, given: int = 0) -> Entry:
    """Return the one entry that a solve ever makes: the points but for `given` thousandths."""
    return Entry(
        team=team,
        task=task,
        kind=EntryKind.SOLVE,
        milli_points=points * MILLI - given,
        key=f"solve:{team}:{task}",
        fact=fact,
    )


def partly_done(team: TeamId, task: str, check: str, *, points: int, fact: Fact) -> Entry:
    """Return the one entry that a check of a task ever makes alone."""
    return Entry(
        team=team,
        task=task,
        kind=EntryKind.PARTIAL,
        milli_points=points * MILLI,
        key=f"partial:{team}:{task}:{check}",
        fact=fact,
    )


def lost(team: TeamId, task: str, *, points: int, fact: Fact) -> Entry:
    """Return the one entry that a guard ever makes; its points are below zero."""
    return Entry(
        team=team,
        task=task,
        kind=EntryKind.GUARD,
        milli_points=points * MILLI,
        key=f"guard:{team}:{task}",
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


def charged(
    team: TeamId, task: str, *, cost: int, has: int, fact: Fact, paid: int = 0
) -> tuple[Entry, ...]:
    """Return the entry that takes the rest of a `cost` of which `paid` was taken before.

    All in thousandths, and never more than the task has: nothing when it has nothing.
    """
    taken = min(cost - paid, has)
    if taken <= 0:
        return ()
    return (
        Entry(
            team=team,
            task=task,
            kind=EntryKind.COST,
            milli_points=-taken,
            key=f"cost:{fact.id}:{task}" + (f":{paid}" if paid else ""),
            fact=fact,
        ),
    )
