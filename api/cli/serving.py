"""The process that serves the pages and the interface."""

import contextlib
import gc
import sys

import structlog

from api.app import create_app
from api.bootstrap import Services
from api.cli.listening import listen
from api.cli.process import look_for_engine
from api.serving import http_server
from core.garbage import settled_memory

log = structlog.get_logger()

# Python's own 5 ms are what each request would wait for while a thread makes a board.
_TURN_OF_A_THREAD_SECONDS = 0.0005


def serve_http(services: Services) -> None:
    """Serve until told to stop; raises PortInUseError, AddressUnusableError."""
    settings = services.settings
    look_for_engine(settings)
    is_shared = settings.api_processes > 1
    bound = listen(settings.http_host, settings.http_port, "POLIGON_HTTP_PORT", shared=is_shared)
    server = http_server(create_app(services))
    sys.setswitchinterval(_TURN_OF_A_THREAD_SECONDS)
    log.info("api.started", address=settings.http_host, port=settings.http_port)
    gc.collect()
    with contextlib.suppress(KeyboardInterrupt), settled_memory():
        server.run(sockets=[bound])
    log.info("api.closed")
