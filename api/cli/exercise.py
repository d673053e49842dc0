"""`poligon exercise`: launch, look, move, hand out, take down."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from api.access import gateway_key, ssh_command
from api.bootstrap import Services
from api.cli.database import services_ready
from api.cli.launching import Progress, follow
from api.cli.output import Exit, Json, Output, reporting
from api.cli.scenario import ScenarioPath, load
from api.moves import Move, carry_out
from api.outlook import disk_warning, expiry_warning, rehearsal_warning, warnings
from api.roster import numbered_teams, teams_of_file, with_reference
from api.teams import team_for
from api.v1.models import exercise_out
from api.v1.points import spelled
from core.ids import UserId
from core.users.model import Role, User
from orchestrator.domain.causes import causes
from orchestrator.domain.diagnosis import FREE_SPACE
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.journal import By
from orchestrator.service import Login
from scoring.domain.board_text import written
from scoring.exports.as_csv import as_csv as as_csv_text
from scoring.exports.as_json import as_json as as_json_text
from scoring.exports.as_xapi import as_xapi as as_xapi_text

Name = Annotated[str, typer.Argument(help="The exercise's name, such as night-shift-k3f.")]
# Whoever may run this command on the machine may do everything.
OPERATOR = User(id=UserId("operator"), name="operator", role=Role.ADMIN)


def launch(
    path: ScenarioPath,
    *,
    teams: Annotated[int, typer.Option(min=1, max=1000, help="How many teams.")] = 1,
    roster: Annotated[
        Path | None, typer.Option(help="A file with lines team,name or team,name,role.")
    ] = None,
    reference: Annotated[
        str,
        typer.Option(help="A team to be attacked and not ranked: one of the others, or one more."),
    ] = "",
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the worlds.")] = False,
    timeout: Annotated[int, typer.Option(min=1, help="How long to wait, in seconds.")] = 900,
    as_json: Json = False,
) -> None:
    """Build a world for every team, and say how they get in.

    Example: poligon exercise launch scenarios/night-shift --teams 2
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        loaded = load(path, services.settings)
        named = teams_of_file(roster) if roster else numbered_teams(teams)
        specs = with_reference(named, reference)
        exercise = services.exercises.launch(loaded, teams=specs, by=None)
        output.note(
            f"Launched {exercise.name}: {loaded.scenario.scenario.title}, {len(specs)} teams"
        )
        if warning := rehearsal_warning(services, exercise):
            output.note(f"{warning}; poligon scenario rehearse {path}")
        if not detach:
            exercise = follow(services, exercise.name, Progress(output), timeout=timeout)
        logins = services.exercises.issue_logins(exercise.id)
        _tell_launched(output, services, exercise, logins)
        raise typer.Exit(_exit_of(exercise))


def list_exercises(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    before: Annotated[str, typer.Option(help="Only those older than this one.")] = "",
    as_json: Json = False,
) -> None:
    """List exercises, newest first. Example: poligon exercise list --json."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        found = services.exercises.recent(limit=limit, before=before)
        output.data([exercise_json(services, exercise) for exercise in found])
        rows = [
            (e.name, e.phase, str(len(e.teams)), f"{e.created_at:%Y-%m-%d %H:%M}", e.scenario_title)
            for e in found
        ]
        output.table("Exercises", ("name", "phase", "teams", "launched (UTC)", "scenario"), rows)
        if len(found) == limit:
            output.line(f"Older ones: poligon exercise list --before {found[-1].name}")


def status(name: Name, *, as_json: Json = False) -> None:
    """Show an exercise and every team's world. Example: poligon exercise status night-shift-k3f."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        _tell(output, services, services.exercises.get(name))


