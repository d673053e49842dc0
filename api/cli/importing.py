"""`poligon scenario import`: content of other programs, as drafts."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from api.cli.output import Exit, Json, Output, reporting
from core.errors import Fault, PoligonError
from core.scenario.importing.errors import ImportRefusedError
from core.scenario.importing.importer import Imported, import_file


class ImportFileError(PoligonError):
    """A file cannot be read, or a draft cannot be written."""

    code = "file.unreadable"
    fault = Fault.INPUT


def import_content(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A docker-compose file, a challenge.yml of ctfcli, or a containerlab topology.",
        ),
    ],
    *,
    folder: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="The draft's folder: new, or empty."),
    ],
    as_json: Json = False,
) -> None:
    """Make a draft of a scenario, with a TODO wherever a person must decide.

    Exits with 1 and writes nothing when something cannot be carried over; each key has its reason.
    Example: poligon scenario import docker-compose.yml -o scenarios/old-blog
    """
    with reporting(as_json=as_json) as output:
        try:
            imported = import_file(file, folder)
        except ImportRefusedError as error:
            output.problem(error)
            raise typer.Exit(Exit.ERROR) from error
        except OSError as error:
            message = f"{error.filename or file}: {error.strerror or 'cannot be used'}"
            raise ImportFileError(message) from error
        output.data(_as_data(imported))
        _tell(output, imported)


def _as_data(imported: Imported) -> dict[str, object]:
    return {
        "format": imported.form,
        "folder": str(imported.folder),
        "notes": [
            {"key": note.where, "outcome": note.outcome, "message": note.message}
            for note in imported.notes
        ],
        "warnings": [str(warning) for warning in imported.warnings],
    }


def _tell(output: Output, imported: Imported) -> None:
    for note in imported.notes:
        output.line(str(note))
    for warning in imported.warnings:
        output.line(str(warning))
    counts = Counter(note.outcome.value for note in imported.notes)
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    output.line(f"{imported.folder}: a draft of the {imported.form}; keys: {told}")
    output.line("Each TODO in its scenario.yaml is for a person to decide.")
