"""`poligon exercise sessions` and `recording`: who was on which machine, and their terminals."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from api.cli.database import services_ready
from api.cli.exercise import Name
from api.cli.output import Json, reporting
from api.v1.recording_models import details_out
from core.errors import Fault, PoligonError
from orchestrator.session_views import PastSession

_Session = Annotated[str, typer.Argument(help="The session's id, as `sessions` lists it.")]


class FileNotWrittenError(PoligonError):
    """A file that was asked for cannot be written."""

    code = "file.not_written"
    fault = Fault.INPUT


def sessions(
    name: Name,
    *,
    team: Annotated[str, typer.Option(help="Only those of a team, such as team-1.")] = "",
    user: Annotated[str, typer.Option(help="Only those of a user.")] = "",
    host: Annotated[str, typer.Option(help="Only those on a machine.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 100,
    before: Annotated[str, typer.Option(help="Only those older than this one.")] = "",
    as_json: Json = False,
) -> None:
    """List who was on which machine, newest first; with --json, what they did there, too.

    Example: poligon exercise sessions night-shift-k3f --team team-1
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        found = services.sessions.find(
            exercise, team=team, user=user, host=host, before=before, limit=limit
        )
        if as_json:
            details = services.sessions.details(exercise, found)
            output.data([details_out(each).model_dump(mode="json") for each in details])
            return
        columns = ("session", "team", "user", "machine", "kind", "clock", "ended and recorded")
        output.table(exercise.scenario_title, columns, [_row(session) for session in found])
        if len(found) == limit:
            output.line(f"Older ones: poligon exercise sessions {name} --before {found[-1].id}")


def recording(
    session: _Session,
    *,
    output_file: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")],
    as_json: Json = False,
) -> None:
    """Save a terminal's recording, to be played with asciinema.

    Example: poligon exercise recording 7k2m9x4c1q0a -o desk.cast
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        content = services.sessions.cast(services.sessions.get(session))
        try:
            output_file.write_bytes(content)
        except OSError as error:
            raise FileNotWrittenError(
                f"{output_file} cannot be written: {error.strerror}", hint="Name another file"
            ) from error
        output.data({"session": session, "file": str(output_file), "bytes": len(content)})
        output.line(
            f"{output_file}: {len(content)} bytes; play it with: asciinema play {output_file}"
        )


def _row(session: PastSession) -> tuple[str, ...]:
    return (
        session.id,
        session.team,
        session.user or session.login,
        session.host,
        session.kind,
        str(timedelta(seconds=int(session.elapsed.total_seconds()))),
        ", ".join(told for told in (_ended(session), _kept(session)) if told),
    )


def _ended(session: PastSession) -> str:
    return "open" if session.ended is None else f"{session.code} {session.how}".strip()


def _kept(session: PastSession) -> str:
    if session.deleted is not None:
        return f"deleted {session.deleted:%Y-%m-%d}"
    if session.recording is not None:
        return f"{session.recording.size} bytes recorded"
    return f"not recorded: {session.unrecorded}" if session.unrecorded else "recording under way"
