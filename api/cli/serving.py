"""The process that serves the pages and the interface."""

import contextlib

import structlog
import uvicorn

from api.app import create_app
from api.bootstrap import Services
from api.cli.listening import listen
from api.cli.process import look_for_engine
from orchestrator.gateway.inner_words import LARGEST_FRAME

log = structlog.get_logger()

_GOODBYE_SECONDS = 5


def serve_http(services: Services) -> None:
    """Serve until told to stop; raises PortInUseError, AddressUnusableError."""
    settings = services.settings
    look_for_engine(settings)
    bound = listen(settings.http_host, settings.http_port, "POLIGON_HTTP_PORT")
    config = uvicorn.Config(
        create_app(services),
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=LARGEST_FRAME,
        ws_per_message_deflate=False,  # a compressor for each terminal costs more than it saves
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )
    log.info("api.started", address=settings.http_host, port=settings.http_port)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[bound])
    log.info("api.closed")
