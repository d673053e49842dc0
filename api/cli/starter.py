"""`poligon scenario new`: a small scenario that works, to begin with."""

import re
import shutil
from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import Json, reporting
from core.errors import Fault, PoligonError

_STARTER = Path(__file__).parents[1] / "starter"
_ID = re.compile(r"[a-z][a-z0-9_-]{0,40}")


class ScenarioNameError(PoligonError):
    """A new scenario cannot be called so."""

    code = "scenario.name"
    fault = Fault.INPUT


class ScenarioExistsError(PoligonError):
    """Something stands already where a new scenario should."""

    code = "scenario.exists"
    fault = Fault.CONFLICT


def new(
    name: Annotated[str, typer.Argument(help="Its id, or the path of its folder.")],
    *,
    as_json: Json = False,
) -> None:
    """Write a small scenario that lints and rehearses, to be changed into yours.

    Example: poligon scenario new scenarios/my-case
    """
    with reporting(as_json=as_json) as output:
        written = write_starter(Path(name))
        output.data({"folder": str(written)})
        output.line(f"{written} is a scenario. Look at {written / 'scenario.yaml'}, then type:")
        output.line(f"  poligon scenario lint {written}")
        output.line(f"  poligon scenario rehearse {written}")


def write_starter(folder: Path) -> Path:
    """Write it into a folder that is not there yet; raises ScenarioNameError, ScenarioExistsError.

    The folder's name becomes the scenario's id.
    """
    if not _ID.fullmatch(folder.name):
        raise ScenarioNameError(
            f"{folder.name!r} is no id of a scenario",
            hint="Take a small letter, then at most 40 of a-z, 0-9, _ and -",
        )
    if folder.exists():
        raise ScenarioExistsError(f"{folder} is there already", hint="Take another name")
    try:
        shutil.copytree(_STARTER, folder)
        file = folder / "scenario.yaml"
        title = folder.name.replace("-", " ").replace("_", " ").capitalize()
        file.write_text(file.read_text().replace("@ID@", folder.name).replace("@TITLE@", title))
    except OSError as error:
        raise ScenarioNameError(f"{folder} cannot be written: {error.strerror}") from error
    return folder
