"""The web application: REST under /api/v1, pages everywhere else."""

from collections import deque
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter
from starlette.exceptions import HTTPException

from api import health, metrics
from api.auth import bearer_owner
from api.boards_at_hand import BoardsAtHand
from api.bootstrap import Services
from api.catalogue import Catalogue
from api.edge import Edge
from api.flag_throttle import FlagThrottle
from api.idempotency import RememberedWrites
from api.live import terminal as live_terminal
from api.live.boards import BoardFeeds
from api.problems import Problem
from api.responses import describe, headers_of, problem_response
from api.throttle import LoginThrottle
from api.upload_throttle import UploadThrottle
from api.v1 import (
    access,
    boards,
    captures,
    checks,
    conduct,
    corrections,
    deliveries,
    exercises,
    feed,
    injects,
    marking,
    members,
    messages,
    play,
    recordings,
    reports,
    results,
    scenarios,
    session,
    terminals,
)
from api.web import pages
from api.web.errors import error_page
from api.web.static_files import STATIC, PackedFiles
from core.errors import PoligonError

# A request looks through them in this order: what a class asks most comes first.
_PARTS = (
    play,
    session,
    scenarios,
    exercises,
    conduct,
    members,
    injects,
    feed,
    checks,
    captures,
    messages,
    deliveries,
    access,
    boards,
    results,
    marking,
    corrections,
    reports,
    recordings,
    terminals,
)
_FOR_PROGRAMS = health.PATHS | {metrics.PATH}
_TAGS = [
    {"name": "session", "description": "Logging in and out; one's own SSH keys."},
    {"name": "scenarios", "description": "What may be launched."},
    {"name": "exercises", "description": "Exercises from launch to removal."},
    {"name": "people", "description": "Roles of members, and one-time codes."},
    {"name": "injects", "description": "What happens to teams while they play."},
    {"name": "play", "description": "Tasks and answers of a team, messages and replies."},
    {"name": "marking", "description": "Assessors, their marks, and what teams are told of them."},
    {"name": "checks", "description": "Whether checks pass now; declared maintenance."},
    {"name": "services", "description": "Attack and defence: flags of others, and services."},
    {"name": "results", "description": "Board, training record and signals."},
    {"name": "corrections", "description": "Corrections of scores, and disputes about them."},
    {"name": "reports", "description": "After-action reports, improvement plans, surveys."},
    {"name": "recordings", "description": "Sessions in hosts, what was done, and terminals."},
]


class _Application(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the interface's description, with the shape of problems; made when first asked."""
        if self.openapi_schema is None:
            self.openapi_schema = _with_problems(super().openapi())
        return self.openapi_schema


def create_app(services: Services) -> FastAPI:
    """Return the application over `services`."""
    app = _Application(
        title="Cyberpoligon",
        version="1",
        description="Cyber-range exercises: launch, play, score and record.",
        openapi_url="/api/v1/openapi.json",
        # The interactive pages load scripts from elsewhere, which neither our policy nor a room
        # without internet allows.
        docs_url=None,
        redoc_url=None,
        openapi_tags=_TAGS,
    )
    app.state.services = services
    app.state.catalogue = Catalogue(services.settings.scenarios, services.policy)
    app.state.throttle = LoginThrottle(services.clock)
    app.state.flag_throttle = FlagThrottle(services.clock)
    app.state.uploads_throttle = UploadThrottle(services.clock)
    app.state.remembered = RememberedWrites(services.database, services.clock)
    app.state.user_of = bearer_owner
    app.state.feeds = BoardFeeds(services.scoring.boards)
    for part in _PARTS:
        app.include_router(part.router, prefix="/api/v1")
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(pages.router, include_in_schema=False)
    app.include_router(live_terminal.router)
    app.mount("/static", PackedFiles(directory=STATIC), name="static")
    deque(iter_route_contexts(app.routes), maxlen=0)  # or the first request waits for their making
    for kind in (PoligonError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, respond)
    app.add_middleware(BoardsAtHand, services=services)
    app.add_middleware(Edge, respond=respond)
    return app


def _with_problems(described: dict[str, Any]) -> dict[str, Any]:
    """Return the description with the shape that every operation's `default` answer has."""
    shapes = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    described["components"]["schemas"] |= shapes.pop("$defs") | {"Problem": shapes}
    return described


def respond(request: Request, error: Exception) -> Response:
    """Answer an error in the way of whoever asked: a problem for programs, a page for people."""
    problem = describe(error)
    if request.url.path.startswith("/api/") or request.url.path in _FOR_PROGRAMS:
        return problem_response(request, problem, headers_of(error))
    return error_page(request, error, problem)
