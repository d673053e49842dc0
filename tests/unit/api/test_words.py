"""The words of the command line: each leads somewhere, and loads no more than it needs."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from api.cli.main import app
from api.cli.words import Later

ROOT = Path(__file__).parents[3]
COMMANDS = typer.main.get_group(app)
GROUPS = {name: found for name, found in COMMANDS.commands.items() if isinstance(found, TyperGroup)}
ALONE = {name: found for name, found in COMMANDS.commands.items() if isinstance(found, Later)}

HEAVY = {"alembic", "asyncssh", "celery", "docker", "fastapi", "httpx", "sqlalchemy", "uvicorn"}


# Every command as it is typed.
LINES: list[tuple[str, ...]] = [
    *((name,) for name in ALONE),
    *((name, word) for name, group in GROUPS.items() for word in group.commands),
]


def test_there_is_no_other_kind_of_command() -> None:
    assert GROUPS
    assert ALONE
    assert not set(COMMANDS.commands) - set(GROUPS) - set(ALONE)


@pytest.mark.parametrize("line", LINES, ids=" ".join)
def test_every_word_leads_to_a_command_with_an_example(line: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*line, "--help"])
    assert shown.exit_code == 0, shown.output
    assert f"poligon {' '.join(line)}" in " ".join(shown.output.replace("│", "").split())


@pytest.mark.parametrize("name", ALONE)
def test_the_line_in_the_help_is_what_the_command_says_itself(name: str) -> None:
    itself = ALONE[name].loaded()
    assert ALONE[name].help
    assert (itself.help or "").startswith(ALONE[name].help or "nothing")


def test_a_misspelt_word_gets_the_right_one() -> None:
    refused = CliRunner().invoke(app, ["scenario", "lnt"])
    assert refused.exit_code == 2
    assert "Did you mean 'lint'" in refused.output


@pytest.mark.parametrize(
    "line",
    [
        ("--help",),
        ("scenario", "lint", "scenarios/night-shift"),
        ("scenario", "diff", "scenarios/night-shift", "scenarios/night-shift"),
        ("scenario", "schema"),
    ],
    ids=" ".join,
)
def test_what_needs_neither_database_nor_engine_loads_neither(line: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "api.cli.main", *line],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = {row.rpartition("|")[2].strip().partition(".")[0] for row in done.stderr.splitlines()}
    assert "typer" in loaded
    assert not loaded & HEAVY
