"""Injects of one team: which are due, in which order, and what becomes of one that is late.

Everything is decided from facts: the scenario, the team's clock, what has gone out, been held or
skipped, by how much the rest was shifted, and what scoring has seen. Asking again with the same
facts gives the same answer, so a restart changes nothing. All times are the team's own clock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from core.scenario.schema import Scenario
from core.scenario.schema_injects import Expect, Inject, When

LATE_FROM = timedelta(seconds=60)
"""What goes out within this of its time is on time: a sweep and a busy worker take some of it."""


class FiringState(StrEnum):
    """Where one occurrence of an inject of a team is; before any of these it is only planned."""

    HELD = "held"  # somebody keeps it back
    UNDECIDED = "undecided"  # it came too late: somebody decides
    FIRING = "firing"  # its time was claimed; what it does outside is under way
    FIRED = "fired"
    SKIPPED = "skipped"
    FAILED = "failed"  # what it does outside went wrong, or nobody knows how it went


PASSED = frozenset({FiringState.FIRED, FiringState.SKIPPED})
"""What others that come after it, or open with it, need not wait for any more."""

_UNSETTLED = frozenset({FiringState.HELD, FiringState.UNDECIDED, FiringState.FIRING})

FIRING_MOVES: Mapping[FiringState | None, frozenset[FiringState]] = MappingProxyType(
    {
        None: frozenset(FiringState),
        FiringState.HELD: frozenset({FiringState.FIRING, FiringState.FIRED, FiringState.SKIPPED}),
        FiringState.UNDECIDED: frozenset(
            {FiringState.FIRING, FiringState.FIRED, FiringState.SKIPPED}
        ),
        FiringState.FIRING: frozenset({FiringState.FIRED, FiringState.FAILED}),
        FiringState.FAILED: frozenset({FiringState.FIRING, FiringState.FIRED, FiringState.SKIPPED}),
        FiringState.FIRED: frozenset(),
        FiringState.SKIPPED: frozenset(),
    }
)


class Choice(StrEnum):
    """What becomes of an inject whose time has come."""

    FIRE = "fire"
    SKIP = "skip"
    ASK = "ask"


class Expectation(StrEnum):
    """Whether a team did what an inject expects of it."""

    OPEN = "open"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """An occurrence that something became of; occurrences count from 1.

    `at` is when it went out or was skipped.
    """

    inject: str
    occurrence: int
    state: FiringState
    at: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """At some time, everything that had not gone out yet was moved by so much."""

    at: timedelta
    by: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Since when a check has passed without a break, and when it was last seen to."""

    since: timedelta
    seen: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What scoring has seen of a team: checks that pass now, and when tasks were solved."""

    passing: Mapping[str, Passing] = field(default_factory=dict)
    solved: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """All facts about the injects of a team at one moment."""

    scenario: Scenario
    elapsed: timedelta
    firings: Sequence[Firing] = ()
    shifts: Sequence[Shift] = ()
    observed: Observed = field(default_factory=Observed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """An occurrence whose time has come: since when, and what is to be done about it."""

    inject: str
    occurrence: int
    at: timedelta
    choice: Choice


def due(situation: Situation) -> tuple[Due, ...]:
    """Return what is due, in the order in which it goes out: by time, then as in the file."""
    return tuple(sorted(_due(situation), key=lambda found: found.at))


def _due(situation: Situation) -> Iterator[Due]:
    for name, inject in situation.scenario.injects.items():
        planned = next_time(situation, name)
        if planned is None or planned[1] > situation.elapsed:
            continue
        occurrence, at = planned
        choice = _choice(situation, inject, occurrence, at)
        yield Due(inject=name, occurrence=occurrence, at=at, choice=choice)


def next_time(situation: Situation, name: str) -> tuple[int, timedelta] | None:
    """Return an inject's next occurrence and its time, as far as the facts tell it.

    `None` when there is none, or when somebody or something decides on it first.
    """
    inject = situation.scenario.injects[name]
    occurrence = next_occurrence(situation.firings, name, inject)
    first = _first_time(situation, inject)
    if occurrence is None or first is None:
        return None
    if inject.every is None:
        return occurrence, first
    # Those that were missed are passed over: a repetition goes on, it does not catch up.
    current = (situation.elapsed - first) // inject.every + 1
    if inject.until is not None:
        until = inject.until + _shifted(situation)
        current = min(current, (until - first) // inject.every + 1)
        if first + (occurrence - 1) * inject.every > until:
            return None
    occurrence = max(occurrence, current)
    return occurrence, first + (occurrence - 1) * inject.every


def next_occurrence(firings: Sequence[Firing], name: str, inject: Inject) -> int | None:
    """Return the occurrence that nothing has become of yet; `None` when there is none to come.

    A repetition never overlaps itself: the next one waits until the last is settled.
    """
    last = latest(firings, name)
    if last is None:
        return 1
    if inject.every is None or last.state in _UNSETTLED:
        return None
    return last.occurrence + 1


def latest(firings: Sequence[Firing], name: str) -> Firing | None:
    """Return the last occurrence of an inject that something became of."""
    mine = (firing for firing in firings if firing.inject == name)
    return max(mine, key=lambda firing: firing.occurrence, default=None)


def _first_time(situation: Situation, inject: Inject) -> timedelta | None:
    if inject.at is not None:
        return inject.at + _shifted(situation)
    if inject.after is not None:
        before = _passed(situation.firings, inject.after)
        if before is None:
            return None
        return before + (inject.wait or timedelta()) + _shifted(situation, since=before)
    if inject.when is not None:
        at = _condition(situation, inject.when)
        before_what = inject.when.before
        is_in_time = before_what is None or (at or timedelta()) < before_what + _shifted(situation)
        return at if is_in_time else None
    return None


def _condition(situation: Situation, when: When) -> timedelta | None:
    """Return since when a condition has been true; `None` while it is not."""
    if when.check is not None:
        passing = situation.observed.passing.get(when.check)
        if passing is None:
            return None
        hold = situation.scenario.checks[when.check].hold
        at = passing.since + hold + (when.passing or timedelta())
        return at if passing.seen >= at else None
    solved = situation.observed.solved.get(when.task or "")
    if when.open_at is None:
        return solved
    return when.open_at + _shifted(situation) if solved is None else None


def _passed(firings: Sequence[Firing], name: str) -> timedelta | None:
    first = (f for f in firings if f.inject == name and f.occurrence == 1 and f.state in PASSED)
    return next((firing.at for firing in first), None)


def _shifted(situation: Situation, *, since: timedelta | None = None) -> timedelta:
    shifts = (s.by for s in situation.shifts if since is None or s.at >= since)
    return sum(shifts, timedelta())


def _choice(situation: Situation, inject: Inject, occurrence: int, at: timedelta) -> Choice:
    # What was shifted into the past is late from the moment of the shift on.
    wanted = max([at, *(shift.at for shift in situation.shifts)])
    patience = LATE_FROM
    if inject.when is not None and inject.when.check is not None:
        # A condition is seen with the check's next round, not when it comes true.
        patience += situation.scenario.checks[inject.when.check].every
    if situation.elapsed - wanted <= patience:
        return Choice.FIRE
    if inject.late is not None:
        return Choice(inject.late)
    if occurrence > 1:
        return Choice.SKIP  # the next repetition comes by itself
    return Choice.FIRE if inject.message is not None and not inject.reaches_out else Choice.ASK


def expectation(
    expect: Expect,
    fired: timedelta,
    now: timedelta,
    *,
    solved: Mapping[str, timedelta],
    replied: timedelta | None,
) -> Expectation:
    """Tell whether what an inject expected when it went out at `fired` has come about in time.

    `replied` is when the team's first reply came.
    """
    done = replied if expect.reply is not None else solved.get(expect.task or "")
    deadline = fired + expect.within
    if done is not None and done <= deadline:
        return Expectation.MET
    return Expectation.MISSED if now > deadline else Expectation.OPEN
