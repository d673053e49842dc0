"""A prober: one process in a container that is asked by lines and answers by lines, many times.

A command for each question costs the engine as much as a third of a start (`runc exec`).
"""

import time
from datetime import timedelta
from http import HTTPStatus
from select import select

from docker.errors import APIError, NotFound

from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.errors import is_status, said
from orchestrator.engine.hijacked import Hijacked
from orchestrator.ports import HostGoneError

LAST_LINE = "end"
"""How a prober says that its answer is whole."""

_MOST_ANSWERED = 1 << 20


class ProberEndedError(Exception):
    """The process, its container or the engine is gone; another prober may do."""


class Prober:
    """A running process with a pipe to it. One question at a time."""

    def __init__(self, pipe: Hijacked) -> None:
        self._pipe = pipe

    def ask(self, question: str, *, within: timedelta) -> str:
        """Return all that it said, or what it had said when the time was over.

        Raises ProberEndedError. After an answer without its last line nothing more may be asked.
        """
        deadline = time.monotonic() + within.total_seconds()
        said = bytearray()
        try:
            self._pipe.wire.settimeout(within.total_seconds())
            self._pipe.wire.sendall(question.encode() + b"\n")
            while not is_whole(said.decode(errors="replace")) and len(said) < _MOST_ANSWERED:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._pipe.wire.settimeout(left)
                is_error, piece = self._pipe.frame()
                said += b"" if is_error else piece
        except TimeoutError:
            pass
        except (OSError, EOFError) as error:
            raise ProberEndedError from error
        return said.decode(errors="replace")

    def has_ended(self) -> bool:
        """Tell whether an idle prober is gone: it has nothing to say, so it says its end."""
        return bool(select([self._pipe.wire], [], [], 0)[0])

    def close(self) -> None:
        """Let the process end."""
        self._pipe.close()


def is_whole(answer: str) -> bool:
    """Tell whether an answer has its last line."""
    return answer.endswith(f"\n{LAST_LINE}\n") or answer == f"{LAST_LINE}\n"


def start_prober(connection: EngineConnection, container: str, *command: str) -> Prober:
    """Start a prober as root in `/`. Raises HostGoneError when the container does not run."""
    with connection.call() as api:
        try:
            made = api.exec_create(container, list(command), stdin=True, user="root", workdir="/")
            return Prober(Hijacked(api.exec_start(made["Id"], socket=True)))
        except APIError as error:
            if isinstance(error, NotFound) or is_status(error, HTTPStatus.CONFLICT):
                raise HostGoneError(
                    f"{container} does not run: {said(error)}", hint="Raise its world again"
                ) from error
            raise
