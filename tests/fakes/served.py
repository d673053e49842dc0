"""An ASGI application behind a real port of the loopback."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import uvicorn
from starlette.types import ASGIApp

from core.waiting import until


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Lend the application's address, such as `http://127.0.0.1:40123`."""
    bound = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        until(
            lambda: server.started,
            what="the server to start",
            within=timedelta(seconds=10),
            every=timedelta(milliseconds=5),
        )
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
