"""Who calls: a bearer token in a header, or the same token in a browser's cookie."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.concurrency import run_in_threadpool

from api.bootstrap import Services
from api.context import services_of
from api.errors import ForeignOriginError, NotLoggedInError, NotYourRoleError
from api.roles import marks, plays, runs_exercises, sees_results
from core.users.model import Role, User
from core.users.tokens import TOKEN_LIFETIME

COOKIE = "poligon_session"

_bearer = HTTPBearer(auto_error=False, description="The `token` that POST /api/v1/login returns.")


def bearer_user(request: Request) -> User | None:
    """Return whose bearer token a request carries."""
    token = _bearer_token(request)
    return services_of(request).users.of_token(token) if token else None


async def bearer_owner(request: Request) -> User | None:
    """Return whose bearer token a request carries, from the server's own loop."""
    return await _owner(request, _bearer_token(request))


def bearer_user_at_hand(request: Request) -> User | None:
    """Return whose bearer token a request carries if that was told a moment ago; reads nothing."""
    token = _bearer_token(request)
    return services_of(request).users.of_token_at_hand(token) if token else None


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


BearerShown = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
"""What makes the interface's description tell of the token."""


def api_caller(request: Request, _shown_in_openapi: BearerShown) -> User:
    """Return who calls the interface; raises NotLoggedInError."""
    return _bound(bearer_user(request))


async def _api_caller(request: Request, _shown_in_openapi: BearerShown) -> User:
    return _bound(await bearer_owner(request))


def metrics_reader(
    request: Request,
    _shown_in_openapi: BearerShown,
) -> None:
    """Return to the site's collector of metrics and to administrators.

    Raises NotLoggedInError, NotYourRoleError.
    """
    wanted = services_of(request).settings.metrics_token.get_secret_value()
    if wanted and secrets.compare_digest(_bearer_token(request).encode(), wanted.encode()):
        return
    user = _bound(bearer_user(request))
    if user.role is not Role.ADMIN:
        raise NotYourRoleError(
            f"a user in the role {user.role} does not read metrics", hint="Ask an administrator"
        )


def page_user(request: Request) -> User | None:
    """Return who looks at a page, by the browser's cookie."""
    token = request.cookies.get(COOKIE)
    return services_of(request).users.of_token(token) if token else None


async def page_caller(request: Request) -> User:
    """Return who looks at a page; raises NotLoggedInError, which leads to the login page."""
    return _bound(await _owner(request, request.cookies.get(COOKIE, "")))


async def _owner(request: Request, token: str) -> User | None:
    """Return whose token this is; only one that is not at hand costs a thread's turn."""
    if not token:
        return None
    users = services_of(request).users
    user = users.of_token_at_hand(token)
    return user if user is not None else await run_in_threadpool(users.of_token, token)


def _bound(user: User | None) -> User:
    if user is None:
        raise NotLoggedInError
    structlog.contextvars.bind_contextvars(user=user.name)
    return user


def _after(
    caller: Callable[..., Awaitable[User]], allowed: Callable[[User], User]
) -> Callable[[User], Awaitable[User]]:
    async def checked(user: Annotated[User, Depends(caller)]) -> User:
        return allowed(user)  # what is not async costs a thread's turn, with every request

    return checked


async def _services(request: Request) -> Services:
    return services_of(request)


ServicesHere = Annotated[Services, Depends(_services)]
Caller = Annotated[User, Depends(_api_caller)]
Instructor = Annotated[User, Depends(_after(_api_caller, runs_exercises))]
Observer = Annotated[User, Depends(_after(_api_caller, sees_results))]
Assessor = Annotated[User, Depends(_after(_api_caller, marks))]
Trainee = Annotated[User, Depends(_after(_api_caller, plays))]
PageCaller = Annotated[User, Depends(page_caller)]
PageInstructor = Annotated[User, Depends(_after(page_caller, runs_exercises))]
PageObserver = Annotated[User, Depends(_after(page_caller, sees_results))]
PageAssessor = Annotated[User, Depends(_after(page_caller, marks))]
PageTrainee = Annotated[User, Depends(_after(page_caller, plays))]


def require_same_origin(request: Request) -> None:
    """Raise ForeignOriginError unless a form comes from a page of ours.

    Browsers tell with Sec-Fetch-Site, older ones with Origin. One that tells neither is refused:
    every browser that sends a SameSite cookie at all tells one of them with a form.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise ForeignOriginError
        return
    origin = request.headers.get("origin", "")
    if not origin or urlsplit(origin).netloc != request.headers.get("host"):
        raise ForeignOriginError


SameOrigin = Depends(require_same_origin)


def set_cookie(response: Response, request: Request, token: str) -> None:
    """Keep a token in the browser, out of reach of scripts and of other sites."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(TOKEN_LIFETIME.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def clear_cookie(response: Response) -> None:
    """Make the browser forget its token."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
