"""Every error in the shape of RFC 9457; its HTTP status comes from one table."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

from pydantic import BaseModel, Field

from api.errors import (
    BodyTooLargeError,
    NotLoggedInError,
    TooManyFlagsError,
    TooManyLoginsError,
    TooManyUploadsError,
)
from core.errors import Fault, PoligonError
from core.users.model import LoginRefusedError
from scoring.errors import FeedRefusedError, TooManyAnswersError, TooSoonError

STATUS: Mapping[Fault, HTTPStatus] = MappingProxyType(
    {
        Fault.INPUT: HTTPStatus.UNPROCESSABLE_ENTITY,
        Fault.MISSING: HTTPStatus.NOT_FOUND,
        Fault.DENIED: HTTPStatus.FORBIDDEN,
        Fault.CONFLICT: HTTPStatus.CONFLICT,
        Fault.UPSTREAM: HTTPStatus.SERVICE_UNAVAILABLE,
        Fault.BUG: HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
# HTTP has a word of its own for these.
SPECIAL: Mapping[type[PoligonError], HTTPStatus] = MappingProxyType(
    {
        NotLoggedInError: HTTPStatus.UNAUTHORIZED,
        LoginRefusedError: HTTPStatus.UNAUTHORIZED,
        TooManyLoginsError: HTTPStatus.TOO_MANY_REQUESTS,
        FeedRefusedError: HTTPStatus.UNAUTHORIZED,
        TooSoonError: HTTPStatus.TOO_MANY_REQUESTS,
        TooManyAnswersError: HTTPStatus.TOO_MANY_REQUESTS,
        TooManyFlagsError: HTTPStatus.TOO_MANY_REQUESTS,
        TooManyUploadsError: HTTPStatus.TOO_MANY_REQUESTS,
        BodyTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }
)
TITLES: Mapping[Fault, str] = MappingProxyType(
    {
        Fault.INPUT: "What was sent is not right",
        Fault.MISSING: "It is not there, or not yours to see",
        Fault.DENIED: "You may not do this",
        Fault.CONFLICT: "Not in this state",
        Fault.UPSTREAM: "Something that the service needs does not answer",
        Fault.BUG: "The service made a mistake",
    }
)


class FieldProblem(BaseModel):
    """One wrong field: where it is (`teams.0.name`) and what is wrong with it."""

    field: str
    message: str


class Problem(BaseModel):
    """What went wrong, for programs (`code`) and for people (`detail`, `hint`)."""

    type: str = Field(examples=["urn:cyberpoligon:problem:exercise.illegal_move"])
    title: str = Field(examples=["Not in this state"])
    status: int = Field(examples=[409])
    detail: str = Field(examples=["the exercise is ready; it cannot become paused"])
    code: str = Field(examples=["exercise.illegal_move"])
    hint: str = Field(
        default="", examples=["From ready it can become cancelled, provisioning, running"]
    )
    request_id: str = Field(default="", examples=["7k2m9x4c1q0a"])
    errors: list[FieldProblem] = []


def status_of(error: PoligonError) -> HTTPStatus:
    """Return the HTTP status of an error."""
    return SPECIAL.get(type(error), STATUS[error.fault])


def problem_of(error: PoligonError) -> Problem:
    """Return an error in the shape that every program gets."""
    return Problem(
        type=f"urn:cyberpoligon:problem:{error.code}",
        title=TITLES[error.fault],
        status=status_of(error),
        detail=error.message,
        code=error.code,
        hint=error.hint,
        errors=list(_located(error)),
    )


def _located(error: PoligonError) -> Sequence[FieldProblem]:
    """Return the places that an error names itself, such as the lines of a scenario."""
    return [
        FieldProblem(field="", message=str(problem)) for problem in getattr(error, "problems", ())
    ]
