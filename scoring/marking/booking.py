"""What marks become in the ledger: a fact that takes the former result back and gives the new."""

from datetime import datetime

from sqlalchemy.orm import Session

from core.ids import ExerciseId, UserId
from scoring.booking import TeamBooks
from scoring.domain.deriving import take
from scoring.domain.ledger import Cause, EntryKind, Fact, Grant, Ruling, granted, reversal_of
from scoring.domain.rules import NO_RULES
from scoring.marking.cases import Case
from scoring.marking.records import MarkingRecord


def book_result(
    session: Session,
    exercise: ExerciseId,
    case: Case,
    marking: MarkingRecord,
    *,
    by: UserId | None,
    at: datetime,
) -> None:
    """Book what a marking gives a team, in a transaction that has taken the team's turn."""
    books = TeamBooks(session, exercise, case.team.id, recorded_at=at)
    grant = Grant(task=case.name, kind=EntryKind.RUBRIC, milli_points=case.points_of(marking))
    ruling = Ruling(reverses=_still_there(books, case), grants=(grant,), reason=marking.reason)
    fact = Fact(Cause.RUBRIC_MARK, marking.id, at, by, case.name, marking.number, ruling=ruling)
    take(fact, books, NO_RULES)


def _still_there(books: TeamBooks, case: Case) -> tuple[str, ...]:
    """Return the key of the former result's entry, unless a correction took it back already."""
    former = case.official
    if former is None or former.decided_at is None:
        return ()
    fact = Fact(Cause.RUBRIC_MARK, former.id, former.decided_at, ruling=Ruling())
    grant = Grant(task=case.name, kind=EntryKind.RUBRIC, milli_points=0)
    entry = granted(case.team.id, 0, grant, fact=fact)
    is_gone = books.is_booked(reversal_of(entry, fact, "").key)
    return () if is_gone else (entry.key,)
