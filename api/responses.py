"""Errors as HTTP answers: `application/problem+json`."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.problems import TITLES, FieldProblem, Problem, problem_of, status_of
from core.errors import Fault, PoligonError, TryLaterError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"


def problem_of_validation(error: RequestValidationError) -> Problem:
    """Return every field of a request that is wrong, without what was sent in it."""
    fields = [
        FieldProblem(field=_path(e["loc"]), message=str(e["msg"])[:300]) for e in error.errors()
    ]
    return _own(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "request.invalid",
        TITLES[Fault.INPUT],
        "the request does not have the shape that this call takes",
        "Correct the fields under errors; /api/v1/openapi.json has the shape",
        fields,
    )


def problem_of_http(error: HTTPException) -> Problem:
    """Return what the web framework refuses by itself: unknown paths, methods, broken JSON."""
    status = HTTPStatus(error.status_code)
    name = status.phrase.lower().replace(" ", "_")
    return _own(status, f"http.{name}", status.phrase, status.description or status.phrase, "", [])


def problem_of_bug() -> Problem:
    """Return what a caller learns of a mistake of ours: only how to report it."""
    return _own(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "bug",
        TITLES[Fault.BUG],
        "the service made a mistake; nothing of this request was kept",
        "Report it with the request id; the log has the rest",
        [],
    )


def _own(
    status: HTTPStatus,
    code: str,
    title: str,
    detail: str,
    hint: str,
    errors: list[FieldProblem],
) -> Problem:
    return Problem(
        type=f"urn:cyberpoligon:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        hint=hint,
        errors=errors,
    )


def _path(location: Sequence[Any]) -> str:
    return ".".join(str(part)[:60] for part in location[:8] if part != "body")[:200]


def problem_response(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the problem as an answer, with the request's id in it."""
    problem = problem.model_copy(update={"request_id": getattr(request.state, "request_id", "")})
    return JSONResponse(
        problem.model_dump(exclude_defaults=True),
        problem.status,
        headers=dict(headers or {}),
        media_type=MEDIA_TYPE,
    )


def headers_of(error: Exception) -> dict[str, str]:
    """Return the headers that HTTP wants with some errors."""
    if isinstance(error, TryLaterError):
        return {"Retry-After": str(error.seconds)}
    if isinstance(error, PoligonError) and status_of(error) == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, HTTPException):
        return dict(error.headers or {})
    return {}


def describe(error: Exception) -> Problem:
    """Return any error that reaches the edge as a problem; ours of kind bug are logged."""
    if isinstance(error, PoligonError):
        if error.fault is Fault.BUG:
            log.error("request.bug", code=error.code, exc_info=error)
        return problem_of(error)
    if isinstance(error, RequestValidationError):
        return problem_of_validation(error)
    if isinstance(error, HTTPException):
        return problem_of_http(error)
    return problem_of_bug()


# Every operation of the interface lists these in its documentation.
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457)",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
