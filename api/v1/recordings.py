"""Sessions in hosts as they were: who, what was done, and the terminal to be played again."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.auth import Observer, ServicesHere
from api.downloads import download
from api.responses import RESPONSES
from api.v1.exercises import ExerciseHere
from api.v1.recording_models import SessionDetailsOut, SessionOut, details_out, session_out

router = APIRouter(tags=["recordings"], responses=RESPONSES)

CAST = "application/x-asciicast"
_MOST_LISTED = 500


SessionId = Annotated[str, Path(max_length=40, pattern=r"^[0-9a-z]+$", examples=["7k2m9x4c1q0a"])]
_NAME = r"^[\w.-]*$"  # what no name holds is refused here: PostgreSQL knows no NUL


@router.get("/exercises/{name}/sessions")
def sessions(
    _caller: Observer,
    exercise: ExerciseHere,
    services: ServicesHere,
    request: Request,
    response: Response,
    team: Annotated[str, Query(max_length=40, pattern=_NAME)] = "",
    user: Annotated[str, Query(max_length=64, pattern=_NAME)] = "",
    host: Annotated[str, Query(max_length=64, pattern=_NAME)] = "",
    limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 100,
    before: Annotated[
        str, Query(max_length=40, pattern=_NAME, description="Older than this session.")
    ] = "",
) -> list[SessionOut]:
    """List sessions in hosts, newest first; the header Link has the next page."""
    found = services.sessions.find(
        exercise, team=team, user=user, host=host, before=before, limit=limit
    )
    if len(found) == limit:
        older = request.url.include_query_params(before=found[-1].id)
        response.headers["Link"] = f'<{older.path}?{older.query}>; rel="next"'
    return [session_out(session) for session in found]


@router.get("/sessions/{session}")
def session(_caller: Observer, session: SessionId, services: ServicesHere) -> SessionDetailsOut:
    """Return a session with its commands, files and forwards."""
    found = services.sessions.get(session)
    (details,) = services.sessions.details(services.exercises.get(found.exercise), [found])
    return details_out(details)


@router.get(
    "/sessions/{session}/cast",
    response_class=Response,
    responses={200: {"content": {CAST: {}}}},
)
def cast(_caller: Observer, session: SessionId, services: ServicesHere) -> Response:
    """Return a session's recording, asciicast v2; `409` when its file was changed."""
    content = services.sessions.cast(services.sessions.get(session))
    return download(content, f"{session}.cast", media_type=CAST)
