"""Marks as clients see them."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.v1.points import points
from scoring.domain.marking import MarkingState
from scoring.marking.views import CaseLine, CaseView, CriterionView, MarkView, PlaceView, TeamResult


class MarkOut(BaseModel):
    """A level that somebody gave, and why; a draft is not handed in."""

    who: str = Field(examples=["anna"])
    level: int = Field(examples=[2])
    reason: str
    draft: bool = False


class LevelOut(BaseModel):
    """A level, and what it means."""

    level: int = Field(examples=[2])
    text: str = Field(examples=["correct"])


class CriterionOut(BaseModel):
    """A criterion of a rubric. `team` is what the team gives itself; `given` is of others."""

    criterion: str = Field(examples=["timeline"])
    title: str = Field(examples=["Timeline"])
    weight: int = Field(examples=[3])
    levels: list[LevelOut]
    mine: MarkOut | None = None
    given: list[MarkOut] = []
    team: int | None = None


class FileOut(BaseModel):
    """A file that the team handed in; the first of a list counts."""

    id: str = Field(examples=["7k2m9x4c1q0a"])
    revision: int = Field(examples=[2])
    name: str = Field(examples=["report-2.pdf"])
    media_type: str = Field(examples=["application/pdf"])
    size: int = Field(examples=[48_213])
    elapsed_seconds: float = Field(examples=[5423])


class ReplyOut(BaseModel):
    """What the team replied; `name` is empty as long as it is marked blind."""

    name: str
    text: str
    elapsed_seconds: float
    late: bool


class PlaceOut(BaseModel):
    """Where criteria are marked: an inject, or the task itself when `place` is empty."""

    place: str = Field(examples=["press_call"])
    title: str
    asked: str
    settled: bool = Field(description="Whether it may be marked: nothing more can come.")
    handed_in: bool
    files: list[FileOut]
    replies: list[ReplyOut]
    criteria: list[CriterionOut]


class CaseLineOut(BaseModel):
    """A team's task that assessors mark, and how far that has come."""

    exercise: str = Field(examples=["border-week-k3f"])
    task: str = Field(examples=["note_verbale"])
    title: str
    team: str = Field(examples=["team-1"])
    state: MarkingState
    number: int = Field(description="Which marking it is; 2 when it is marked again.")
    handed_in: int = Field(description="Assessors who are done.")
    assessors: int = Field(description="How many mark it.")
    mine: bool = Field(description="Whether the caller is one of them.")
    done: bool = Field(description="Whether the caller has handed everything in.")
    points: float | None = Field(examples=[17.5])
    of_points: float = Field(examples=[20])


class CaseOut(CaseLineOut):
    """A team's task before who marks it.

    `may` is mark, moderate, or empty, and then `because` says why. Shares go from 0 to 1.
    """

    ask: str
    places: list[PlaceOut]
    may: str = Field(examples=["mark"])
    because: str
    difference: float | None = Field(description="Between assessors, once all are in.")
    apart: float | None = Field(description="Above this difference a third person decides.")
    moderated: bool
    reason: str = Field(description="Why it is marked again.")


class TeamResultOut(BaseModel):
    """What a team was given; `criteria` say by whom, which level and why once it is released."""

    task: str = Field(examples=["note_verbale"])
    points: float | None = Field(examples=[17.5])
    of_points: float = Field(examples=[20])
    decided_at: datetime | None
    moderated: bool
    released: bool
    reason: str
    criteria: list[CriterionOut]


def line_out(line: CaseLine) -> CaseLineOut:
    """Return a line of a list."""
    return CaseLineOut(
        exercise=line.exercise,
        task=line.task,
        title=line.title,
        team=line.team,
        state=line.state,
        number=line.number,
        handed_in=line.handed_in,
        assessors=line.assessors,
        mine=line.mine,
        done=line.is_done,
        points=None if line.milli_points is None else points(line.milli_points),
        of_points=points(line.of_milli_points),
    )


def case_out(case: CaseView) -> CaseOut:
    """Return a case."""
    return CaseOut(
        **line_out(case.line).model_dump(),
        ask=case.ask,
        places=[_place_out(place) for place in case.places],
        may=case.may,
        because=case.because,
        difference=None if case.difference is None else float(case.difference),
        apart=None if case.apart is None else float(case.apart),
        moderated=case.moderated,
        reason=case.reason,
    )


def result_out(result: TeamResult) -> TeamResultOut:
    """Return a team's result."""
    return TeamResultOut(
        task=result.task,
        points=None if result.milli_points is None else points(result.milli_points),
        of_points=points(result.of_milli_points),
        decided_at=result.decided_at,
        moderated=result.moderated,
        released=result.released,
        reason=result.reason,
        criteria=[_criterion_out(criterion) for criterion in result.criteria],
    )


def _place_out(place: PlaceView) -> PlaceOut:
    return PlaceOut(
        place=place.place,
        title=place.title,
        asked=place.asked,
        settled=place.is_settled,
        handed_in=place.is_handed_in,
        files=[
            FileOut(
                id=d.id,
                revision=d.revision,
                name=d.kept_name,
                media_type=d.media_type,
                size=d.size,
                elapsed_seconds=d.elapsed.total_seconds(),
            )
            for d in place.deliveries
        ],
        replies=[
            ReplyOut(
                name=r.name,
                text=r.text,
                elapsed_seconds=r.elapsed.total_seconds(),
                late=r.is_late,
            )
            for r in place.replies
        ],
        criteria=[_criterion_out(criterion) for criterion in place.criteria],
    )


def _criterion_out(criterion: CriterionView) -> CriterionOut:
    return CriterionOut(
        criterion=criterion.criterion,
        title=criterion.title,
        weight=criterion.weight,
        levels=[LevelOut(level=level, text=text) for level, text in criterion.levels],
        mine=None if criterion.mine is None else _mark_out(criterion.mine),
        given=[_mark_out(mark) for mark in criterion.given],
        team=criterion.team,
    )


def _mark_out(mark: MarkView) -> MarkOut:
    return MarkOut(who=mark.who, level=mark.level, reason=mark.reason, draft=mark.is_draft)
