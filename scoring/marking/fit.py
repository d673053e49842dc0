"""Whether marks fit: the rubric they are of, what is settled, and what was handed in before."""

from collections.abc import Mapping
from dataclasses import dataclass

from scoring.domain.marking import Place
from scoring.marking.cases import Case
from scoring.marking.errors import MarkHandedInError, MarkingNotNowError, MarkInvalidError
from scoring.marking.records import Sheet

MAX_REASON = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A level for a criterion, and why."""

    level: int
    reason: str = ""


Marks = Mapping[str, Given]
"""Criterion → what somebody gives."""


def settled_place(case: Case, name: str) -> Place:
    """Return a place that may be marked; raises MarkInvalidError, MarkingNotNowError."""
    found = next((place for place in case.places if place.name == name), None)
    if found is None:
        raise MarkInvalidError(f"{case.name} has no place {name!r} to mark", hint="Reload the page")
    if not found.is_settled:
        raise MarkingNotNowError(
            "the team may still hand in or reply", hint="Mark it when its time is over"
        )
    return found


def require_fit(case: Case, criteria: tuple[str, ...], marks: Marks, *, whole: bool) -> None:
    """Raise MarkInvalidError unless marks are of these criteria, with levels of the rubric.

    `whole` wants every criterion, and a reason for each.
    """
    for criterion, given in marks.items():
        if criterion not in criteria:
            raise MarkInvalidError(f"{criterion[:50]!r} is not marked here", hint="Reload the page")
        levels = case.rubric.criteria[criterion].levels
        if given.level not in levels:
            raise MarkInvalidError(
                f"{criterion} has no level {given.level}",
                hint=f"It has {', '.join(map(str, sorted(levels)))}",
            )
        if len(given.reason) > MAX_REASON or "\0" in given.reason:
            raise MarkInvalidError(
                f"a reason is text of {MAX_REASON} characters at most", hint="Shorten it"
            )
    lacking = [c for c in criteria if c not in marks or not marks[c].reason.strip()]
    if whole and lacking:
        names = ", ".join(case.rubric.criteria[c].title or c for c in lacking)
        raise MarkInvalidError(
            f"a level or a reason is missing: {names}", hint="Each mark has both; teams read them"
        )


def is_repeated(sheet: Sheet, marks: Marks) -> bool:
    """Tell whether all of this was handed in before, as it is."""
    return bool(marks) and all(
        (mark := sheet.marks.get(criterion)) is not None
        and mark.handed_in is not None
        and (mark.level, mark.reason) == (given.level, given.reason.strip())
        for criterion, given in marks.items()
    )


def require_drafts(sheet: Sheet, marks: Marks) -> None:
    """Raise MarkHandedInError when one of these was handed in before."""
    done = [criterion for criterion in marks if criterion in sheet.levels]
    if done:
        raise MarkHandedInError(
            f"your marks for {', '.join(done)} are handed in",
            hint="An instructor may have it marked again",
        )
