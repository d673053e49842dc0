"""Errors as pages."""

from http import HTTPStatus
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from api.errors import NotLoggedInError
from api.problems import Problem
from api.web.rendering import page


def error_page(request: Request, error: Exception, problem: Problem) -> Response:
    """Return the login page's address for strangers, a page that says what went wrong otherwise."""
    if isinstance(error, NotLoggedInError):
        back = f"?next={quote(request.url.path)}" if request.method == "GET" else ""
        return RedirectResponse(f"/login{back}", HTTPStatus.SEE_OTHER)
    return page(
        request,
        "error.html",
        status=problem.status,
        problem=problem,
        request_id=request.state.request_id,
    )
