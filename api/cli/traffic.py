"""`poligon exercise dropped`: what a team's router did not let pass."""

from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.database import services_ready
from api.cli.exercise import OPERATOR, Name
from api.cli.output import Json, reporting
from api.teams import team_for
from orchestrator.domain.world import WorldKey

Team = Annotated[str, typer.Argument(help="The team, such as team-1.")]


def dropped(name: Name, team: Team, *, as_json: Json = False) -> None:
    """Show what a team's router dropped in the last half hour, the most frequent first.

    Example: poligon exercise dropped night-shift-k3f team-1
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        found = team_for(exercise, OPERATOR, team)
        drops = services.engine.dropped(WorldKey(exercise=exercise.id, team=found.slug))
        output.data(
            [
                asdict(drop) | {"source": str(drop.source), "target": str(drop.target)}
                for drop in drops
            ]
        )
        rows = [
            (
                str(drop.source),
                str(drop.target),
                drop.protocol,
                "" if drop.port is None else str(drop.port),
                str(drop.packets),
            )
            for drop in drops
        ]
        columns = ("from", "to", "protocol", "port", "packets")
        output.table(f"Dropped by the router of {found.slug}", columns, rows)
