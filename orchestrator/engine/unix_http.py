"""The engine's HTTP over its unix socket, in asyncio: one connection a call, and hijacked ones.

The Docker SDK is synchronous: a thread per idle terminal (measured: 4 threads and 100 KB each).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus

import structlog

from core.errors import Fault, PoligonError
from orchestrator.ports import EngineUnavailableError

_log = structlog.get_logger()

_SCHEME = "unix://"
_HEAD_END = b"\r\n\r\n"
_TIMEOUT_SECONDS = 60  # an engine that raises a whole class's worlds answers late
_MOST_ANSWERED = 4 * 1024**2


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """A connection that the engine handed over to a process."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


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
        async with self._reaching():
            reader, writer = await asyncio.open_unix_connection(self._socket)
            try:
                # HTTP/1.0: the answer comes unchunked, and its end is the connection's.
                writer.write(_request(f"{method} {path} HTTP/1.0", body))
                await writer.drain()
                status = await _status(reader)
                return Answer(status=status, body=await _rest(reader))
            finally:
                writer.transport.abort()

    async def hijack(self, path: str, body: Mapping[str, object]) -> Pipe | Answer:
        """Return the connection that the engine handed over, or its answer if it did not."""
        async with self._reaching():
            reader, writer = await asyncio.open_unix_connection(self._socket)
            try:
                upgrade = f"POST {path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp"
                writer.write(_request(upgrade, body))
                await writer.drain()
                status = await _status(reader)
                if status == HTTPStatus.SWITCHING_PROTOCOLS:
                    return Pipe(reader=reader, writer=writer)
                answer = Answer(status=status, body=await _rest(reader))
            except BaseException:
                writer.transport.abort()
                raise
            writer.transport.abort()
            return answer

    @asynccontextmanager
    async def _reaching(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                yield
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            _log.warning("engine.unreachable", socket=self._socket, error=repr(error))
            raise EngineUnavailableError(
                "the range's engine does not answer", hint="Try again shortly; tell an instructor"
            ) from error


def _request(line: str, body: Mapping[str, object] | None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    kind = "Content-Type: application/json\r\n" if content else ""
    head = f"{line}\r\nHost: engine\r\n{kind}Content-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(_HEAD_END)
    _version, status, *_ = head.split(maxsplit=2)  # what is no HTTP is a ValueError
    return int(status)


async def _rest(reader: asyncio.StreamReader) -> bytes:
    content = bytearray()
    while len(content) < _MOST_ANSWERED and (piece := await reader.read(64 * 1024)):
        content += piece
    return bytes(content)
