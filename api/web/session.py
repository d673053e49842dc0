"""Logging in and out with a browser."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.auth import (
    COOKIE,
    PageCaller,
    SameOrigin,
    ServicesHere,
    clear_cookie,
    page_user,
    set_cookie,
)
from api.context import throttle_of
from api.errors import TooManyLoginsError
from api.logins import address_of, enrol_password, log_in
from api.problems import problem_of, status_of
from api.responses import headers_of
from api.throttle import LoginThrottle
from api.web.rendering import page
from core.errors import Fault, PoligonError
from core.users.codes import SHORTEST_PASSWORD
from core.users.model import LoginRefusedError, PasswordTooShortError

router = APIRouter()


class PasswordsDifferError(PoligonError):
    """Somebody who chose a password wrote two different ones."""

    code = "password.two_differ"
    fault = Fault.INPUT


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:  # noqa: A002  # the address's word
    """Show the form."""
    if page_user(request) is not None:
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)
    return page(request, "login.html", next=_own_path(next), name="")


@router.post("/login", dependencies=[SameOrigin])
def log_in_here(
    request: Request,
    services: ServicesHere,
    throttle: Annotated[LoginThrottle, Depends(throttle_of)],
    name: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form(max_length=500)] = "/",  # noqa: A002  # the form's word
) -> Response:
    """Log in and go where the reader wanted to be."""
    name = name.strip()
    try:
        _, token = log_in(services, throttle, name, password, address_of(request))
    except LoginRefusedError as error:
        if services.users.codes.fits(name, password):
            return _ask_password(request, name=name, code=password, next_page=next)
        return _ask_again(request, error, name=name, next_page=next)
    except TooManyLoginsError as error:
        return _ask_again(request, error, name=name, next_page=next)
    return _let_in(request, token, next_page=next)


@router.post("/login/password", dependencies=[SameOrigin])
def choose_password(
    request: Request,
    services: ServicesHere,
    throttle: Annotated[LoginThrottle, Depends(throttle_of)],
    name: Annotated[str, Form(max_length=64)],
    code: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=200)],
    again: Annotated[str, Form(max_length=200)],
    next: Annotated[str, Form(max_length=500)] = "/",  # noqa: A002  # the form's word
) -> Response:
    """Use a one-time code for a password, and log in with it."""
    address = address_of(request)
    try:
        if password != again:
            raise PasswordsDifferError("the two passwords are not the same")
        enrol_password(services, throttle, name=name, code=code, password=password, address=address)
        _, token = log_in(services, throttle, name, password, address)
    except (PasswordsDifferError, PasswordTooShortError) as error:
        return _ask_password(request, name=name, code=code, next_page=next, error=error)
    except (LoginRefusedError, TooManyLoginsError) as error:
        return _ask_again(request, error, name=name, next_page=next)
    return _let_in(request, token, next_page=next)


@router.post("/logout", dependencies=[SameOrigin])
def log_out(request: Request, services: ServicesHere) -> Response:
    """End the token's life and forget it."""
    services.users.withdraw_token(request.cookies.get(COOKIE, ""))
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    clear_cookie(response)
    return response


@router.post("/me/keys", dependencies=[SameOrigin])
def add_key(
    caller: PageCaller,
    services: ServicesHere,
    public_key: Annotated[str, Form(max_length=16_384)],
    exercise: Annotated[str, Form(max_length=80, pattern=r"^[a-z0-9_-]*$")] = "",
) -> Response:
    """Add an SSH key, and go back to the exercise."""
    services.users.add_key(caller.name, public_key)
    back = f"/exercises/{exercise}?key=added" if exercise else "/"
    return RedirectResponse(back, HTTPStatus.SEE_OTHER)


def _let_in(request: Request, token: str, *, next_page: str) -> Response:
    response = RedirectResponse(_own_path(next_page), HTTPStatus.SEE_OTHER)
    set_cookie(response, request, token)
    return response


def _ask_again(request: Request, error: PoligonError, *, name: str, next_page: str) -> Response:
    shown = page(
        request,
        "login.html",
        status=status_of(error),
        problem=problem_of(error),
        next=_own_path(next_page),
        name=name,
    )
    shown.headers.update(headers_of(error))
    return shown


def _ask_password(
    request: Request, *, name: str, code: str, next_page: str, error: PoligonError | None = None
) -> Response:
    return page(
        request,
        "enrol.html",
        status=status_of(error) if error else HTTPStatus.OK,
        problem=problem_of(error) if error else None,
        next=_own_path(next_page),
        name=name,
        code=code,
        shortest=SHORTEST_PASSWORD,
    )


def _own_path(path: str) -> str:
    """Return a path of ours; anything that could lead to another site becomes the start page."""
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if own and "\\" not in path else "/"
