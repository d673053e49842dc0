"""`poligon scenario`: lint, plan, build, the language itself, and what makes evidence."""

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.bootstrap import open_engine
from api.cli.output import Exit, Json, Output, harmless, reporting
from api.cli.planning import Forecast, forecast
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
from core.scenario.site_policy import HOW_TO_PERMIT
from core.settings import Settings, read_settings
from orchestrator.domain.plan import named_images
from orchestrator.images import image_builds

app = typer.Typer(
    help="Scenarios: check, plan and build them; their language.", no_args_is_help=True
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
_MIB = 1024**2


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


@app.command("plan")
def plan(
    path: ScenarioPath,
    *,
    teams: Annotated[int, typer.Option(min=1, max=1000, help="How many teams.")] = 1,
    as_json: Json = False,
) -> None:
    """Show what a launch would create here, and whether it fits. Nothing is created.

    Example: poligon scenario plan scenarios/night-shift --teams 20

    Exits with 4 when the site's policy refuses it.
    """
    with reporting(as_json=as_json) as output:
        settings = read_settings()
        policy, loaded = read_policy(settings.policy), load(path, settings, judged=False)
        shown = forecast(loaded, settings, open_engine(settings), teams=teams, policy=policy)
        output.data(shown.as_data())
        _tell(output, shown)
        raise typer.Exit(Exit.OK if shown.may_be_launched else Exit.REFUSED)


@app.command("build")
def build(path: ScenarioPath, *, as_json: Json = False) -> None:
    """Build the scenario's images for this installation; a launch then finds them.

    Example: poligon scenario build scenarios/night-shift
    """
    with reporting(as_json=as_json) as output:
        settings = read_settings()
        loaded = load(path, settings)
        engine = open_engine(settings)
        for reference in named_images(loaded):
            engine.require_image(reference)
        built = []
        for image in image_builds(settings.installation, loaded):
            began = time.monotonic()
            engine.build_image(image)
            seconds = round(time.monotonic() - began, 1)
            built.append(
                {
                    "host": image.host,
                    "service": image.service,
                    "image": image.reference,
                    "seconds": seconds,
                }
            )
            output.note(f"{image}: {image.reference} ({seconds} s)")
        output.data(built)


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


def _tell(output: Output, shown: Forecast) -> None:
    places = [(t.team, name, subnet) for t in shown.teams for name, subnet in t.networks.items()]
    output.table(f"{shown.title}: {len(shown.teams)} teams", ("team", "network", "subnet"), places)
    output.line()
    hosts = [
        (
            team.team,
            host.host,
            ", ".join(host.addresses),
            f"{host.memory // _MIB} MiB",
            f"{host.cpus:g}",
            str(host.pids),
        )
        for team in shown.teams
        for host in team.hosts
    ]
    output.table("Hosts", ("team", "host", "addresses", "memory", "CPUs", "processes"), hosts)
    output.line()
    images = [
        (
            ", ".join((*image.hosts, *(f"checker of {name}" for name in image.services))),
            image.state,
            f"{image.bytes // _MIB} MiB" if image.bytes is not None else "",
            image.image,
        )
        for image in shown.images
    ]
    output.table("Images", ("runs on", "state", "size", "image"), images)
    output.line()
    if shown.services:
        services = [(s.service, s.host, s.network, str(s.port)) for s in shown.services]
        title = f"Services, asked every {shown.round_seconds:g} s by a checker each"
        output.table(title, ("service", "host", "network", "port"), services)
        output.line()
    for line in _totals(shown):
        output.line(line)
    for line in (*shown.remarks, *shown.short, *shown.permitted):
        output.line(line)
    if not shown.may_be_launched:
        output.line("The site's policy refuses this launch")
    for line in shown.beyond:
        output.line(f"  {line}")
    if shown.refused:
        output.line(f"{HOW_TO_PERMIT}:")
    for line in shown.refused:
        output.line(f"  {line}")


def _totals(shown: Forecast) -> Iterator[str]:
    yield (
        f"{shown.hosts} hosts, at most {shown.memory // _MIB} MiB of memory, {shown.cpus:g} CPUs"
        f" and {shown.pids} processes"
    )
    yield (
        f"{shown.networks} networks with {shown.addresses:,} addresses of the"
        f" {shown.pool:,} in this site's pools"
    )
    if shown.site is not None:
        site = shown.site
        yield (
            f"The engine {site.version} has {site.memory // _MIB} MiB of memory, {site.cpus} CPUs"
            f" and {site.disk.free // _MIB} MiB of disk free, and runs {site.containers} containers"
        )
