"""The start page and the list of exercises."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import PageCaller, PageInstructor, SameOrigin, ServicesHere
from api.bootstrap import Services
from api.catalogue import Catalogue
from api.context import catalogue_of
from api.problems import Problem, problem_of, status_of
from api.roster import numbered_teams, read_roster, with_reference
from api.web.rendering import page
from core.errors import PoligonError
from core.users.model import Role, User

router = APIRouter()

CatalogueHere = Annotated[Catalogue, Depends(catalogue_of)]
Before = Annotated[str, Query(max_length=80)]
_A_PAIR = 2
_A_PAGE = 50


@router.get("/")
def start(caller: PageCaller, services: ServicesHere) -> Response:
    """Lead a trainee with one exercise there, an assessor to marks, everybody else to the list."""
    if caller.role is Role.ASSESSOR:
        return RedirectResponse("/marking", HTTPStatus.SEE_OTHER)
    own = services.exercises.of_member(caller.id)
    only = f"/{own[0].name}" if len(own) == 1 and not caller.sees_results else ""
    return RedirectResponse(f"/exercises{only}", HTTPStatus.SEE_OTHER)


@router.get("/exercises")
def list_exercises(
    request: Request,
    caller: PageCaller,
    services: ServicesHere,
    catalogue: CatalogueHere,
    before: Before = "",
) -> Response:
    """Show the exercises, and the form to launch one to those who may."""
    return _overview(request, caller, services, catalogue, before=before)


@router.post("/exercises", dependencies=[SameOrigin])
def launch(
    request: Request,
    caller: PageInstructor,
    services: ServicesHere,
    catalogue: CatalogueHere,
    scenario: Annotated[str, Form(max_length=64)],
    teams: Annotated[int, Form(ge=1, le=1000)],
    roster: Annotated[str, Form(max_length=200_000)] = "",
    reference: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Launch a scenario, and go to its exercise; a roster says more than a number of teams."""
    try:
        named = read_roster(roster) if roster.strip() else numbered_teams(teams)
        specs = with_reference(named, reference)
        exercise = services.exercises.launch(catalogue.get(scenario), teams=specs, by=caller)
    except PoligonError as error:
        return _overview(
            request,
            caller,
            services,
            catalogue,
            problem=problem_of(error),
            status=status_of(error),
            chosen=scenario,
            teams=teams,
            roster=roster,
            reference=reference,
        )
    return RedirectResponse(f"/exercises/{exercise.name}", HTTPStatus.SEE_OTHER)


def _overview(
    request: Request,
    caller: User,
    services: Services,
    catalogue: Catalogue,
    *,
    before: str = "",
    problem: Problem | None = None,
    status: int = HTTPStatus.OK,
    chosen: str = "",
    teams: int = _A_PAIR,
    roster: str = "",
    reference: str = "",
) -> Response:
    exercises = services.exercises
    found = (
        exercises.recent(limit=_A_PAGE + 1, before=before)
        if caller.sees_results
        else exercises.of_member(caller.id)
    )
    offers = catalogue.offers() if caller.runs_exercises else ()
    loaded = [offer.loaded for offer in offers if offer.loaded is not None]
    doubts = services.rehearsals.doubts({one.digest: one.scenario.scenario.id for one in loaded})
    return page(
        request,
        "overview.html",
        status=status,
        user=caller,
        problem=problem,
        exercises=found[:_A_PAGE] if caller.sees_results else found,
        older=found[_A_PAGE - 1].name if caller.sees_results and len(found) > _A_PAGE else "",
        before=before,
        fresh_from=f"/exercises?before={before}" if before else "/exercises",
        offers=offers,
        doubts=doubts,
        folder=catalogue.folder,
        chosen=chosen,
        teams=teams,
        roster=roster,
        reference=reference,
    )
