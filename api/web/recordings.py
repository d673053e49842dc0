"""Terminals as they were: a list of them, and one played back."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from api.auth import PageObserver, ServicesHere
from api.downloads import download
from api.web.exercise import ExerciseHere
from api.web.rendering import page
from api.web.static_files import has_terminals
from orchestrator.terminal.book import Kind

router = APIRouter()

_CAST = "application/x-asciicast"
_A_PAGE = 100
_Session = Annotated[str, Path(max_length=40)]


@router.get("/exercises/{name}/recordings")
def recordings(
    request: Request,
    caller: PageObserver,
    exercise: ExerciseHere,
    services: ServicesHere,
    before: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """List the terminals of an exercise, newest first."""
    found = services.sessions.find(exercise, before=before, limit=_A_PAGE)
    return page(
        request,
        "recordings.html",
        user=caller,
        exercise=exercise,
        sessions=[session for session in found if session.kind is Kind.TERMINAL],
        older=found[-1].id if len(found) == _A_PAGE else "",
        names={team.slug: team.name for team in exercise.teams},
    )


@router.get("/recordings/{session}")
def play(
    request: Request, session: _Session, caller: PageObserver, services: ServicesHere
) -> Response:
    """Show a terminal's recording, with the commands that were read off it."""
    found = services.sessions.get(session)
    exercise = services.exercises.get(found.exercise)
    (details,) = services.sessions.details(exercise, [found])
    team = exercise.team(found.team)
    return page(
        request,
        "recording.html",
        user=caller,
        exercise=exercise,
        session=found,
        commands=[
            (command, (command.at - found.began).total_seconds()) for command in details.commands
        ],
        team_name=team.name if team is not None else found.team,
        has_terminals=has_terminals(),
    )


@router.get("/recordings/{session}/cast")
def cast(session: _Session, _caller: PageObserver, services: ServicesHere) -> Response:
    """Hand out the recording itself."""
    content = services.sessions.cast(services.sessions.get(session))
    return download(content, f"{session}.cast", media_type=_CAST)
