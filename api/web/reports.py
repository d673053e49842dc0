"""After-action pages: reports and the plan for staff, handout and survey for trainees."""

from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from api.auth import PageCaller, PageObserver, PageTrainee, SameOrigin, ServicesHere
from api.bootstrap import Services
from api.problems import Problem, problem_of, status_of
from api.report_answers import document
from api.reports import ReportForm, handout_text, report_text
from api.teams import team_for
from api.v1.exercises import reading_language
from api.web.exercise import ExerciseHere
from api.web.rendering import page
from core.errors import PoligonError
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from scoring.improving import MOST_OWNER, MOST_WORDS, Wording
from scoring.records.survey import LEAST_ANSWERS, MOST_TEXT, RATINGS, SCALE, TEXTS
from scoring.records.wording import words

router = APIRouter()


Words = Annotated[str, Form(max_length=MOST_WORDS)]
Line = Annotated[str, Path(max_length=12)]


_Rating = Literal["", "1", "2", "3", "4", "5"]


class _Survey(BaseModel):
    """The survey's form: its fields are the questions."""

    goals: _Rating = ""
    realism: _Rating = ""
    difficulty: _Rating = ""
    machines: _Rating = ""
    support: _Rating = ""
    useful: _Rating = ""
    keep: str = Field(default="", max_length=MOST_TEXT)
    change: str = Field(default="", max_length=MOST_TEXT)
    learned: str = Field(default="", max_length=MOST_TEXT)


@router.get("/exercises/{name}/after-action")
def after_action(
    request: Request, caller: PageObserver, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Show what there is to read afterwards, the improvement plan, and signals."""
    return _page(request, caller, exercise, services)


def _page(
    request: Request,
    caller: User,
    exercise: Exercise,
    services: Services,
    problem: Problem | None = None,
    *,
    status: int = HTTPStatus.OK,
) -> Response:
    return page(
        request,
        "after_action.html",
        status=status,
        user=caller,
        problem=problem,
        exercise=exercise,
        plan=services.improving.plan(exercise),
        survey=services.surveying.results(exercise),
        least_answers=LEAST_ANSWERS,
        signals=services.reporting.signals(exercise) if caller.runs_exercises else (),
        most=MOST_WORDS,
        most_owner=MOST_OWNER,
    )


@router.get("/exercises/{name}/report.{form}")
def report(
    request: Request,
    form: ReportForm,
    caller: PageObserver,
    exercise: ExerciseHere,
    services: ServicesHere,
    team: str = "",
    signals: bool = False,  # noqa: FBT001, FBT002  # a field of the address
) -> Response:
    """Show or hand out an after-action report."""
    whose = team_for(exercise, caller, team).slug if team else ""
    site = str(request.base_url)
    content = report_text(services, exercise, form, team=whose, signals=signals, site=site)
    return document(content, f"{exercise.name}-{whose or 'exercise'}-report", form)


@router.get("/exercises/{name}/handout.{form}")
def handout(
    request: Request,
    form: Literal["html", "pdf"],
    caller: PageCaller,
    exercise: ExerciseHere,
    services: ServicesHere,
    team: str | None = None,
) -> Response:
    """Show or hand out a team's page to take home, in the reader's language."""
    whose = team_for(exercise, caller, team).slug
    language = reading_language(request, exercise, services)
    made = ReportForm(form)
    content = handout_text(services, exercise, made, team=whose, language=language)
    return document(content, f"{exercise.name}-{whose}-{language}", made)


@router.post("/exercises/{name}/improvements", dependencies=[SameOrigin])
def add_line(
    request: Request,
    caller: PageObserver,
    exercise: ExerciseHere,
    services: ServicesHere,
    area: Words,
    action: Words,
    owner: Annotated[str, Form(max_length=MOST_OWNER)] = "",
    due: Annotated[str, Form(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = "",
    team: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Add a line to the plan, and go back to it; a refusal is shown there."""
    try:
        until = date.fromisoformat(due) if due else None
        wording = Wording(area=area, action=action, owner=owner, due=until, team=team)
        services.improving.add(exercise, wording, by=caller.id)
    except PoligonError as error:
        told, status = problem_of(error), status_of(error)
        return _page(request, caller, exercise, services, told, status=status)
    return _back(exercise)


@router.post("/exercises/{name}/improvements/{line}/done", dependencies=[SameOrigin])
def tick_off(
    line: Line,
    _caller: PageObserver,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Say that a line of the plan is done."""
    wording = services.improving.wording(exercise, line)
    services.improving.change(exercise, line, replace(wording, done=True))
    return _back(exercise)


@router.post("/exercises/{name}/improvements/{line}/remove", dependencies=[SameOrigin])
def remove_line(
    line: Line, _caller: PageObserver, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Remove a line from the plan."""
    services.improving.remove(exercise, line)
    return _back(exercise)


@router.get("/exercises/{name}/survey")
def survey(
    request: Request, caller: PageTrainee, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Show the survey to a member, with what they said before."""
    language = reading_language(request, exercise, services)
    return page(
        request,
        "survey.html",
        user=caller,
        exercise=exercise,
        w=words(language)["survey"],
        language=language,
        is_open=services.surveying.is_open(exercise),
        mine=services.surveying.mine(exercise, caller.id),
        sent="sent" in request.query_params,
        ratings=RATINGS,
        texts=TEXTS,
        scale=SCALE,
        least=LEAST_ANSWERS,
        most=MOST_TEXT,
    )


@router.post("/exercises/{name}/survey", dependencies=[SameOrigin])
def answer_survey(
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    sent: Annotated[_Survey, Form()],
) -> Response:
    """Keep what a member says."""
    said = sent.model_dump()
    services.surveying.answer(
        exercise,
        caller.id,
        ratings={q: int(said[q]) for q in RATINGS if said[q]},
        texts={q: said[q] for q in TEXTS},
    )
    return RedirectResponse(f"/exercises/{exercise.name}/survey?sent", HTTPStatus.SEE_OTHER)


def _back(exercise: Exercise) -> Response:
    return RedirectResponse(f"/exercises/{exercise.name}/after-action#plan", HTTPStatus.SEE_OTHER)
