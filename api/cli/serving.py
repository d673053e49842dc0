"""The process that serves the pages and the interface."""

import contextlib

import structlog

from api.app import create_app
from api.bootstrap import Services
from api.cli.listening import listen
from api.cli.process import look_for_engine
from api.serving import http_server

log = structlog.get_logger()


def serve_http(services: Services) -> None:
    """Serve until told to stop; raises PortInUseError, AddressUnusableError."""
    settings = services.settings
    look_for_engine(settings)
    bound = listen(settings.http_host, settings.http_port, "POLIGON_HTTP_PORT")
    server = http_server(create_app(services))
    log.info("api.started", address=settings.http_host, port=settings.http_port)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[bound])
    log.info("api.closed")
