"""`poligon scenario rehearse`: prove that a scenario can be played and solved."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from api.cli.database import services_ready
from api.cli.output import Exit, Json, Output, reporting
from api.cli.scenario import ScenarioPath, load
from api.engine import open_engine
from api.rehearsal.rehearsing import Rehearsing
from api.rehearsal.site import settings_of
from core.clock import SystemClock
from core.errors import Fault, PoligonError
from core.scenario.load import ScenarioInvalidError
from core.settings import Settings
from orchestrator.domain.rehearsal import Rehearsal

_MIB = 1024**2


class NeverRehearsedError(PoligonError):
    """This content of the scenario was never rehearsed here."""

    code = "rehearsal.missing"
    fault = Fault.MISSING


def rehearse(
    path: ScenarioPath,
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the worlds standing, to look into them.")
    ] = False,
    last: Annotated[
        bool, typer.Option("--last", help="Show the last rehearsal of this content instead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Build, play, solve and remove a scenario, to prove that it works.

    Example: poligon scenario rehearse scenarios/night-shift

    Exits with 8 when the scenario is broken, with 1 when this site is, with 4 when its policy
    refuses the scenario.
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        try:
            loaded = load(path, services.settings, judged=False)  # the launch asks
        except ScenarioInvalidError as error:
            output.problem(error)
            raise typer.Exit(Exit.BROKEN_SCENARIO) from error
        if last:
            found = services.rehearsals.of([loaded.digest]).get(loaded.digest)
            if found is None:
                mine = {loaded.digest: loaded.scenario.scenario.id}
                doubt = services.rehearsals.doubts(mine)[loaded.digest]
                raise NeverRehearsedError(
                    f"nothing is known of this content: {doubt}", hint="Rehearse it"
                )
        else:
            rehearsing = Rehearsing(
                services.settings, clock=SystemClock(), open_engine=open_engine, say=output.note
            )
            found = rehearsing.rehearse(loaded, keep=keep)
            services.rehearsals.keep(found)
        output.data(as_data(found))
        _tell(output, found)
        if keep:
            _tell_kept(output, services.settings)
        raise typer.Exit(Exit.OK if found.passed else Exit.BROKEN_SCENARIO)


def as_data(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return a rehearsal for JSON."""
    return {**asdict(rehearsal), "at": rehearsal.at.isoformat(), "passed": rehearsal.passed}


def _tell(output: Output, rehearsal: Rehearsal) -> None:
    proven = rehearsal.proven
    verdict = "works" if rehearsal.passed else "is broken"
    output.line(
        f"{rehearsal.scenario} {rehearsal.version} {verdict}: {rehearsal.at:%Y-%m-%d %H:%M} UTC"
    )
    for finding in rehearsal.findings:
        output.line(f"  ✗ {finding}")
    for remark in rehearsal.remarks:
        output.line(f"  note: {remark}")
    output.line(
        f"{proven.answers} answers and {proven.files} files accepted,"
        f" {proven.checks} checks seen to fail, {proven.injects} injects went out"
        + (f", {proven.services} services robbed, mended and safe" if proven.services else "")
    )
    output.line()
    output.table("Time", ("step", "seconds"), [(s.name, f"{s.seconds:g}") for s in rehearsal.steps])
    output.table(
        "Hosts at most",
        ("team", "memory", "processor time", "processors"),
        [
            (u.team, f"{u.peak_memory / _MIB:.0f} MiB", f"{u.cpu_seconds:g} s", f"{u.peak_cpus:g}")
            for u in rehearsal.use
        ],
    )
    output.table(
        "Images",
        ("runs on", "size"),
        [
            (i.host or f"checker of {i.service}", f"{i.bytes / _MIB:.0f} MiB")
            for i in rehearsal.images
        ],
    )


def _tell_kept(output: Output, site: Settings) -> None:
    kept = settings_of(site)
    site_of_it = f"POLIGON_HOME={kept.home} POLIGON_INSTALLATION={kept.installation}"
    output.note(
        f"The worlds still stand, as an installation of their own. To remove them:"
        f"\n  {site_of_it} poligon down"
        "\nThe next rehearsal removes them, too."
    )
