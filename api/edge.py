"""What surrounds every request: an id, a size limit, security headers, one line in the log."""

import re
import time
from collections.abc import Awaitable, Callable, Iterator

import structlog
from fastapi import Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLargeError
from core.ids import new_id
from core.scenario.schema_tasks import LARGEST_FILE

log = structlog.get_logger()

# A launch with forty named teams is 20 kB.
_LARGEST_BODY = 256 * 1024
# A file goes on its way as it comes; its task's own limit is kept where it is written.
_LARGEST_UPLOAD = LARGEST_FILE + _LARGEST_BODY
_UPLOADS = re.compile(r"(/api/v1)?/exercises/[^/]+/tasks/[^/]+/deliveries")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_READING = {"GET", "HEAD"}
# A request without either has no body (RFC 9112, 6.3).
_OF_BODIES = ("content-length", "transfer-encoding")
_QUIET = {"/healthz", "/readyz"}
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_RAW_HEADERS = [(k.lower().encode(), v.encode()) for k, v in SECURITY_HEADERS.items()]

Respond = Callable[[Request, Exception], Response]


class Edge:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, *, respond: Respond) -> None:
        self._app = app
        self._respond = respond

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; an error that nobody answered becomes an answer here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        request.state.request_id = _request_id(request)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.state.request_id)
        answer = _Answer(request, send)
        try:
            await self._app(scope, await _body(request, receive), answer.send)
        except ClientDisconnect:
            return
        except Exception as error:  # the outermost loop of a request
            if not isinstance(error, BodyTooLargeError):
                log.exception("request.crashed", path=request.url.path)
            if answer.status:
                raise
            await self._respond(request, error)(scope, receive, answer.send)
        answer.log()


class _Answer:
    """Passes an answer on with our headers, and remembers its status."""

    def __init__(self, request: Request, send: Send) -> None:
        self.status = 0
        self._request = request
        self._path = request.scope["path"]
        self._send = send
        self._began = time.monotonic()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            message["headers"] = [*message["headers"], *self._ours(message)]
        await self._send(message)

    def _ours(self, message: Message) -> Iterator[tuple[bytes, bytes]]:
        """Give the headers that the answer has not."""
        has = {name for name, _ in message["headers"]}
        yield b"x-request-id", self._request.state.request_id.encode()
        yield from (header for header in _RAW_HEADERS if header[0] not in has)
        if b"cache-control" not in has and not self._path.startswith("/static/"):
            yield b"cache-control", b"no-store"

    def log(self) -> None:
        if self._path in _QUIET:
            return
        log.info(
            "request.done",
            method=self._request.method,
            path=self._path,
            status=self.status,
            milliseconds=round((time.monotonic() - self._began) * 1000, 1),
        )


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else new_id()


async def _body(request: Request, receive: Receive) -> Receive:
    """Return where the application gets the body from: whole, but for files that are handed in."""
    if request.method in _READING and not any(name in request.headers for name in _OF_BODIES):
        return receive
    if request.method == "POST" and _UPLOADS.fullmatch(request.url.path):
        _require_declared(request, _LARGEST_UPLOAD)
        return _at_most(_LARGEST_UPLOAD, receive)
    return _replay(await _whole_body(request), receive)


def _require_declared(request: Request, most: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise _too_large(most)


def _at_most(most: int, receive: Receive) -> Receive:
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(most)
        return message

    return counted


async def _whole_body(request: Request) -> bytes:
    """Return the body, read before anything else so that its size is known; all are small here."""
    _require_declared(request, _LARGEST_BODY)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise _too_large(_LARGEST_BODY)
    return bytes(body)


def _too_large(most: int) -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the request is larger than {most // 1024} KiB", hint="Send less at once"
    )


def _replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
