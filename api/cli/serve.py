"""`poligon serve`: the pages and the interface, or a whole site under one supervisor."""

import importlib
import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from api.cli.database import have_current, services_ready
from api.cli.listening import listen
from api.cli.output import reporting
from api.cli.process import SupervisedBy, begin
from api.cli.supervisor import GRACE, supervise
from core.settings import Settings, read_settings

_PYTHON = (sys.executable, "-m")


def serve(
    *,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Broker, worker and gateway, too, under one supervisor."),
    ] = False,
    supervised_by: SupervisedBy = None,
) -> None:
    """Serve the pages and the interface. Example: poligon serve --all."""
    with reporting():
        begin(supervised_by)
        settings = read_settings()
        if everything:
            raise typer.Exit(_serve_all(settings))
        if settings.api_processes > 1 and supervised_by is None:
            raise typer.Exit(_serve_together(settings))
        with services_ready() as services:
            # Loaded by who serves: the supervisor needs nothing of it.
            importlib.import_module("api.cli.serving").serve_http(services)


def _serve_all(settings: Settings) -> int:
    have_current(settings)
    _try_http(settings)
    listen(settings.ssh_host, settings.ssh_port, "POLIGON_SSH_PORT").close()
    gateways = _numbered("gateway", settings.gateways)
    parts = {"worker": "worker", **gateways, **_numbered("serve", settings.api_processes)}
    commands = {"broker": [*_PYTHON, "api.cli.broker"], **_poligon(parts)}
    return supervise(commands, grace=GRACE + settings.drain)


def _serve_together(settings: Settings) -> int:
    have_current(settings)
    _try_http(settings)
    return supervise(_poligon(_numbered("serve", settings.api_processes)))


def _try_http(settings: Settings) -> None:
    """Ask for the port now, for one clear sentence: processes would say it with every restart."""
    listen(settings.http_host, settings.http_port, "POLIGON_HTTP_PORT").close()


def _numbered(command: str, count: int) -> dict[str, str]:
    """Return so many names of processes, each with its command."""
    names = [command, *(f"{command}-{number}" for number in range(2, count + 1))]
    return dict.fromkeys(names, command)


def _poligon(parts: Mapping[str, str]) -> dict[str, list[str]]:
    return {name: [*_PYTHON, "api.cli.main", command] for name, command in parts.items()}
