"""`poligon marks`: who marks what teams did, how far that has come, and what came of it."""

import sys
from typing import Annotated

import typer

from api.cli.conduct import Reason
from api.cli.database import services_ready
from api.cli.exercise import OPERATOR, Name
from api.cli.output import Json, reporting
from api.teams import team_for
from api.v1.mark_models import line_out
from api.v1.points import spelled
from orchestrator.journal import By
from scoring.exports.marks_csv import marks_csv

Task = Annotated[str, typer.Argument(help="The task's name in the scenario.")]
Assessor = Annotated[str, typer.Argument(metavar="USER", help="Who marks, such as anna.")]


def list_marks(name: Name, *, as_json: Json = False) -> None:
    """Print every team's tasks that assessors mark, and how far each has come.

    Example: poligon marks list border-week-k3f
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        lines = services.marks.lines(exercise, OPERATOR)
        output.data([line_out(line).model_dump(mode="json") for line in lines])
        rows = [
            (
                line.task,
                line.team,
                line.state.replace("_", " "),
                f"{line.handed_in} of {line.assessors}",
                "" if line.milli_points is None else spelled(line.milli_points),
                spelled(line.of_milli_points),
            )
            for line in lines
        ]
        output.table("Marking", ("task", "team", "state", "done", "points", "of"), rows)
        output.line(f"Assessors: {', '.join(services.marks.assessors(exercise)) or 'nobody'}")


def export(name: Name, *, as_json: Json = False) -> None:
    """Print every mark with its reason as CSV, of what nobody marks blind any more.

    Example: poligon marks export border-week-k3f
    """
    with reporting(as_json=as_json), services_ready() as services:
        exercise = services.exercises.get(name)
        sys.stdout.write(marks_csv(exercise, services.marks.all_in(exercise)))


def appoint(name: Name, user: Assessor, *, as_json: Json = False) -> None:
    """Let somebody mark in an exercise: anybody but trainees and members of its teams.

    Example: poligon marks appoint border-week-k3f anna
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        services.marking.appoint(exercise, services.users.named(user))
        output.data({"exercise": exercise.name, "assessor": user})
        output.line(f"{user} marks in {exercise.name}")


def dismiss(name: Name, user: Assessor, *, as_json: Json = False) -> None:
    """Let somebody mark no more; what they handed in stays.

    Example: poligon marks dismiss border-week-k3f anna
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        services.marking.dismiss(exercise, services.users.named(user))
        output.data({"exercise": exercise.name, "dismissed": user})
        output.line(f"{user} marks no more in {exercise.name}")


def release(name: Name, task: Task, *, as_json: Json = False) -> None:
    """Let teams read what they were given for a task, and why.

    Example: poligon marks release border-week-k3f note_verbale
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        services.marking.release(exercise, task)
        output.data({"exercise": exercise.name, "released": task})
        output.line(f"Teams read their marks for {task}")


def again(
    name: Name,
    task: Task,
    team: Annotated[str, typer.Argument(help="Whose, such as team-1.")],
    *,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Have a team's task marked again; what was given before stays, and counts until then.

    Example: poligon marks again border-week-k3f note_verbale team-1 --reason "page 2 was missing"
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        found = team_for(exercise, OPERATOR, team)
        services.marking.mark_again(exercise, found, task=task, by=By(reason=reason))
        output.data({"exercise": exercise.name, "task": task, "team": team})
        output.line(f"{task} of {team} is marked again")
