"""The HTTP server: uvicorn on uvloop and httptools, with a bound on what has no end."""

from typing import Literal

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from orchestrator.gateway.inner_words import LARGEST_FRAME

_LARGEST_HEAD = 64 * 1024  # bytes, as h11 has it
_GOODBYE_SECONDS = 5


class BoundedHeads(HttpToolsProtocol):
    """A connection that ends when the head or the trailers of a request do not.

    httptools keeps what it is sent until a head is whole, however long that is.
    """

    _kept = 0

    def data_received(self, data: bytes) -> None:
        """Take what came: what neither ends a head nor is part of a body is kept."""
        self._kept += len(data)
        super().data_received(data)
        if self._kept > _LARGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._kept = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass a piece of a body on."""
        self._kept = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._kept = 0
        super().on_message_complete()


def http_server(app: ASGIApp, *, lifespan: Literal["auto", "off"] = "auto") -> uvicorn.Server:
    """Return what serves `app`; loop and parser are named, not whichever are installed."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http=BoundedHeads,
            lifespan=lifespan,
            log_config=None,
            access_log=False,
            server_header=False,
            ws_max_size=LARGEST_FRAME,
            # A compressor for each terminal costs more than it saves.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_GOODBYE_SECONDS,
        )
    )
