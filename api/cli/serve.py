"""`poligon serve`: the pages and the interface, or a whole site under one supervisor."""

import importlib
import sys
from typing import Annotated

import typer

from api.cli.database import have_current, services_ready
from api.cli.listening import listen
from api.cli.output import reporting
from api.cli.process import SupervisedBy, begin
from api.cli.supervisor import GRACE, supervise
from core.settings import Settings, read_settings


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
        if everything:
            raise typer.Exit(_serve_all(read_settings()))
        with services_ready() as services:
            # Loaded by who serves: the supervisor needs nothing of it.
            importlib.import_module("api.cli.serving").serve_http(services)


def _serve_all(settings: Settings) -> int:
    have_current(settings)
    # Asked now for one clear sentence: the processes would say it again with every restart.
    for host, port, setting in (
        (settings.http_host, settings.http_port, "POLIGON_HTTP_PORT"),
        (settings.ssh_host, settings.ssh_port, "POLIGON_SSH_PORT"),
    ):
        listen(host, port, setting).close()
    python = [sys.executable, "-m"]
    gateways = dict.fromkeys(_names_of_gateways(settings.gateways), "gateway")
    parts = {"worker": "worker", **gateways, "serve": "serve"}
    whole = {name: [*python, "api.cli.main", command] for name, command in parts.items()}
    commands = {"broker": [*python, "api.cli.broker"], **whole}
    return supervise(commands, grace=GRACE + settings.drain)


def _names_of_gateways(count: int) -> list[str]:
    return ["gateway", *(f"gateway-{number}" for number in range(2, count + 1))]
