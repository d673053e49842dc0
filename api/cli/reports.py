"""`poligon exercise report`, `handout`, `signals`, and `poligon improvement`: what comes after."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.cli.database import services_ready
from api.cli.exercise import OPERATOR, Name
from api.cli.output import Json, reporting
from api.cli.recordings import FileNotWrittenError
from api.reports import ReportForm, handout_text, report_text
from api.teams import team_for
from scoring.exports.report_json import plain
from scoring.improving import Wording

_Team = Annotated[str, typer.Option(help="Only what concerns a team, such as team-1.")]
_File = Annotated[Path, typer.Option("--output", "-o", help="The file to write.")]
_Form = Annotated[ReportForm, typer.Option("--format", help="How it is written.")]
_Due = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Until when.")]
_LineId = Annotated[str, typer.Argument(help="The line's id, as `list` shows it.")]


def report(
    name: Name,
    *,
    output_file: _File,
    team: _Team = "",
    form: _Form = ReportForm.HTML,
    signals: Annotated[bool, typer.Option("--signals", help="With the annex for staff.")] = False,
    as_json: Json = False,
) -> None:
    """Write the after-action report.

    Example: poligon exercise report night-shift-k3f --format pdf -o report.pdf
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        whose = team_for(exercise, OPERATOR, team).slug if team else ""
        content = report_text(services, exercise, form, team=whose, signals=signals)
        _write(output_file, content)
        output.line(f"{output_file}: {len(content)} bytes")
        output.data({"file": str(output_file), "bytes": len(content)})


def handout(
    name: Name,
    *,
    output_file: _File,
    team: Annotated[str, typer.Option(help="Whose, such as team-1.")],
    language: Annotated[str, typer.Option(help="In which of the scenario's languages.")] = "en",
    form: _Form = ReportForm.HTML,
    as_json: Json = False,
) -> None:
    """Write a team's page to take home.

    Example: poligon exercise handout night-shift-k3f --team team-1 --language sq -o tirana.html
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        whose = team_for(exercise, OPERATOR, team).slug
        content = handout_text(services, exercise, form, team=whose, language=language)
        _write(output_file, content)
        output.line(f"{output_file}: {len(content)} bytes")
        output.data({"file": str(output_file), "bytes": len(content)})


def signals(name: Name, *, as_json: Json = False) -> None:
    """List what looks odd in answers: no proof, no penalty. Example: poligon exercise signals N."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        found = services.reporting.signals(services.exercises.get(name))
        output.data(plain(found))
        rows = [
            [", ".join(one.teams), one.what, "; ".join(e.text for e in one.evidence)]
            for one in found
        ]
        output.table("Integrity signals", ["teams", "what", "evidence"], rows)


def list_lines(name: Name, *, as_json: Json = False) -> None:
    """List the plan. Example: poligon improvement list night-shift-k3f."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        plan = services.improving.plan(services.exercises.get(name))
        output.data(plain(plan))
        columns = ["id", "team", "area", "action", "owner", "due", "done"]
        rows = [
            [a.id, a.team, a.area, a.action, a.owner, str(a.due or ""), "yes" if a.done else ""]
            for a in plan
        ]
        output.table("Improvement plan", columns, rows)


def add(
    name: Name,
    *,
    area: Annotated[str, typer.Option(help="What is to get better.")],
    action: Annotated[str, typer.Option(help="What is done about it.")],
    owner: Annotated[str, typer.Option(help="Who sees to it.")] = "",
    due: _Due = None,
    team: Annotated[str, typer.Option(help="Which team it concerns; all without it.")] = "",
    as_json: Json = False,
) -> None:
    """Add a line to the plan.

    Example: poligon improvement add NAME --area Logs --action Training --due 2027-03-01
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        wording = Wording(area=area, action=action, owner=owner, due=_day(due), team=team)
        line = services.improving.add(services.exercises.get(name), wording, by=None)
        output.data(plain(line))
        output.line(f"{line.id} was added")


def change(
    name: Name,
    line: _LineId,
    *,
    area: Annotated[str | None, typer.Option(help="What is to get better.")] = None,
    action: Annotated[str | None, typer.Option(help="What is done about it.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who sees to it.")] = None,
    due: _Due = None,
    done: Annotated[bool | None, typer.Option("--done/--open", help="Tick it off.")] = None,
    as_json: Json = False,
) -> None:
    """Change a line; what is not given stays. Example: poligon improvement change N ID --done."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        wording = services.improving.wording(exercise, line)
        said = replace(
            wording,
            area=wording.area if area is None else area,
            action=wording.action if action is None else action,
            owner=wording.owner if owner is None else owner,
            due=wording.due if due is None else _day(due),
            done=wording.done if done is None else done,
        )
        output.data(plain(services.improving.change(exercise, line, said)))
        output.line(f"{line} was changed")


def remove(name: Name, line: _LineId, *, as_json: Json = False) -> None:
    """Remove a line from the plan. Example: poligon improvement remove NAME ID."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        services.improving.remove(services.exercises.get(name), line)
        output.data({"removed": line})
        output.line(f"{line} was removed")


def _day(at: datetime | None) -> date | None:
    return at.date() if at is not None else None


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise FileNotWrittenError(
            f"{file} cannot be written: {error.strerror}", hint="Choose another folder"
        ) from error
