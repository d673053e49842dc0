"""`poligon check`: try one check, and declare maintenance."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from api.bootstrap import Services
from api.cli.conduct import Reason, Team, duration
from api.cli.database import services_ready
from api.cli.exercise import OPERATOR, Name
from api.cli.output import Exit, Json, Output, reporting
from api.cli.scenario import load
from api.engine import open_engine
from api.rehearsal.trying import try_check
from api.teams import team_for
from api.v1.check_models import WindowOut, window_out
from core.clock import Clock, SystemClock
from core.errors import Fault, PoligonError
from core.scenario.fields import parse_instant
from orchestrator.service import ExerciseUnknownError
from scoring.checks.probes import Finding
from scoring.domain.verdicts import Verdict
from scoring.maintenance import Declared


class InstantInvalidError(PoligonError):
    """Text that is not a time with a zone."""

    code = "instant.invalid"
    fault = Fault.INPUT


def run(
    target: Annotated[
        str, typer.Argument(metavar="EXERCISE|SCENARIO", help="Where; a scenario is raised for it.")
    ],
    check: Annotated[str, typer.Argument(help="The check.")],
    *,
    team: Annotated[str, typer.Option("--team", help="Of an exercise: whose.")] = "team-1",
    as_json: Json = False,
) -> None:
    """Look once, say what was seen, and book nothing.

    In an exercise at a team's world as it stands; of a scenario at one that is raised for it, as at
    the start, and removed. Example: poligon check run night-shift-k3f mail_up --team team-2

    Exits with 6 when the check does not pass.
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        clock = SystemClock()
        found, took = _looked(services, clock, target, check, team, output)
        seconds = round(took.total_seconds(), 3)
        output.data(
            {
                "check": check,
                "verdict": found.verdict,
                "seconds": seconds,
                "output": found.output,
            }
        )
        output.line(f"{check}: {found.verdict} in {seconds:g} s")
        output.line(found.output.rstrip() or "(it said nothing)")
        raise typer.Exit(Exit.OK if found.verdict is Verdict.UP else Exit.PARTIAL)


def maintenance(
    name: Name,
    length: Annotated[str, typer.Argument(help="How long, such as 10m.")],
    *,
    start: Annotated[
        str, typer.Option("--from", help="When it begins, in ISO 8601 with a zone; else now.")
    ] = "",
    team: Team = "",
    check: Annotated[str, typer.Option("--check", help="One check only.")] = "",
    reason: Reason,
    as_json: Json = False,
) -> None:
    """Declare maintenance: rounds of checks in it count neither for a team nor against it.

    Example: poligon check maintenance night-shift-k3f 10m --reason "the uplink is replaced"
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        declared = Declared(
            length=duration(length),
            reason=reason,
            start=_instant(start),
            team=team_for(exercise, OPERATOR, team) if team else None,
            check=check or None,
        )
        window = services.scoring.maintenance.declare(exercise, declared, by=None)
        output.data(window_out(window).model_dump(mode="json"))
        output.line(f"Declared for {exercise.name}")
        _tell(output, [window_out(window)])


def windows(name: Name, *, as_json: Json = False) -> None:
    """List the maintenance windows of an exercise. Example: poligon check windows NAME."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        found = services.scoring.maintenance.all(services.exercises.get(name))
        shown = [window_out(window) for window in found]
        output.data([window.model_dump(mode="json") for window in shown])
        _tell(output, shown)


def _looked(
    services: Services, clock: Clock, target: str, check: str, team: str, output: Output
) -> tuple[Finding, timedelta]:
    try:
        exercise = services.exercises.get(target)
    except ExerciseUnknownError:
        loaded = load(target, services.settings)
        return try_check(
            loaded,
            check,
            site=services.settings,
            clock=clock,
            open_engine=open_engine,
            say=output.note,
        )
    whose = team_for(exercise, OPERATOR, team)
    began = clock.now()
    found = services.scoring.look(exercise, whose, check)
    return found, clock.now() - began


def _instant(text: str) -> datetime | None:
    try:
        return parse_instant(text) if text else None
    except ValueError as error:
        raise InstantInvalidError(str(error), hint="Write it like 2026-11-23T14:30Z") from error


def _tell(output: Output, windows: list[WindowOut]) -> None:
    rows = [
        (
            f"{window.start:%Y-%m-%d %H:%M:%S}",
            f"{window.end:%Y-%m-%d %H:%M:%S}",
            window.team or "all",
            window.check or "all",
            window.reason,
        )
        for window in windows
    ]
    output.table("Maintenance, in UTC", ("from", "to", "team", "check", "reason"), rows)
