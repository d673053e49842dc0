"""Commands inside a running host, with an end that is kept."""

import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from docker import APIClient
from docker.errors import APIError, NotFound
from requests import Response

from core.errors import PoligonError
from core.waiting import WaitedTooLongError, until
from orchestrator.engine.connection import EngineConnection, api_url
from orchestrator.engine.errors import is_status, said
from orchestrator.ports import HostGoneError, RunResult

TIMED_OUT = 124  # as timeout(1) exits
OUTPUT_BYTES = 64 * 1024

# The engine tells a process's number on its own host alone, which may be another machine. So the
# command's shell says its number in the host before it becomes the command; the engine makes it
# leader of a session, and its group can be ended by that number.
_ANNOUNCED = ("sh", "-c", 'echo "$$"; exec "$@"', "sh")
_GRACE_SECONDS = 15.0
_FRAME_HEADER = 8  # stream, three zeros, length in four bytes: the engine's multiplexed output
_STDERR = 2

LISTENS = """listens() {
  for table in /proc/net/tcp /proc/net/tcp6; do
    [ -r $table ] && while read -r _ local _ state _; do
      [ "$state" = 0A ] && case $local in *:$1) return 0 ;; esac
    done <$table
  done
  return 1
}"""
"""Tells whether a socket listens on a port (four hexadecimal digits); one process, shell alone."""
_LISTENING_WITHIN = timedelta(seconds=10)


class HostCommands:
    """Runs commands in containers."""

    def __init__(self, connection: EngineConnection) -> None:
        self._connection = connection

    def run(
        self, container: str, command: Sequence[str], *, timeout: timedelta, account: str
    ) -> RunResult:
        """Run it in `/`; one that outlives `timeout` is killed with its group and returns 124."""
        deadline = time.monotonic() + timeout.total_seconds()
        with self._connection.call() as api:
            execution = _create(api, container, [*_ANNOUNCED, *command], account)
            response = _start(api, container, execution, deadline)
            output = _Output(response)
            number = output.first_line()
        expired = threading.Event()
        alarm = threading.Timer(
            max(0.0, deadline - time.monotonic()), self._end, (container, number, expired)
        )
        alarm.daemon = True
        alarm.start()
        try:
            with self._connection.long_call():
                output.read_all()
            code = self._exit_code(container, execution, deadline, expired)
        finally:
            alarm.cancel()
            response.close()
        return RunResult(exit_code=code, output=output.text())

    def accepts_tcp(self, container: str, port: int) -> bool:
        """Tell whether a socket listens on the port, at whatever address of the host."""
        question = ("sh", "-c", f"{LISTENS}\nlistens {port:04X}")
        return self.run(container, question, timeout=_LISTENING_WITHIN, account="root").ok

    def _end(self, container: str, number: str, expired: threading.Event) -> None:
        """Kill the command's group. Runs in the alarm's thread, where nobody could catch."""
        expired.set()
        try:
            with self._connection.call() as api:
                kill = ["sh", "-c", f"kill -9 -{number} || kill -9 {number}"]
                api.exec_start(_create(api, container, kill, "root"), detach=True)
        except PoligonError:
            return  # the host went, or the engine; the reader of the output learns the same

    def _exit_code(
        self, container: str, execution: str, deadline: float, expired: threading.Event
    ) -> int:
        """Return how it ended. Its output may have ended first, by a moment or by intent."""
        state: dict[str, Any] = {}

        def ended() -> bool:
            with self._connection.call() as api:
                try:
                    state.update(api.exec_inspect(execution))
                except NotFound as error:
                    raise _gone(container, said(error)) from error
            return not state["Running"]

        left = max(0.0, deadline - time.monotonic()) + _GRACE_SECONDS
        try:
            until(
                ended,
                what="the end of a command",
                within=timedelta(seconds=left),
                every=timedelta(milliseconds=20),
            )
        except WaitedTooLongError:
            return TIMED_OUT
        if expired.is_set():
            return TIMED_OUT
        if state["ExitCode"] is None:
            raise _gone(container, "it ended while a command ran")
        return int(state["ExitCode"])


class _Output:
    """The output of a command as it comes: all of it read, the first 64 KiB kept."""

    def __init__(self, response: Response) -> None:
        self._stream = response.raw
        self._kept = bytearray()
        self._line = bytearray()  # stdout up to its first line's end
        self._has_line = False

    def first_line(self) -> str:
        """Return the number that the shell announces, or nothing when there was no shell.

        It comes first on stdout; what the command says on stderr may overtake it on its way here.
        """
        while not self._has_line and self._read_frame():
            pass
        line = bytes(self._line).removesuffix(b"\n")
        if self._has_line and line.isdigit():
            return line.decode()
        self._has_line = True
        self._keep(bytes(self._line))
        return ""

    def read_all(self) -> None:
        """Read to the end; a command with more to say than is kept must not block on it."""
        while self._read_frame():
            pass

    def text(self) -> str:
        """Return what was kept."""
        return self._kept.decode(errors="replace")

    def _read_frame(self) -> bool:
        header: bytes = self._stream.read(_FRAME_HEADER)
        if len(header) < _FRAME_HEADER:
            return False
        payload: bytes = self._stream.read(int.from_bytes(header[4:], "big"))
        if self._has_line or header[0] == _STDERR:
            self._keep(payload)
        else:
            line, found, rest = payload.partition(b"\n")
            self._line += (line + found)[: OUTPUT_BYTES - len(self._line)]
            self._has_line = bool(found)
            self._keep(rest)
        return True

    def _keep(self, piece: bytes) -> None:
        self._kept += piece[: OUTPUT_BYTES - len(self._kept)]


def _create(api: APIClient, container: str, command: Sequence[str], account: str) -> str:
    try:
        made = api.exec_create(container, list(command), user=account, workdir="/")
    except APIError as error:
        if isinstance(error, NotFound) or is_status(error, HTTPStatus.CONFLICT):
            raise _gone(container, said(error)) from error
        raise
    return str(made["Id"])


def _start(api: APIClient, container: str, execution: str, deadline: float) -> Response:
    """Start it and return the open answer.

    Without the Upgrade header that the SDK sends: after a 101 it reads from below the buffer of
    http.client, and loses output that arrived with the header.
    """
    response = api.post(
        api_url(api, f"/exec/{execution}/start"),
        json={"Detach": False, "Tty": False},
        stream=True,
        timeout=max(0.0, deadline - time.monotonic()) + _GRACE_SECONDS,
    )
    if not response.ok:
        text = response.text.strip()
        if response.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
            raise _gone(container, text)
        raise APIError(text, response=response, explanation=text)
    return response


def _gone(container: str, reason: str) -> HostGoneError:
    return HostGoneError(f"{container} does not run: {reason}", hint="Raise its world again")
