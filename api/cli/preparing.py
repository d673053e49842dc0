"""`poligon scenario plan|build`: what a launch would create here, and its images beforehand."""

import time
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from api.cli.output import Exit, Json, Output, reporting
from api.cli.planning import Forecast, forecast
from api.cli.scenario import ScenarioPath, load
from api.engine import open_engine
from core.scenario.policy_file import read_policy
from core.scenario.site_policy import HOW_TO_PERMIT
from core.settings import read_settings
from orchestrator.domain.plan import named_images
from orchestrator.images import image_builds

_MIB = 1024**2


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


def _tell(output: Output, shown: Forecast) -> None:
    places = [(t.team, name, subnet) for t in shown.teams for name, subnet in t.networks.items()]
    output.line(f"{shown.title}: {len(shown.teams)} teams\n")
    _table(output, "Networks", ("team", "network", "subnet"), places)
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
    _table(output, "Hosts", ("team", "host", "addresses", "memory", "CPUs", "processes"), hosts)
    images = [
        (
            ", ".join((*image.hosts, *(f"checker of {name}" for name in image.services))),
            image.state,
            f"{image.bytes // _MIB} MiB" if image.bytes is not None else "",
            image.image,
        )
        for image in shown.images
    ]
    _table(output, "Images", ("runs on", "state", "size", "image"), images)
    services = [(s.service, s.host, s.network, str(s.port)) for s in shown.services]
    title = f"Services, asked every {shown.round_seconds or 0:g} s by a checker each"
    _table(output, title, ("service", "host", "network", "port"), services)
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


def _table(
    output: Output, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Print a table, unless nothing is in it: a tabletop has neither networks nor hosts."""
    if rows:
        output.table(title, columns, rows)
        output.line()


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
