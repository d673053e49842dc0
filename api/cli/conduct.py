"""`poligon exercise pause|resume|extend|events`: clocks, and the log of what was done."""

from datetime import timedelta
from typing import Annotated

import typer

from api.bootstrap import Services
from api.cli.database import services_ready
from api.cli.exercise import Name, exercise_json
from api.cli.output import Json, reporting
from api.v1.conduct_models import event_out
from core.errors import Fault, PoligonError
from core.scenario.fields import parse_duration
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By, JournalEntry

Team = Annotated[str, typer.Option("--team", help="One team only, such as team-1.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the log.")]


class DurationInvalidError(PoligonError):
    """Text that is not a duration."""

    code = "duration.invalid"
    fault = Fault.INPUT


def pause(name: Name, *, team: Team = "", reason: Reason = "", as_json: Json = False) -> None:
    """Stop the clock, of everybody or of one team: no answers, no checks, no terminals.

    Example: poligon exercise pause night-shift-k3f --team team-2
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise, by = services.exercises.get(name), By(reason=reason)
        if team:
            after = services.timekeeping.pause_team(exercise.id, team, by=by)
        else:
            after = services.exercises.pause(exercise.id, by=by)
        output.data(exercise_json(services, after))
        output.line(_told(after, team))


def resume(name: Name, *, team: Team = "", reason: Reason = "", as_json: Json = False) -> None:
    """Let the clock run on, of everybody or of one team.

    Example: poligon exercise resume night-shift-k3f
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise, by = services.exercises.get(name), By(reason=reason)
        if team:
            after = services.timekeeping.resume_team(exercise.id, team, by=by)
        else:
            after = services.exercises.resume(exercise.id, by=by)
        output.data(exercise_json(services, after))
        output.line(_told(after, team))


def extend(
    name: Name,
    time: Annotated[str, typer.Argument(help="How much longer, such as 10m.")],
    *,
    team: Team = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Let everybody, or one team, go on for longer.

    Example: poligon exercise extend night-shift-k3f 10m
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        after = services.timekeeping.extend(
            exercise.id, duration(time), team=team, by=By(reason=reason)
        )
        output.data(exercise_json(services, after))
        output.line(f"{after.name} runs for {_length(after, team)}")


def events(
    name: Name,
    *,
    after: Annotated[int, typer.Option(min=0, help="Only those after this number.")] = 0,
    as_json: Json = False,
) -> None:
    """Print what people and the system did, oldest first. Example: poligon exercise events NAME."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        found = _all_events(services, services.exercises.get(name), after)
        output.data([event_out(entry).model_dump(mode="json") for entry in found])
        rows = [
            (
                str(entry.id),
                f"{entry.at:%H:%M:%S}",
                str(timedelta(seconds=int(entry.elapsed.total_seconds()))),
                entry.act,
                entry.actor or "system",
                entry.team,
                " · ".join(filter(None, (entry.subject, entry.text, entry.reason))),
            )
            for entry in found
        ]
        output.table("Events", ("nr", "UTC", "clock", "act", "by", "team", "what"), rows)


def _all_events(services: Services, exercise: Exercise, after: int) -> list[JournalEntry]:
    found: list[JournalEntry] = []
    while page := services.exercises.journal.of(exercise.id, after=after):
        found += page
        after = page[-1].id
    return found


def _told(exercise: Exercise, team: str) -> str:
    one = exercise.team(team) if team else None
    if one is None:
        return f"{exercise.name} is {exercise.phase}"
    return f"{one.slug} of {exercise.name} is {exercise.phase_for(one)}"


def _length(exercise: Exercise, team: str) -> timedelta:
    one = exercise.team(team) if team else None
    return exercise.length(one.id if one else None)


def duration(text: str) -> timedelta:
    """Read a time such as `10m`; raises DurationInvalidError."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise DurationInvalidError(str(error)) from error
