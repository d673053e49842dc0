"""Cases, places and results as views: no more in them than whoever reads may know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.injects.records import StoredMessage
from scoring.domain.ledger import MILLI
from scoring.domain.marking import WHOLE, MarkingState, Place
from scoring.marking.cases import Case
from scoring.marking.records import MarkingRecord, Sheet, SheetKind
from scoring.marking.views import (
    CaseLine,
    CriterionView,
    MarkView,
    PlaceView,
    ReplyView,
    TeamResult,
)
from scoring.team_scenario import TeamScenario
from scoring.uploads.views import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A case, and what belongs to it."""

    case: Case
    scenario: TeamScenario
    names: Mapping[str, str]
    deliveries: tuple[Delivery, ...]
    messages: Mapping[str, StoredMessage]


def line_of(exercise: Exercise, case: Case, title: str, user: User) -> CaseLine:
    """Return a case as a line of a list."""
    mine = next((sheet for sheet in case.assessors if sheet.user == user.id), None)
    whole = [s for s in case.assessors if case.scheme.criteria.keys() <= s.levels.keys()]
    return CaseLine(
        exercise=exercise.name,
        task=case.name,
        title=title,
        team=case.team.slug,
        team_name=case.team.name,
        state=case.state,
        number=case.current.number if case.current is not None else 1,
        handed_in=len(whole),
        assessors=case.rubric.assessors,
        seats=len(case.assessors),
        mine=mine is not None,
        is_done=mine is not None and mine in whole,
        milli_points=case.milli_points,
        of_milli_points=case.task.points * MILLI,
    )


_NOT_MARKED = {
    MarkingState.WAITING: "the team may still hand in or reply",
    MarkingState.NOTHING: "the team was asked for nothing of it",
    MarkingState.DECIDED: "it has its result",
    MarkingState.TO_MODERATE: "assessors are apart: a third person, an instructor, decides",
}


def may(case: Case, user: User, *, is_assessor: bool) -> tuple[str, str]:
    """Return whether somebody may `mark` or `moderate` a case, or nothing and why not."""
    current = case.current
    has_seat = current is not None and current.sheet_of(user.id) is not None
    if case.is_of_team(user.id):
        return "", "you are a member of this team"
    if case.state is MarkingState.TO_MODERATE and user.runs_exercises and not has_seat:
        return "moderate", ""
    if case.state is not MarkingState.TO_MARK:
        return "", _NOT_MARKED[case.state]
    if not is_assessor:
        return "", "you do not mark in this exercise; an instructor appoints assessors"
    if not has_seat and len(case.assessors) >= case.rubric.assessors:
        return "", f"{len(case.assessors)} assessors mark it already"
    return "mark", ""


def place_of(seen: Seen, place: Place, user: User) -> PlaceView:
    """Return a place with what the team did there and what may be seen of its marks."""
    case = seen.case
    own = case.current.sheet_of(user.id) if case.current is not None else None
    message = seen.messages.get(place.name)
    injects = seen.scenario.texts.injects
    title = injects[place.name].title or place.name if place.name != WHOLE else ""
    return PlaceView(
        place=place.name,
        title=seen.scenario.shown(title),
        asked=message.letter.text if message is not None else "",
        is_settled=place.is_settled,
        is_handed_in=own is not None and set(place.criteria) <= own.levels.keys(),
        deliveries=seen.deliveries if place.name == WHOLE else (),
        replies=_replies(seen, message) if message is not None else (),
        criteria=tuple(_criterion(seen, name, own) for name in place.criteria),
    )


def _replies(seen: Seen, message: StoredMessage) -> tuple[ReplyView, ...]:
    expect = seen.scenario.scenario.injects[message.inject].expect
    within = expect.within if expect is not None else timedelta()
    return tuple(
        ReplyView(
            name=reply.name if seen.case.all_in else "",
            text=reply.text,
            elapsed=reply.elapsed,
            is_late=reply.elapsed > message.fired + within,
        )
        for reply in message.replies
    )


def _criterion(seen: Seen, name: str, own: Sheet | None) -> CriterionView:
    case = seen.case
    mark = own.marks.get(name) if own is not None else None
    mine = (
        MarkView(who="", level=mark.level, reason=mark.reason, is_draft=mark.handed_in is None)
        if mark is not None
        else None
    )
    current = case.current
    open_sheets = current.sheets if current is not None and case.all_in else ()
    given = tuple(
        MarkView(who=seen.names[sheet.user], level=mark.level, reason=mark.reason)
        for sheet in open_sheets
        if sheet is not own and sheet.kind is not SheetKind.TEAM
        for mark in [sheet.marks[name]]
    )
    shown = _words(seen.scenario, case, name)
    team = case.own.levels.get(name) if case.own is not None and case.all_in else None
    return CriterionView(
        criterion=name,
        title=shown[0],
        weight=case.rubric.criteria[name].weight,
        levels=shown[1],
        mine=mine,
        given=given,
        team=team,
    )


def _words(
    scenario: TeamScenario, case: Case, name: str
) -> tuple[str, tuple[tuple[int, str], ...]]:
    """Return what people call a criterion, and its levels, in the reader's language."""
    criterion = scenario.texts.rubrics[case.task.rubric].criteria[name]
    levels = sorted((level, scenario.shown(text)) for level, text in criterion.levels.items())
    return scenario.shown(criterion.title or name), tuple(levels)


def result_of(case: Case, scenario: TeamScenario, *, released: bool) -> TeamResult:
    """Return a case as the team itself may see it."""
    official = case.official
    decisive = official.decisive if official is not None and released else ()
    own = case.own.levels if case.own is not None else {}
    met = [criterion for place in case.places for criterion in place.criteria]
    criteria = []
    for name in met:
        title, levels = _words(scenario, case, name)
        given = tuple(
            MarkView(who=_told(official, sheet), level=mark.level, reason=mark.reason)
            for sheet in decisive
            if (mark := sheet.marks.get(name)) is not None
        )
        weight = case.rubric.criteria[name].weight
        criteria.append(
            CriterionView(
                criterion=name,
                title=title,
                weight=weight,
                levels=levels,
                given=given,
                team=own.get(name),
            )
        )
    return TeamResult(
        task=case.name,
        milli_points=case.milli_points,
        of_milli_points=case.task.points * MILLI,
        decided_at=official.decided_at if official is not None else None,
        moderated=official is not None and official.moderated,
        released=released,
        reason=official.reason if official is not None else "",
        criteria=tuple(criteria),
    )


def _told(official: MarkingRecord | None, sheet: Sheet) -> str:
    assert official is not None  # it has sheets
    return "moderator" if official.moderated else f"assessor {sheet.seat}"
