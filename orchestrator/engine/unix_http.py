"""The engine's HTTP over its unix socket, in asyncio: one connection a call, and hijacked ones.

The Docker SDK is synchronous: a thread per idle terminal (measured: 4 threads and 100 KB each).
"""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from core.errors import Fault, PoligonError
from orchestrator.engine.handed import Handed, Head, receive_head
from orchestrator.ports import EngineUnavailableError

_log = structlog.get_logger()

_SCHEME = "unix://"
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_TIMEOUT_SECONDS = 60  # an engine that raises a whole class's worlds answers late
_MOST_ANSWERED = 4 * 1024**2
_MOST_READ = 64 * 1024


class EngineAddressUnsupportedError(PoligonError):
    """Terminals reach an engine over its unix socket only."""

    code = "engine.address_unsupported"
    fault = Fault.INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the engine answered."""

    status: int
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether it did what it was asked."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def fields(self) -> dict[str, object]:
        """The answer's JSON object; empty when there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def words(self) -> str:
        """What the engine says of a refusal."""
        return str(self.fields.get("message", f"status {self.status}"))


class UnixHttp:
    """The way to one engine. Paths carry no version: the engine takes its newest.

    What is asked here has kept its shape since API 1.24, and engines drop old versions (29 speaks
    none below 1.44).
    """

    def __init__(self, docker_host: str) -> None:
        if not docker_host.startswith(_SCHEME):
            raise EngineAddressUnsupportedError(
                f"terminals reach the engine over {_SCHEME}, not at {docker_host}",
                hint="Run the gateway on the engine's machine and set POLIGON_DOCKER_HOST=unix://…",
            )
        self._socket = docker_host.removeprefix(_SCHEME)

    async def call(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> Answer:
        """Return the engine's answer; raises EngineUnavailableError when there is none."""
        # HTTP/1.0: the answer comes unchunked, and its end is the connection's.
        async with self._reaching(), self._asked(f"{method} {path} HTTP/1.0", body) as connection:
            try:
                return await _answer(connection, await receive_head(connection))
            finally:
                connection.close()

    async def hijack(self, path: str, body: Mapping[str, object]) -> Handed | Answer:
        """Return the connection that the engine handed over, or its answer if it did not."""
        upgrade = f"POST {path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp"
        async with self._reaching(), self._asked(upgrade, body) as connection:
            got = await receive_head(connection)
            if _read_head(got.head)[0] == HTTPStatus.SWITCHING_PROTOCOLS:
                return _handed(connection, got)
            answer = await _answer(connection, got)
            connection.close()
            return answer

    @asynccontextmanager
    async def _asked(
        self, line: str, body: Mapping[str, object] | None
    ) -> AsyncIterator[socket.socket]:
        """Lend a connection on which something was asked; it is closed when that fails."""
        loop = asyncio.get_running_loop()
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(0)
        try:
            await loop.sock_connect(connection, self._socket)
            await loop.sock_sendall(connection, _request(line, body))
            yield connection
        except BaseException:
            connection.close()
            raise

    @asynccontextmanager
    async def _reaching(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                yield
        except (OSError, EOFError, ValueError) as error:
            _log.warning("engine.unreachable", socket=self._socket, error=repr(error))
            raise EngineUnavailableError(
                "the range's engine does not answer", hint="Try again shortly; tell an instructor"
            ) from error


def _request(line: str, body: Mapping[str, object] | None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    kind = "Content-Type: application/json\r\n" if content else ""
    head = f"{line}\r\nHost: engine\r\n{kind}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


def _handed(connection: socket.socket, got: Head) -> Handed:
    """Return the connection that came beside the answer, else the one that it came on."""
    if got.handed is None:
        return Handed(connection=connection, early=got.rest)
    return Handed(connection=got.handed, early=got.rest, lease=connection)


def _read_head(head: bytes) -> tuple[int, int]:
    """Return the answer's status, and how long its body is at most."""
    _version, status, *_ = head.split(maxsplit=2)  # what is no HTTP is a ValueError
    stated = _LENGTH.search(head)
    return int(status), min(int(stated[1]), _MOST_ANSWERED) if stated else _MOST_ANSWERED


async def _answer(connection: socket.socket, got: Head) -> Answer:
    """Return an answer whose beginning came with its head.

    It ends where it says, or with its connection, which the engine keeps if it was to hijack it.
    """
    loop, content = asyncio.get_running_loop(), bytearray(got.rest)
    status, length = _read_head(got.head)
    while len(content) < length and (piece := await loop.sock_recv(connection, _MOST_READ)):
        content += piece
    return Answer(status=status, body=bytes(content))
