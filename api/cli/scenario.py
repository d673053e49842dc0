"""`poligon scenario`: lint, plan, build, the language itself, and what makes evidence."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.cli.later import later
from api.cli.output import Exit, Json, harmless, reporting
from core.errors import Fault, PoligonError
from core.scenario.generators.description import described
from core.scenario.generators.registry import GENERATORS
from core.scenario.json_schema import json_schema, json_schema_text
from core.scenario.key_reference import reference
from core.scenario.lint import lint_all
from core.scenario.load import LoadedScenario
from core.scenario.load import load as load_scenario
from core.scenario.policy_file import read_policy
from core.scenario.positions import Severity
from core.settings import Settings, read_settings

_PARTS = {
    "plan": "api.cli.preparing:plan",
    "build": "api.cli.preparing:build",
    "import": "api.cli.importing:import_content",
    "rehearse": "api.cli.rehearsal:rehearse",
    "new": "api.cli.starter:new",
    "diff": "api.cli.difference:diff",
}
app = typer.Typer(
    cls=later(_PARTS),
    help="Scenarios: check, plan and build them; their language.",
    no_args_is_help=True,
)

ScenarioPath = Annotated[
    str,
    typer.Argument(
        metavar="PATH",
        help="A scenario's folder or scenario.yaml, or the name of one in POLIGON_SCENARIOS.",
    ),
]

ScenarioPaths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH…",
        help="Scenarios' folders or scenario.yaml, or names of some in POLIGON_SCENARIOS.",
    ),
]


class FileUnwritableError(PoligonError):
    """A file that was asked for cannot be written."""

    code = "file.unwritable"
    fault = Fault.INPUT


OutputFile = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write it there, and print nothing."),
]


class ScenarioMissingError(PoligonError):
    """There is nothing at a path that should be a scenario."""

    code = "scenario.missing"
    fault = Fault.MISSING


@app.command("lint")
def lint_scenario(
    paths: ScenarioPaths,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
    as_json: Json = False,
) -> None:
    """Print every error and warning as file:line:col. Example: poligon scenario lint scenarios/*.

    Exits with 0 when there is no error, with 1 when there is, with 2 for wrong use.
    """
    with reporting(as_json=as_json) as output:
        try:
            settings = read_settings()
            places = [located(path, settings) for path in paths]
        except ScenarioMissingError as error:
            output.problem(error)
            raise typer.Exit(Exit.USAGE) from error
        policy = read_policy(settings.policy)
        problems = [problem for found in lint_all(places, policy) for problem in found]
        output.data(
            [
                {
                    "file": p.file,
                    "line": p.line,
                    "column": p.column,
                    "severity": p.severity,
                    "message": p.message,
                }
                for p in problems
            ]
        )
        for problem in problems:
            output.line(str(problem))
        failed = [p for p in problems if strict or p.severity is Severity.ERROR]
        raise typer.Exit(Exit.ERROR if failed else Exit.OK)


@app.command("schema")
def schema(*, output_file: OutputFile = None) -> None:
    """Print the JSON Schema of scenario.yaml, for editors. Example: poligon scenario schema.

    A first line `# yaml-language-server: $schema=FILE` tells an editor where it is.
    """
    _publish(json_schema_text(), output_file)


@app.command("reference")
def key_reference(*, output_file: OutputFile = None) -> None:
    """Print every key of scenario.yaml, in Markdown. Example: poligon scenario reference."""
    _publish(reference(json_schema()), output_file)


def _publish(text: str, output_file: Path | None) -> None:
    with reporting() as output:
        if output_file is None:
            output.line(text.rstrip("\n"))
            return
        try:
            output_file.write_text(text)
        except OSError as error:
            raise FileUnwritableError(f"{output_file}: {error.strerror}") from error


@app.command("generators")
def list_generators(*, as_json: Json = False) -> None:
    """List what makes evidence, with its parameters. Example: poligon scenario generators."""
    with reporting(as_json=as_json) as output:
        output.data([_generator_data(name) for name in GENERATORS])
        for name, generator in GENERATORS.items():
            rows = [
                (one.name, one.type, "required" if one.required else one.default or "", one.text)
                for one in described(generator.parameters)
            ]
            title = f"{name}: {generator.summary}"
            output.table(title, ("parameter", "type", "default", "is"), rows, wide=3)
            output.line(f"  - {generator.example}\n")


def _generator_data(name: str) -> dict[str, object]:
    generator = GENERATORS[name]
    return {
        "name": name,
        "summary": generator.summary,
        "fills_folder": generator.fills_folder,
        "parameters": [asdict(one) for one in described(generator.parameters)],
        "example": generator.example,
    }


def load(path: str, settings: Settings, *, judged: bool = True) -> LoadedScenario:
    """Return the scenario at a path, or of that name; warnings go to stderr.

    The site's policy is asked unless it is not to be `judged`.
    Raises ScenarioMissingError, ScenarioInvalidError, PolicyInvalidError.
    """
    policy = read_policy(settings.policy) if judged else None
    loaded = load_scenario(located(path, settings), policy)
    for warning in loaded.warnings:
        print(harmless(str(warning)), file=sys.stderr)  # noqa: T201  # this is the output
    return loaded


def located(path: str, settings: Settings) -> Path:
    """Return where the scenario is; raises ScenarioMissingError."""
    given, named = Path(path), settings.scenarios / path
    for place in (given, named):
        if place.is_dir() or place.is_file():
            return place
    raise ScenarioMissingError(
        f"there is no scenario {path!r}, neither here nor in {settings.scenarios}",
        hint="Give a folder with a scenario.yaml in it",
    )