def logins(name: Name, *, as_json: Json = False) -> None:
    """Give the trainees that the launch made new passwords, and print them.

    Members who have neither password nor key get a one-time code.

    Example: poligon exercise logins night-shift-k3f
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        issued = services.exercises.issue_logins(exercise.id)
        output.data([_login_json(services, login) for login in issued])
        _tell_logins(output, services, issued)


def board(name: Name, *, as_json: Json = False) -> None:
    """Print the standings. Example: poligon exercise board night-shift-k3f."""
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        shown = services.scoring.board(exercise)
        output.data(json.loads(written(shown)))
        rows = [
            (
                "-" if row.rank is None else str(row.rank),
                row.team,
                row.name,
                spelled(row.milli_points),
                *(spelled(row.tasks.get(task.task, 0)) for task in shown.tasks),
            )
            for row in shown.rows
        ]
        tasks = [task.task for task in shown.tasks]
        output.table(exercise.scenario_title, ("rank", "team", "name", "points", *tasks), rows)


def record(
    name: Name,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, for a spreadsheet.")] = False,
    as_xapi: Annotated[
        bool, typer.Option("--xapi", help="As xAPI statements; none before it has ended.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the training record, JSON unless asked for as something else.

    Example: poligon exercise record NAME --csv
    """
    with reporting(as_json=as_json), services_ready() as services:
        shown = services.scoring.record(services.exercises.get(name))
        if as_xapi:
            text = as_xapi_text(shown, services.settings.home_page())
        else:
            text = as_csv_text(shown) if as_csv and not as_json else as_json_text(shown)
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def reset(
    name: Name,
    *,
    team: Annotated[str, typer.Option(help="Whose machines, such as team-1.")],
    host: Annotated[
        str | None, typer.Option(help="Which machine; every one of the team without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a team's machine anew, as at the start; scores stay.

    Example: poligon exercise reset night-shift-k3f --team team-1 --host office
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        found = team_for(exercise, OPERATOR, team)
        after = services.resets.reset(exercise, found, host=host, by=None)
        output.data(exercise_json(services, after))
        output.line(f"{host or 'every machine'} of {team} is being made anew")


def _moving(move: Move, what: str) -> Callable[..., None]:
    def move_it(name: Name, *, as_json: Json = False) -> None:
        with reporting(as_json=as_json) as output, services_ready() as services:
            exercise = carry_out(services.exercises, move, services.exercises.get(name), by=By())
            output.data(exercise_json(services, exercise))
            output.line(f"{exercise.name} is {exercise.phase}")

    move_it.__doc__ = f"{what} Example: poligon exercise {move} night-shift-k3f."
    return move_it


start = _moving(Move.START, "Let the clock run and the trainees in.")
end = _moving(Move.END, "Stop the clock for good; worlds stay for the debriefing.")
keep = _moving(Move.KEEP, "Say that the worlds are still needed: they expire later.")
destroy = _moving(Move.DESTROY, "Have the worlds removed by the worker.")
retry = _moving(Move.RETRY, "Build again what failed or is degraded, and only that.")


def _tell_launched(
    output: Output, services: Services, exercise: Exercise, issued: tuple[Login, ...]
) -> None:
    output.data(
        {
            "exercise": exercise_json(services, exercise),
            "logins": [_login_json(services, login) for login in issued],
        }
    )
    if not output.as_json:
        _tell(output, services, exercise)
        _tell_logins(output, services, issued)


def _tell(output: Output, services: Services, exercise: Exercise) -> None:
    output.data(exercise_json(services, exercise))
    elapsed = timedelta(seconds=int(exercise.elapsed(services.clock.now()).total_seconds()))
    output.line(f"{exercise.name}: {exercise.phase}, {elapsed} of {exercise.length()}")
    if warning := expiry_warning(services, exercise):
        output.line(f"{warning}; poligon exercise keep {exercise.name}")
    if warning := disk_warning(services, exercise):
        output.line(f"{warning}; {FREE_SPACE}")
    if warning := rehearsal_warning(services, exercise):
        output.line(f"{warning}; poligon scenario rehearse {exercise.scenario_id}")
    rows = [
        (
            team.slug,
            team.world,
            _since(team),
            str(team.isolation.verdict) if team.isolation else "",
            ", ".join(m.name for m in team.members),
        )
        for team in exercise.teams
    ]
    columns = ("team", "world", "since (UTC)", "isolation", "members")
    output.table(exercise.scenario_title, columns, rows)
    for cause in causes(exercise.teams):
        output.line(f"{cause}" + (f" · try: {cause.next_command}" if cause.next_command else ""))
    for team in exercise.teams:
        if team.problem is not None and team.problem.output:
            where = ", ".join(filter(None, (team.slug, team.problem.host)))
            output.line(f"\n{where}:\n{team.problem.output.strip()}")


def _since(team: Team) -> str:
    since = team.problem.since if team.problem is not None else None
    return f"{since or team.world_since:%H:%M:%S}"


def _tell_logins(output: Output, services: Services, issued: tuple[Login, ...]) -> None:
    rows = [
        (
            login.team,
            login.user,
            login.password or f"{login.code} (one-time code)",
            ssh_command(services.settings, login.user),
        )
        for login in issued
    ]
    output.line()
    output.table("Logins (shown once)", ("team", "user", "password", "ssh"), rows)
    if issued and (key := gateway_key(services.settings)) is not None:
        output.line(f"\nThe server's fingerprint, about which ssh asks at first: {key.fingerprint}")
        output.line(f"For ~/.ssh/known_hosts, so that it does not ask: {key.known_hosts}")


def _login_json(services: Services, login: Login) -> dict[str, str]:
    key = gateway_key(services.settings)
    return {
        "team": login.team,
        "user": login.user,
        "password": login.password,
        "code": login.code,
        "ssh": ssh_command(services.settings, login.user),
        "known_hosts": key.known_hosts if key is not None else "",
        "fingerprint": key.fingerprint if key is not None else "",
    }


def exercise_json(services: Services, exercise: Exercise) -> dict[str, Any]:
    """Return an exercise as the interface shows it to an administrator."""
    shown = exercise_out(
        exercise,
        now=services.clock.now(),
        to=OPERATOR,
        ready_in=services.exercises.ready_in(exercise),
        expiry=services.janitor.outlook(exercise),
        warnings=warnings(services, exercise),
    )
    return shown.model_dump(mode="json")


def _exit_of(exercise: Exercise) -> Exit:
    if exercise.phase is Phase.FAILED:
        return Exit.ERROR
    broken = {WorldPhase.FAILED, WorldPhase.DEGRADED}
    return Exit.PARTIAL if any(t.world in broken for t in exercise.teams) else Exit.OK
