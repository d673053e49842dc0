"""The command `poligon`."""

import importlib
import logging
from typing import Annotated

import typer

from api.cli.later import later
from core.log import configure_logging

_PARTS = {
    "serve": "api.cli.processes:serve",
    "worker": "api.cli.processes:worker",
    "broker": "api.cli.broker:broker",
    "doctor": "api.cli.doctor:doctor",
    "down": "api.cli.processes:down",
    "scenario": "api.cli.scenario:app",
    "exercise": "api.cli.exercise:app",
    "improvement": "api.cli.reports:app",
    "inject": "api.cli.inject:app",
    "marks": "api.cli.marks:app",
    "check": "api.cli.check:app",
    "score": "api.cli.score:app",
    "user": "api.cli.people:app",
    "ca": "api.cli.certificates:app",
    "db": "api.cli.database:app",
    "gateway": "api.cli.gateway:app",
}
app = typer.Typer(
    name="poligon",
    cls=later(_PARTS),
    help="Cyber-range exercises from one YAML file: built on Docker, played over SSH, scored.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _quietly() -> None:
    """Keep logs on stderr, and only what is wrong; `serve` and its like log as they go."""
    configure_logging(level=logging.WARNING)


@app.command("demo")
def demo(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Play it as users would, then remove it.")
    ] = False,
) -> None:
    """Run the starter exercise for two teams, and say how to get in."""
    # Loaded when asked for: it brings the parts of a whole site along.
    importlib.import_module("api.cli.demo").demo(check=check)


def run() -> None:
    """Run the command line of this process."""
    app()


if __name__ == "__main__":
    run()
