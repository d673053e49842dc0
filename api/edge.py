"""What surrounds every request: an id, a size limit, security headers, one line in the log."""

import re
import time
from collections.abc import Awaitable, Callable

import structlog
from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLargeError
from core.ids import new_id

log = structlog.get_logger()

# A launch with forty named teams is 20 kB.
_LARGEST_BODY = 256 * 1024
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
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
            body = await _whole_body(request)
            await self._app(scope, _replay(body, receive), answer.send)
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
        self._send = send
        self._began = time.monotonic()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._request.state.request_id
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            if not self._request.url.path.startswith("/static/"):
                headers.setdefault("Cache-Control", "no-store")
        await self._send(message)

    def log(self) -> None:
        if self._request.url.path in _QUIET:
            return
        log.info(
            "request.done",
            method=self._request.method,
            path=self._request.url.path,
            status=self.status,
            milliseconds=round((time.monotonic() - self._began) * 1000, 1),
        )


def _request_id(request: Request) -> str:
    given = request.headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else new_id()


async def _whole_body(request: Request) -> bytes:
    """Return the body, read before anything else so that its size is known; all are small here."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > _LARGEST_BODY:
        raise _too_large()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise _too_large()
    return bytes(body)


def _too_large() -> BodyTooLargeError:
    return BodyTooLargeError(
        f"the request is larger than {_LARGEST_BODY // 1024} KiB", hint="Send less at once"
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
