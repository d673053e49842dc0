"""What there is to mark of a team's task, when it may be marked, and how far that has come."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from core.scenario.rubric_references import marked_at_injects
from core.scenario.schema import Scenario
from core.scenario.schema_tasks import RubricTask
from orchestrator.domain.injects import Firing, FiringState
from scoring.domain.rubric import Levels, Scheme
from scoring.domain.timing import times_of

WHOLE = ""
"""The place of what is marked at the task itself, and not at an inject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where some criteria of a task are marked: at an inject, or at the task itself (WHOLE).

    `is_settled` once nothing more that counts can come from the team: only then it is marked.
    """

    name: str
    criteria: tuple[str, ...]
    is_settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a team is looked at: its clock, whether it has ended, and its hour for files, too."""

    elapsed: timedelta
    ended: bool
    no_more_files: bool


class MarkingState(StrEnum):
    """How far the marking of a team's task has come."""

    WAITING = "waiting"  # nothing of it is settled yet
    TO_MARK = "to_mark"
    TO_MODERATE = "to_moderate"
    DECIDED = "decided"
    NOTHING = "nothing_to_mark"  # the team was never asked for any of it


def places_of(
    scenario: Scenario, name: str, firings: Iterable[Firing], moment: Moment
) -> tuple[Place, ...]:
    """Return where the criteria of a rubric's task are marked, as far as the team met them.

    What an inject would have asked for that was skipped, or that never went out by the end, is
    left out: it counts on neither side.
    """
    task = scenario.tasks[name]
    assert isinstance(task, RubricTask)
    told = list(firings)
    first = {firing.inject: firing for firing in told if firing.occurrence == 1}
    at_injects = {
        inject: criterion
        for inject, (rubric, criterion) in marked_at_injects(scenario).items()
        if rubric == task.rubric
    }
    places = []
    rest = [c for c in scenario.rubrics[task.rubric].criteria if c not in at_injects.values()]
    times = times_of(task, told)
    if rest and (times.is_open or not moment.ended):
        over = times.is_over(moment.elapsed) or moment.no_more_files
        settled = times.is_open and (over or task.submit is None)
        places.append(Place(name=WHOLE, criteria=tuple(rest), is_settled=settled))
    for inject, criterion in at_injects.items():
        place = _at_inject(scenario, inject, criterion, first.get(inject), moment)
        places += [place] if place is not None else []
    return tuple(places)


def _at_inject(
    scenario: Scenario, inject: str, criterion: str, firing: Firing | None, moment: Moment
) -> Place | None:
    if firing is not None and firing.state is FiringState.SKIPPED:
        return None
    if firing is None or firing.state is not FiringState.FIRED or firing.at is None:
        is_lost = moment.ended
        return None if is_lost else Place(name=inject, criteria=(criterion,), is_settled=False)
    expect = scenario.injects[inject].expect
    assert expect is not None  # it has a criterion of it marked
    over = moment.ended or moment.elapsed > firing.at + expect.within
    return Place(name=inject, criteria=(criterion,), is_settled=over)


def state_of(
    places: Sequence[Place], scheme: Scheme, handed_in: Collection[Levels], *, decided: bool
) -> MarkingState:
    """Return how far a marking has come; `handed_in` are the levels that each assessor handed in.

    A moderator is needed only once every assessor has handed in every criterion.
    """
    if decided:
        return MarkingState.DECIDED
    if not places:
        return MarkingState.NOTHING
    if not any(place.is_settled for place in places):
        return MarkingState.WAITING
    if not all_in(scheme, handed_in):
        return MarkingState.TO_MARK
    return MarkingState.TO_MODERATE


def all_in(scheme: Scheme, handed_in: Collection[Levels]) -> bool:
    """Tell whether as many as a rubric asks for have marked every criterion that counts."""
    whole = [levels for levels in handed_in if scheme.criteria.keys() <= levels.keys()]
    return len(whole) >= scheme.assessors
