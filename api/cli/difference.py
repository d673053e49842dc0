"""`poligon scenario diff`: what changed for trainees."""

from dataclasses import asdict
from typing import Annotated

import typer

from api.cli.output import Json, reporting
from api.cli.scenario import load
from core.scenario.difference import differences
from core.settings import read_settings


def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A scenario's folder, or its name.")],
    after: Annotated[str, typer.Argument(metavar="B", help="What it was made into.")],
    *,
    as_json: Json = False,
) -> None:
    """Say in words what differs for trainees between two scenarios.

    Example: poligon scenario diff old/night-shift scenarios/night-shift
    """
    with reporting(as_json=as_json) as output:
        settings = read_settings()
        old, new = (load(path, settings, judged=False) for path in (before, after))
        found = differences(old, new)
        output.data([asdict(difference) for difference in found])
        for difference in found:
            output.line(difference.text)
        if not found:
            output.line("For trainees nothing differs")
