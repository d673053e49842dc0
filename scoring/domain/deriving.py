"""What follows from a fact: the only way in which points move, now and in a replay."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from core.scenario.schema_tasks import ChecksTask, Task
from scoring.domain.amending import Amendments
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.books import Books
from scoring.domain.guards import is_lost
from scoring.domain.lateness import gives, left
from scoring.domain.ledger import (
    AT_ONCE,
    MILLI,
    Cause,
    Fact,
    availability_moved,
    charged,
    granted,
    lost,
    partly_done,
    reversal_of,
    solved,
)
from scoring.domain.restating import restate
from scoring.domain.rules import Rules
from scoring.domain.timing import Times, is_timed, times_of
from scoring.errors import NotReversibleError


def take(fact: Fact, books: Books, rules: Rules) -> bool:
    """Put a fact into a team's books and book what follows; return whether it was new to them."""
    if not books.remember(fact):
        return False
    if books.corrections():
        restate(fact, books, rules, _follow)
    else:
        _follow(fact, books, rules)
    return True


def _follow(fact: Fact, books: Books, rules: Rules) -> None:
    follows = _FOLLOWS.get(fact.cause)
    if follows is not None:
        follows(fact, books, rules)


def worth(books: Books, rules: Rules, name: str, elapsed: timedelta) -> int:
    """Return what a solve gives a team, in thousandths: what it gave, or would give at a time."""
    if books.is_solved(name):
        return books.sum_of(name)
    amendments = Amendments.of(books.corrections())
    if name in amendments.voided:
        return 0
    task = amendments.rules(rules).tasks[name]
    given = gives(task, _times(books, task), elapsed)
    costs = sum(cost.milli_points for cost in books.costs(name))
    return left(given, costs=costs, has=books.sum_of(name)) if costs else given


def _answered(fact: Fact, books: Books, rules: Rules) -> None:
    if fact.outcome == AnswerVerdict.CORRECT and not books.is_solved(fact.subject):
        task = rules.tasks[fact.subject]
        _solve(fact, books, fact.subject, gives(task, _times(books, task), fact.elapsed))


def _looked(fact: Fact, books: Books, rules: Rules) -> None:
    check = fact.subject
    before = books.check(check)
    after = before.after(fact.number, fact.elapsed, fact.outcome)
    if after is before:
        return
    books.keep_check(check, after)
    moved = rules.checks[check]
    for name, kept_up in moved.availability.items():
        for entry in availability_moved(
            books.team,
            name,
            points=kept_up.points,
            before=before.rounds,
            after=after.rounds,
            fact=fact,
        ):
            books.book(entry)
    if is_lost(after):
        for name, guarded in moved.guards.items():
            entry = lost(books.team, name, points=guarded.points, fact=fact)
            if not books.is_booked(entry.key):
                books.book(entry)
    for name, checked in moved.checked.items():
        _held(fact, books, rules, name, checked)


def _held(fact: Fact, books: Books, rules: Rules, name: str, task: ChecksTask) -> None:
    if books.is_solved(name):
        return
    held = [c for c in task.checks if books.check(c).has_held(rules.checks[c].hold)]
    times = _times(books, task)
    if not held or not times.is_open or times.is_over(fact.elapsed):
        return
    for check in held:
        if check in task.partial:
            points = task.partial[check]
            entry = partly_done(books.team, name, check, points=points, fact=fact)
            if not books.is_booked(entry.key):
                books.book(entry)
                _settle(fact, books, name)
    if len(held) == len(task.checks):
        given = books.given_in_part(name)
        _solve(fact, books, name, task.points * MILLI, given=given)


def _times(books: Books, task: Task) -> Times:
    return times_of(task, books.passed()) if is_timed(task) else Times()


def _solve(fact: Fact, books: Books, task: str, milli_points: int, *, given: int = 0) -> None:
    books.solve(task, fact)
    books.book(solved(books.team, task, milli_points=milli_points, given=given, fact=fact))
    _settle(fact, books, task)


def _settle(fact: Fact, books: Books, task: str) -> None:
    """Book, with points that a task gives, what all facts so far cost it.

    What it has too little for is taken from what it gives later.
    """
    for cost in books.costs(task):
        _charge(books, cost._replace(at=fact.at))


def _charge(books: Books, cost: Fact) -> None:
    _pay(books, cost, has=books.sum_of(cost.subject))


def _pay(books: Books, cost: Fact, *, has: int) -> None:
    paid = books.paid(cost.subject, cost.id)
    for entry in charged(
        books.team, cost.subject, cost=cost.milli_points, has=has, paid=paid, fact=cost
    ):
        books.book(entry)


def _cost_came(fact: Fact, books: Books, _rules: Rules) -> None:
    _charge(books, fact)


def _hint_taken(fact: Fact, books: Books, _rules: Rules) -> None:
    """Take the cost of a hint that is paid at once from all that the team has.

    Any other is paid for when its task next gives points, as is what the team has too little for.
    """
    if fact.outcome == AT_ONCE:
        _pay(books, fact, has=books.total())


def _ruled(fact: Fact, books: Books, _rules: Rules) -> None:
    assert fact.ruling is not None  # facts of these causes say outright what they move
    for key in fact.ruling.reverses:
        reversal = reversal_of(books.entry(key), fact, fact.ruling.reason)
        if books.is_booked(reversal.key):
            raise NotReversibleError(
                f"{key} is taken back already", hint="Look at the ledger as it is now"
            )
        books.book(reversal)
    for number, grant in enumerate(fact.ruling.grants):
        books.book(granted(books.team, number, grant, fact=fact))


def _handed_in(fact: Fact, books: Books, _rules: Rules) -> None:
    # The file is what the team does; its points come when it is marked.
    if not books.is_solved(fact.subject):
        books.solve(fact.subject, fact)


# What has passed only opens tasks.
_FOLLOWS: Mapping[Cause, Callable[[Fact, Books, Rules], None]] = MappingProxyType(
    {
        Cause.SUBMISSION: _answered,
        Cause.CHECK_RUN: _looked,
        Cause.INJECT: _cost_came,
        Cause.RESET: _cost_came,
        Cause.HINT: _hint_taken,
        Cause.DELIVERY: _handed_in,
        Cause.CORRECTION: _ruled,
        Cause.RUBRIC_MARK: _ruled,
        Cause.SERVICE_ROUND: _ruled,
        Cause.FEED: _ruled,
    }
)
