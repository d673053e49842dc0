"""The ledger: what each fact is worth. Facts in, entries out; a total is the sum of entries.

An entry's key says which effect it is, so the same effect cannot be booked twice. Entries are never
changed: one that was wrong is taken back by another.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from core.ids import TeamId, UserId
from scoring.domain.amendments import Decided
from scoring.domain.availability import Rounds
from scoring.errors import NotReversibleError

MILLI = 1000
AT_ONCE = "at-once"
"""The outcome of a hint that is paid for at once, as its author writes it."""


class EntryKind(StrEnum):
    """Why points moved. A reversal is of the kind of the entry that it takes back."""

    SOLVE = "solve"  # a task was done
    PARTIAL = "partial"  # a check of a task gives points alone
    GUARD = "guard"  # what had to be kept was lost
    AVAILABILITY = "availability"  # the share of passed rounds changed
    COST = "cost"  # an inject, a reset, a hint or a wrong answer is paid for
    CORRECTION = "correction"  # people decided otherwise than the rules
    RUBRIC = "rubric"  # assessors marked
    SERVICE = "service"  # a round of attack and defence
    FEED = "feed"  # another system that signs what it sends


class Cause(StrEnum):
    """Which kind of fact an entry follows from; what a fact's columns mean for each.

    | cause | id is of | subject | number | outcome | milli_points |
    | --- | --- | --- | --- | --- | --- |
    | submission | `submissions` | task | attempt | verdict | what a wrong one costs |
    | check_run | `check_runs` | check | round | verdict, `~` before it in maintenance | |
    | hint | `hints_taken` | task | hint | when it is paid | what it costs |
    | inject, reset | `inject_firings`, `resets` | task that pays | | | what it costs |
    | passed | `inject_firings` | inject | occurrence | fired, skipped | |
    | delivery | `deliveries` | task | revision | | |
    | correction | `corrections` | | | | what was decided |
    | the others | their own table | | | | in the ruling |
    """

    SUBMISSION = "submission"
    CHECK_RUN = "check_run"
    INJECT = "inject"
    RESET = "reset"
    HINT = "hint"
    PASSED = "passed"
    DELIVERY = "delivery"
    CORRECTION = "correction"
    RUBRIC_MARK = "rubric_mark"
    SERVICE_ROUND = "service_round"
    FEED = "feed"

    # Enum's own is written in Python, and a replay asks for millions.
    __hash__ = str.__hash__


COSTS = frozenset({Cause.SUBMISSION, Cause.INJECT, Cause.RESET, Cause.HINT})
"""Facts that may cost the task that they name something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Points that a ruling moves, in thousandths; effective with its fact unless `at` says when."""

    task: str
    kind: EntryKind
    milli_points: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What a fact says outright instead of by rules: entries taken back by key, and new ones.

    The team is told the reason.
    """

    reverses: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    reason: str = ""


class Fact(NamedTuple):
    """What happened to a team: which fact, when, and who did it if anybody did; see `Cause`.

    `at` is wall time, `elapsed` the team's clock.
    """

    cause: Cause
    id: str
    at: datetime
    user: UserId | None = None
    subject: str = ""
    number: int = 0
    outcome: str = ""
    elapsed: timedelta = timedelta()
    milli_points: int = 0
    ruling: Ruling | None = None
    decided: Decided | None = None


class Entry(NamedTuple):
    """A movement of points, in thousandths, before it is written down.

    It takes effect `at` some time other than its fact's only by a ruling; `reverses` is the key of
    the entry that it takes back.
    """

    team: TeamId
    task: str
    kind: EntryKind
    milli_points: int
    key: str
    fact: Fact
    at: datetime | None = None
    reverses: str | None = None
    reason: str = ""

    @property
    def effective_at(self) -> datetime:
        """When it takes effect."""
        return self.at or self.fact.at


def solved(team: TeamId, task: str, *, milli_points: int, fact: Fact, given: int = 0) -> Entry:
    """Return the one entry that a solve ever makes: the points but for those `given` before."""
    return Entry(
        team=team,
        task=task,
        kind=EntryKind.SOLVE,
        milli_points=milli_points - given,
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


def granted(team: TeamId, number: int, grant: Grant, *, fact: Fact) -> Entry:
    """Return the entry of a ruling's grant; `number` is its place there."""
    assert fact.ruling is not None  # a grant is of a ruling
    return Entry(
        team=team,
        task=grant.task,
        kind=grant.kind,
        milli_points=grant.milli_points,
        key=f"{fact.cause}:{fact.id}:{team}:{number}",
        fact=fact,
        at=grant.at,
        reason=fact.ruling.reason,
    )


def reversal_of(entry: Entry, fact: Fact, reason: str) -> Entry:
    """Return the entry that takes another one back; an entry is taken back once at most.

    Raises NotReversibleError for one that takes back itself: book what it took again.
    """
    if entry.reverses is not None:
        raise NotReversibleError(
            f"{entry.key} takes another entry back", hint="Book again what it took"
        )
    return Entry(
        team=entry.team,
        task=entry.task,
        kind=entry.kind,
        milli_points=-entry.milli_points,
        key=f"reversal:{entry.key}",
        fact=fact,
        at=None,
        reverses=entry.key,
        reason=reason,
    )


def standing_effects(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return by effect the entries that neither take back another nor were taken back."""
    found: dict[str, Entry] = {}
    for entry in entries:
        if entry.reverses is None:
            found[effect_of(entry.key)] = entry
        else:
            del found[effect_of(entry.reverses)]
    return found


def effect_of(key: str) -> str:
    """Return the effect that an entry's key names: restated ones have a number behind it."""
    return key.partition("~")[0]
