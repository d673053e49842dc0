"""Commands are loaded when they are called, and every place that names one has it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from api.cli.main import app

ROOT = Path(__file__).parents[3]
HEAVY = ("asyncssh", "celery", "docker", "fastapi", "sqlalchemy")
LINT = f"""\
import sys
from api.cli.main import app
try:
    app(["scenario", "lint", "scenarios/night-shift"])
finally:
    print([name for name in {HEAVY} if name in sys.modules])
"""


def commands(group: Any, before: str = "") -> Iterator[str]:  # noqa: ANN401  # Typer's own Click
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{before}{name} ")
        else:
            assert command.help, f"{before}{name} says what it does"
            yield before + name


def test_every_command_is_where_it_is_looked_for() -> None:
    found = set(commands(get_command(app)))
    assert {
        "serve",
        "scenario lint",
        "scenario rehearse",
        "exercise pause",
        "score approve",
    } < found
    assert len(found) > 60  # many


def test_who_lints_loads_neither_engine_nor_database_nor_web_server() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_command_that_is_nearly_one_is_suggested() -> None:
    told = CliRunner().invoke(app, ["exercise", "puase"]).output
    assert "Did you mean 'pause'?" in told
