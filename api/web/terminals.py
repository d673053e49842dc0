"""The wall of an exercise's open terminals, and one of them large."""

from http import HTTPStatus
from itertools import groupby
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import PageInstructor, SameOrigin, ServicesHere
from api.bootstrap import Services
from api.terminals import Terminal, end_terminal, terminal_in, terminals_of
from api.web.exercise import ExerciseHere
from api.web.rendering import page
from api.web.static_files import has_terminals
from core.users.model import User
from orchestrator.domain.exercise import Exercise

router = APIRouter()

_Session = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_Sentence = Annotated[str, Form(min_length=1, max_length=500)]


@router.get("/exercises/{name}/terminals")
async def wall(
    request: Request, caller: PageInstructor, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Show every open terminal, by team."""
    terminals = await terminals_of(services, exercise)
    names = {team.slug: team.name for team in exercise.teams}
    by_team = groupby(terminals, key=lambda terminal: terminal.facts.team)
    return page(
        request,
        "wall.html",
        user=caller,
        exercise=exercise,
        teams=[(slug, names.get(slug, slug), list(found)) for slug, found in by_team],
        has_terminals=has_terminals(),
    )


@router.get("/exercises/{name}/terminals/{session}")
async def show(
    request: Request,
    session: _Session,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Show one terminal, to look at."""
    return await _large(request, services, exercise, caller, session)


@router.post("/exercises/{name}/terminals/{session}/join", dependencies=[SameOrigin])
async def join(
    request: Request,
    session: _Session,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    reason: _Sentence,
) -> Response:
    """Show one terminal to type in; its trainee is told once the page connects."""
    return await _large(request, services, exercise, caller, session, reason=reason)


@router.post("/exercises/{name}/terminals/{session}/say", dependencies=[SameOrigin])
async def say(
    session: _Session,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    sentence: _Sentence,
) -> Response:
    """Show a sentence on it, and go back to it."""
    terminal = await terminal_in(services, exercise, session)
    name = caller.display_name or caller.name
    await terminal.say(f"{name}: {sentence}")
    return RedirectResponse(f"/exercises/{exercise.name}/terminals/{session}", HTTPStatus.SEE_OTHER)


@router.post("/exercises/{name}/terminals/{session}/end", dependencies=[SameOrigin])
async def end(
    session: _Session,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
    sentence: _Sentence,
) -> Response:
    """End it, and go back to the wall."""
    await end_terminal(services, exercise, session, sentence=sentence, by=caller)
    return RedirectResponse(f"/exercises/{exercise.name}/terminals", HTTPStatus.SEE_OTHER)


async def _large(
    request: Request,
    services: Services,
    exercise: Exercise,
    caller: User,
    session: str,
    *,
    reason: str = "",
) -> Response:
    terminal = Terminal(facts=(await terminal_in(services, exercise, session)).facts)
    team = exercise.team(terminal.facts.team)
    way = "join" if reason else "watch"
    asked = f"?reason={quote(reason)}" if reason else ""
    return page(
        request,
        "watched.html",
        user=caller,
        exercise=exercise,
        terminal=terminal,
        team_name=team.name if team is not None else terminal.facts.team,
        joined=bool(reason),
        source=f"/live/{way}/{exercise.name}/{session}{asked}",
        has_terminals=has_terminals(),
    )
