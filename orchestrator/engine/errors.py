"""Foreign errors of the Docker SDK and its transport, in our words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from docker.errors import APIError, DockerException, ImageNotFound, StreamParseError
from requests import RequestException
from urllib3.exceptions import HTTPError

from core.errors import PoligonError
from orchestrator.ports import (
    EngineExhaustedError,
    EngineFullError,
    EngineRefusedError,
    EngineUnavailableError,
    UnknownImageError,
)

# What the kernel says through the engine, what that is, and what an operator does about it.
_EXHAUSTED = {
    "cannot allocate memory": (
        EngineExhaustedError,
        "Launch fewer teams, lower the hosts' limits, or add memory",
    ),
    "no space left on device": (
        EngineFullError,
        "Free disk space on the engine's host: docker system df",
    ),
}

# "Unknown runtime specified runsc", and since 23.0 "unknown or invalid runtime name: runsc".
_NO_RUNTIME = re.compile(
    r"unknown (?:runtime specified|or invalid runtime name:) (\S+)", re.IGNORECASE
)


@contextmanager
def needing_image(image: str) -> Iterator[None]:
    """Turn the SDK's word that an image is gone into UnknownImageError."""
    try:
        yield
    except ImageNotFound as error:
        raise UnknownImageError(f"the engine has no image {image} any more") from error


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Turn whatever the SDK raises inside into EngineUnavailableError or EngineRefusedError."""
    try:
        yield
    except APIError as error:
        raise _answered(address, error) from error
    except (RequestException, HTTPError, DockerException, StreamParseError, OSError) as error:
        raise _unanswered(address, error) from error


def said(error: APIError) -> str:
    """Return the engine's own words."""
    return str(error.explanation or error).strip()


def is_status(error: APIError, status: HTTPStatus) -> bool:
    """Tell whether the engine answered with this status."""
    return error.status_code == status


def _answered(address: str, error: APIError) -> PoligonError:
    if is_status(error, HTTPStatus.SERVICE_UNAVAILABLE):
        return EngineUnavailableError(
            f"the Docker Engine at {address} is not ready: {said(error)}", hint="Try again shortly"
        )
    for sign, (exhausted, fix) in _EXHAUSTED.items():
        if sign in said(error).lower():
            return exhausted(f"the engine's host is full: {said(error)}", hint=fix)
    lacking = _NO_RUNTIME.search(said(error))
    if lacking:
        return EngineRefusedError(
            f"the engine has no runtime {lacking[1]}",
            hint="Install it and name it in the engine's daemon.json",
        )
    return EngineRefusedError(
        f"the Docker Engine refused: {said(error)}",
        hint="`journalctl -u docker` on the engine's host may say more",
    )


def _unanswered(address: str, error: BaseException) -> EngineUnavailableError:
    if any(isinstance(cause, PermissionError) for cause in _causes(error)):
        return EngineUnavailableError(
            f"this user may not use the Docker Engine at {address}",
            hint="Add the user to the group docker and log in again, or run as root",
        )
    return EngineUnavailableError(
        f"the Docker Engine at {address} does not answer",
        hint="Start it (./dev engine, or systemctl start docker), or correct POLIGON_DOCKER_HOST",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk to the root; requests and urllib3 keep the cause in `args`."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        cause = waiting.pop()
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [cause.__cause__, cause.__context__, *cause.args]
