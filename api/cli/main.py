"""The command `poligon`."""

import importlib
import logging
from typing import Annotated

import typer

from api.cli import (
    broker,
    casting,
    certificates,
    check,
    conduct,
    correcting,
    database,
    difference,
    doctor,
    exercise,
    gateway,
    importing,
    inject,
    marks,
    people,
    processes,
    public_board,
    recordings,
    rehearsal,
    reports,
    scenario,
    score,
    starter,
    traffic,
)
from core.log import configure_logging

app = typer.Typer(
    name="poligon",
    help="Cyber-range exercises from one YAML file: built on Docker, played over SSH, scored.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
scenario.app.command("import")(importing.import_content)
scenario.app.command("rehearse")(rehearsal.rehearse)
scenario.app.command("new")(starter.new)
scenario.app.command("diff")(difference.diff)
app.add_typer(scenario.app, name="scenario")
for _command in (conduct.pause, conduct.resume, conduct.extend, conduct.events):
    exercise.app.command()(_command)
exercise.app.command()(casting.role)
exercise.app.command("public-board")(public_board.public_board)
exercise.app.command("ssh-config")(casting.ssh_config_files)
exercise.app.command("dropped")(traffic.dropped)
exercise.app.command("sessions")(recordings.sessions)
exercise.app.command("recording")(recordings.recording)
for _after in (reports.report, reports.handout, reports.signals):
    exercise.app.command()(_after)
app.add_typer(exercise.app, name="exercise")
app.add_typer(reports.app, name="improvement")
app.add_typer(inject.app, name="inject")
app.add_typer(marks.app, name="marks")
app.add_typer(check.app, name="check")
for _correcting in (
    correcting.propose,
    correcting.preview,
    correcting.approve,
    correcting.reject,
    correcting.withdraw,
    correcting.corrections,
):
    score.app.command()(_correcting)
app.add_typer(score.app, name="score")
app.add_typer(people.app, name="user")
app.add_typer(certificates.app, name="ca")
app.add_typer(database.app, name="db")
app.command("serve")(processes.serve)
app.command("worker")(processes.worker)
app.add_typer(gateway.app, name="gateway")
app.command("broker")(broker.broker)
app.command("doctor")(doctor.doctor)
app.command("down")(processes.down)


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
