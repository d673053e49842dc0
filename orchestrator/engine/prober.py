"""A prober: one process in a container that is asked by lines and answers by lines, many times.

A command for each question costs the engine as much as a third of a start (`runc exec`).
"""

import socket
import time
from datetime import timedelta
from http import HTTPStatus
from select import select
from typing import Any

from docker.errors import APIError, NotFound

from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.errors import is_status, said
from orchestrator.ports import HostGoneError

LAST_LINE = "end"
"""How a prober says that its answer is whole."""

_FRAME_HEADER = 8  # stream, three zeros, length in four bytes: the engine's multiplexed output
_STDOUT = 1
_MOST_ANSWERED = 1 << 20


class ProberEndedError(Exception):
    """The process, its container or the engine is gone; another prober may do."""


class Prober:
    """A running process with a pipe to it. One question at a time."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401  # what the SDK hands out
        self._connection = connection  # it closes the pipe when nobody holds it
        # The SDK hands out the read side of a connection; both sides are below it.
        self._pipe: socket.socket = getattr(connection, "_sock", connection)
        self._answers = self._pipe.makefile("rb")

    def ask(self, question: str, *, within: timedelta) -> str:
        """Return all that it said, or what it had said when the time was over.

        Raises ProberEndedError. After an answer without its last line nothing more may be asked.
        """
        deadline = time.monotonic() + within.total_seconds()
        said = bytearray()
        try:
            self._pipe.settimeout(within.total_seconds())
            self._pipe.sendall(question.encode() + b"\n")
            while not is_whole(said.decode(errors="replace")) and len(said) < _MOST_ANSWERED:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._pipe.settimeout(left)
                said += self._frame()
        except TimeoutError:
            pass
        except OSError as error:
            raise ProberEndedError from error
        return said.decode(errors="replace")

    def has_ended(self) -> bool:
        """Tell whether an idle prober is gone: it has nothing to say, so it says its end."""
        return bool(select([self._pipe], [], [], 0)[0])

    def close(self) -> None:
        """Let the process end."""
        self._answers.close()
        self._connection.close()
        self._pipe.close()

    def _frame(self) -> bytes:
        header = self._answers.read(_FRAME_HEADER)
        if len(header) < _FRAME_HEADER:
            raise ProberEndedError
        payload = self._answers.read(int.from_bytes(header[4:], "big"))
        return payload if header[0] == _STDOUT else b""


def is_whole(answer: str) -> bool:
    """Tell whether an answer has its last line."""
    return answer.endswith(f"\n{LAST_LINE}\n") or answer == f"{LAST_LINE}\n"


def start_prober(connection: EngineConnection, container: str, *command: str) -> Prober:
    """Start a prober as root in `/`. Raises HostGoneError when the container does not run."""
    with connection.call() as api:
        try:
            made = api.exec_create(container, list(command), stdin=True, user="root", workdir="/")
            return Prober(api.exec_start(made["Id"], socket=True))
        except APIError as error:
            if isinstance(error, NotFound) or is_status(error, HTTPStatus.CONFLICT):
                raise HostGoneError(
                    f"{container} does not run: {said(error)}", hint="Raise its world again"
                ) from error
            raise
