"""After-action reports, timelines, signals, stuck teams, improvement plans and surveys."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Caller, Instructor, Observer, ServicesHere, Trainee
from api.idempotency import RememberingRoute
from api.report_answers import document
from api.reports import ReportForm, handout_text, report_text
from api.responses import RESPONSES
from api.teams import team_for
from api.v1.exercises import ExerciseHere, LanguageHere, document_key
from scoring.exports.report_json import moment_data, plain
from scoring.improving import MOST_OWNER, MOST_WORDS, Wording
from scoring.records.report import Action
from scoring.records.survey import MOST_TEXT

router = APIRouter(tags=["reports"], responses=RESPONSES)
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])

TeamAsked = Annotated[str, Query(max_length=64, description="Of one team, such as team-1.")]
LineId = Annotated[str, Path(max_length=12, examples=["7k2m9x4c1q0a"])]


class ImprovementIn(BaseModel):
    """A line of the improvement plan; without a team it concerns all."""

    model_config = ConfigDict(extra="forbid")
    area: str = Field(max_length=MOST_WORDS, examples=["Nobody looked at the web server's log."])
    action: str = Field(max_length=MOST_WORDS, examples=["Half a day of training on logs."])
    owner: str = Field(default="", max_length=MOST_OWNER, examples=["Head of IT"])
    due: date | None = None
    done: bool = False
    team: str = Field(default="", max_length=64, examples=["team-1"])

    @property
    def wording(self) -> Wording:
        """What it says."""
        return Wording(**self.model_dump())


class ImprovementOut(BaseModel):
    """A line of the improvement plan; `done` is when it was ticked off."""

    id: str = Field(examples=["7k2m9x4c1q0a"])
    team: str
    area: str
    action: str
    owner: str
    due: date | None
    done: datetime | None


class SurveyIn(BaseModel):
    """What a member says: statements from 1 to 5, and words; both may leave questions out."""

    model_config = ConfigDict(extra="forbid")
    ratings: dict[str, int] = Field(default={}, examples=[{"goals": 4, "useful": 5}])
    texts: dict[str, Annotated[str, Field(max_length=MOST_TEXT)]] = Field(
        default={}, examples=[{"learned": "Where to look first."}]
    )


@router.get(
    "/exercises/{name}/report",
    response_class=Response,
    responses={200: {"content": {"text/html": {}, "application/pdf": {}, "application/json": {}}}},
)
def report(
    _caller: Observer,
    exercise: ExerciseHere,
    services: ServicesHere,
    request: Request,
    form: Annotated[ReportForm, Query(alias="format")] = ReportForm.JSON,
    team: TeamAsked = "",
    signals: Annotated[bool, Query(description="With the annex for staff.")] = False,  # noqa: FBT002
) -> Response:
    """Return the after-action report of an exercise, or of one team, as of now."""
    whose = team_for(exercise, _caller, team).slug if team else ""
    site = str(request.base_url)
    content = report_text(services, exercise, form, team=whose, signals=signals, site=site)
    return document(content, f"{exercise.name}-{whose or 'exercise'}-report", form)


@router.get("/exercises/{name}/timeline")
def timeline(
    _caller: Observer, exercise: ExerciseHere, services: ServicesHere, team: TeamAsked = ""
) -> list[dict[str, Any]]:
    """List all that happened, oldest first, with proofs and places in recordings."""
    whose = team_for(exercise, _caller, team).slug if team else ""
    return [moment_data(moment) for moment in services.reporting.timeline(exercise, whose)]


@router.get(
    "/exercises/{name}/handout",
    response_class=Response,
    responses={200: {"content": {"text/html": {}, "application/pdf": {}}}},
)
def handout(
    caller: Caller,
    exercise: ExerciseHere,
    services: ServicesHere,
    language: LanguageHere,
    form: Annotated[ReportForm, Query(alias="format")] = ReportForm.HTML,
    team: Annotated[str | None, Query(max_length=64, description="For staff: whose.")] = None,
) -> Response:
    """Return a team's page to take home, in the caller's language: HTML or PDF."""
    whose = team_for(exercise, caller, team).slug
    made = ReportForm.PDF if form is ReportForm.PDF else ReportForm.HTML
    content = handout_text(services, exercise, made, team=whose, language=language)
    return document(content, f"{exercise.name}-{whose}-{language}", made)


@router.get("/exercises/{name}/integrity")
def integrity(
    _caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> list[dict[str, Any]]:
    """List what looks odd in answers, with its evidence: no proof, and it takes no points."""
    found: list[dict[str, Any]] = plain(services.reporting.signals(exercise))
    return found


@router.get("/exercises/{name}/stuck")
def stuck(
    _caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> list[dict[str, Any]]:
    """List teams that have had no progress for twenty minutes; times are seconds."""
    found: list[dict[str, Any]] = plain(services.reporting.stuck(exercise))
    return found


@router.get("/exercises/{name}/improvements")
def improvements(
    _caller: Observer, exercise: ExerciseHere, services: ServicesHere
) -> list[ImprovementOut]:
    """List the improvement plan, in the order in which it was written."""
    return [_out(line) for line in services.improving.plan(exercise)]


@repeatable.post("/exercises/{name}/improvements", status_code=status.HTTP_201_CREATED)
def add_improvement(
    sent: ImprovementIn, caller: Observer, exercise: ExerciseHere, services: ServicesHere
) -> ImprovementOut:
    """Add a line to the improvement plan."""
    return _out(services.improving.add(exercise, sent.wording, by=caller.id))


@router.put("/exercises/{name}/improvements/{line}")
def change_improvement(
    line: LineId,
    sent: ImprovementIn,
    _caller: Observer,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> ImprovementOut:
    """Say something else in a line, or tick it off."""
    return _out(services.improving.change(exercise, line, sent.wording))


@router.delete("/exercises/{name}/improvements/{line}", status_code=status.HTTP_204_NO_CONTENT)
def remove_improvement(
    line: LineId, _caller: Observer, exercise: ExerciseHere, services: ServicesHere
) -> None:
    """Remove a line from the improvement plan."""
    services.improving.remove(exercise, line)


@router.put("/exercises/{name}/survey", status_code=status.HTTP_204_NO_CONTENT)
def answer_survey(
    sent: SurveyIn, caller: Trainee, exercise: ExerciseHere, services: ServicesHere
) -> None:
    """Say what was learned and what can be better, once the exercise has ended."""
    services.surveying.answer(exercise, caller.id, ratings=sent.ratings, texts=sent.texts)


@router.get("/exercises/{name}/survey")
def survey(
    _caller: Observer, exercise: ExerciseHere, services: ServicesHere, team: TeamAsked = ""
) -> dict[str, Any]:
    """Return what members said together, without names; from five answers on."""
    whose = team_for(exercise, _caller, team).slug if team else ""
    found: dict[str, Any] = plain(services.surveying.results(exercise, whose))
    return found


def _out(line: Action) -> ImprovementOut:
    return ImprovementOut(**asdict(line))


router.include_router(repeatable)
