"""`poligon exercise public-board`: who may see the board."""

from typing import Annotated

import typer

from api.cli.database import services_ready
from api.cli.exercise import Name
from api.cli.output import Json, reporting


def public_board(
    name: Name,
    *,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Other names instead of those of teams.")
    ] = False,
    close: Annotated[bool, typer.Option("--close", help="Withdraw the link for good.")] = False,
    as_json: Json = False,
) -> None:
    """Let anybody who has a link see the board. Example: poligon exercise public-board NAME."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        if close:
            services.public_boards.close(exercise)
            output.data({"path": ""})
            output.line(f"The board of {exercise.name} is not public")
            return
        link = services.public_boards.open(exercise, anonymous=anonymous)
        path = f"/board/{link.token}"
        output.data({"path": path, "anonymous": link.anonymous})
        output.line(f"Anybody sees the board at {path} of this site")
