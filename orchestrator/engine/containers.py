"""What is asked of one container, whoever owns it: to be seen, to run to its end, and to go."""

import math
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from docker.errors import APIError, NotFound
from requests import RequestException

from orchestrator.engine.commands import OUTPUT_BYTES, TIMED_OUT
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.errors import is_status
from orchestrator.ports import EngineRefusedError, RunResult


def inspect_container(connection: EngineConnection, container: str) -> Mapping[str, Any] | None:
    """Return what the engine knows of a container, by id or name; None when there is none."""
    with connection.call() as api:
        try:
            found: Mapping[str, Any] = api.inspect_container(container)
        except NotFound:
            return None
        return found


def remove_container(connection: EngineConnection, container: str) -> bool:
    """Remove a container, by id or name; False when it is gone, or somebody else removes it."""
    with connection.call() as api:
        try:
            api.remove_container(container, force=True, v=True)
        except APIError as error:
            if isinstance(error, NotFound) or is_status(error, HTTPStatus.CONFLICT):
                return False
            raise
    return True


def run_to_end(
    connection: EngineConnection, container: str, timeout: timedelta, *, apart: bool = False
) -> RunResult:
    """Start a container and return how it ended and what it said, at most OUTPUT_BYTES of it.

    124 when it was not done in time. `apart` tells stderr from stdout.
    """
    with connection.call() as api:
        api.start(container)
    code = _await_end(connection, container, timeout)
    with connection.call() as api:
        output: bytes = api.logs(container, stderr=not apart)
        errors: bytes = api.logs(container, stdout=False) if apart else b""
    return RunResult(exit_code=code, output=_text(output), errors=_text(errors))


def _text(said: bytes) -> str:
    return said[:OUTPUT_BYTES].decode(errors="replace")


def _await_end(connection: EngineConnection, container: str, timeout: timedelta) -> int:
    with connection.long_call() as api:
        try:
            seconds = math.ceil(timeout.total_seconds())
            return int(api.wait(container, timeout=seconds)["StatusCode"])
        except APIError:
            raise
        except RequestException:
            # Time is over, or the engine went: then the next call says so.
            return TIMED_OUT


def names_no_container(error: EngineRefusedError) -> bool:
    """Tell whether a refusal is because the container is gone, and not its network or image."""
    return isinstance(error.__cause__, NotFound) and "No such container" in str(error)
