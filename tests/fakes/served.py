"""An ASGI application behind a real port of the loopback."""

import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from starlette.types import ASGIApp

from api.serving import http_server
from core.waiting import until

# Opens a port by its number, somewhere else.
Door = Callable[[int], socket.socket]


@contextmanager
def served(
    app: ASGIApp, *, address: str = "127.0.0.1", doors: tuple[Door, ...] = ()
) -> Iterator[str]:
    """Lend the application's address, such as `http://127.0.0.1:40123`.

    It answers behind the same port at each of `doors`, too.
    """
    bound = socket.create_server((address, 0))
    port = bound.getsockname()[1]
    sockets = [bound, *(door(port) for door in doors)]
    server = http_server(app, lifespan="off")
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    try:
        until(
            lambda: server.started,
            what="the server to start",
            within=timedelta(seconds=60),
            every=timedelta(milliseconds=5),
        )
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=60)
        assert not thread.is_alive(), f"the server does not end: {_where(thread)}"


def _where(thread: threading.Thread) -> list[str]:
    """Return what a thread is at, the innermost last."""
    frame = sys._current_frames().get(thread.ident or 0)
    return [f"{at.name}:{at.lineno}" for at in traceback.extract_stack(frame)]
