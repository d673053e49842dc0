"""`poligon score propose|preview|approve|reject|withdraw|corrections`: scores, corrected by two."""

from typing import Annotated

import typer

from api.amending import decided
from api.bootstrap import Services
from api.cli.database import services_ready
from api.cli.exercise import Name
from api.cli.output import Json, Output, reporting
from api.roles import runs_exercises
from api.v1.correction_models import CorrectionOut, PreviewOut, names_of
from api.v1.points import spelled
from core.users.model import User
from scoring.corrections.preview import Preview
from scoring.corrections.service import told
from scoring.corrections.views import Correction

_Id = Annotated[str, typer.Argument(help="The correction's id.")]
_By = Annotated[str, typer.Option("--by", help="The login name of the instructor who does it.")]


def propose(
    name: Name,
    kind: Annotated[
        str, typer.Argument(help="adjust, void, defective, reprice, accept, exclude or revoke.")
    ],
    *,
    by: _By,
    reason: Annotated[str, typer.Option("--reason", help="Why; teams read it.")],
    team: Annotated[str, typer.Option("--team", help="To adjust or exclude.")] = "",
    task: Annotated[str, typer.Option("--task", help="To adjust, void, reprice, accept.")] = "",
    points: Annotated[str, typer.Option("--points", help="To adjust by, or the new price.")] = "",
    check: Annotated[str, typer.Option("--check", help="That was defective.")] = "",
    service: Annotated[str, typer.Option("--service", help="Whose checker was.")] = "",
    since: Annotated[str, typer.Option("--since", help="2026-11-23T12:00 is UTC.")] = "",
    until: Annotated[str, typer.Option("--until", help="As --since.")] = "",
    value: Annotated[str, typer.Option("--value", help="The answer to accept.")] = "",
    correction: Annotated[str, typer.Option("--correction", help="The one to revoke.")] = "",
    as_json: Json = False,
) -> None:
    """Propose a correction, which another person approves, and print what it would change.

    Example: poligon score propose drill void --task who --reason "It had two answers." --by ina
    """
    fields = {
        "team": team,
        "task": task,
        "points": points,
        "check": check,
        "service": service,
        "since": since,
        "until": until,
        "value": value,
        "correction": correction,
    }
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise, user = services.exercises.get(name), _instructor(services, by)
        found = services.corrections.propose(exercise, decided(kind, reason, fields), user)
        output.data(_data(found, services))
        output.line(f"{found.id}: {told(found.amendment)} is proposed")
        _tell(output, services.corrections.preview(exercise, found.id, user))


def preview(name: Name, correction: _Id, *, by: _By, as_json: Json = False) -> None:
    """Print what a proposed correction would change now.

    Example: poligon score preview drill 0123456789ab --by ivo
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise, user = services.exercises.get(name), _instructor(services, by)
        seen = services.corrections.preview(exercise, correction, user)
        output.data(PreviewOut.of(seen).model_dump(mode="json"))
        _tell(output, seen)


def approve(
    name: Name,
    correction: _Id,
    *,
    by: _By,
    digest: Annotated[str, typer.Option("--digest", help="Of the preview that you saw.")],
    as_json: Json = False,
) -> None:
    """Book a correction of somebody else, if it changes just what the preview showed.

    Example: poligon score approve drill 0123456789ab --digest … --by ivo
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise, user = services.exercises.get(name), _instructor(services, by)
        found = services.corrections.approve(exercise, correction, user, digest=digest)
        _done(output, services, found)


def reject(
    name: Name,
    correction: _Id,
    *,
    by: _By,
    note: Annotated[str, typer.Option("--note", help="Why.")] = "",
    as_json: Json = False,
) -> None:
    """Turn a correction of somebody else down.

    Example: poligon score reject drill 0123456789ab --note "It was fair." --by ivo
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise, user = services.exercises.get(name), _instructor(services, by)
        _done(output, services, services.corrections.reject(exercise, correction, user, note=note))


def withdraw(name: Name, correction: _Id, *, by: _By, as_json: Json = False) -> None:
    """Take one's own proposal back. Example: poligon score withdraw drill 0123456789ab --by ina."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise, user = services.exercises.get(name), _instructor(services, by)
        _done(output, services, services.corrections.withdraw(exercise, correction, user))


def corrections(name: Name, *, as_json: Json = False) -> None:
    """Print the corrections of an exercise. Example: poligon score corrections drill."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        found = services.corrections.all(services.exercises.get(name))
        output.data([_data(each, services) for each in found])
        rows = [(c.id, c.state, told(c.amendment), c.reason) for c in found]
        output.table("Corrections", ("id", "state", "what", "why"), rows)


def _instructor(services: Services, name: str) -> User:
    return runs_exercises(services.users.named(name))


def _data(found: Correction, services: Services) -> dict[str, object]:
    return CorrectionOut.of(found, names_of(services)).model_dump(mode="json")


def _done(output: Output, services: Services, found: Correction) -> None:
    output.data(_data(found, services))
    output.line(f"{found.id}: {told(found.amendment)} is {found.state}")


def _tell(output: Output, seen: Preview) -> None:
    rows = [
        (
            team.team,
            f"{spelled(team.before)} → {spelled(team.after)}",
            f"{team.rank_before or 'none'} → {team.rank_after or 'none'}",
            "; ".join(f"{t.task} {spelled(t.before)} → {spelled(t.after)}" for t in team.tasks),
        )
        for team in seen.teams
        if team.changes
    ]
    output.table("Would change", ("team", "points", "rank", "tasks"), rows)
    for moved in seen.firsts:
        before, after = moved.before or "nobody", moved.after or "nobody"
        output.line(f"first solve of {moved.task}: {before} → {after}")
    output.line(f"digest: {seen.digest}")
