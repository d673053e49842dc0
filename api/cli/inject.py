"""`poligon inject`: look at injects, let them go out, keep them back, move them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

import typer

from api.cli.conduct import Reason, Team, duration
from api.cli.database import services_ready
from api.cli.exercise import Name
from api.cli.output import Json, reporting
from api.inject_acts import InjectAct, act_on
from api.v1.inject_models import DoneOut, inject_out
from orchestrator.injects.reading import InjectView, TeamState
from orchestrator.journal import By

Inject = Annotated[str, typer.Argument(help="The inject's name in the scenario.")]


def list_injects(name: Name, *, as_json: Json = False) -> None:
    """Print every inject with its state for each team.

    Example: poligon inject list night-shift-k3f
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        views = services.injects.all(services.exercises.get(name))
        output.data([inject_out(view).model_dump(mode="json") for view in views])
        rows = [_row(view, state) for view in views for state in view.teams]
        columns = ("inject", "trigger", "team", "state", "due", "went out", "expected", "detail")
        output.table("Injects", columns, rows)


def _row(view: InjectView, state: TeamState) -> tuple[str, ...]:
    return (
        view.inject,
        view.trigger,
        state.team,
        state.state,
        _clock(state.due),
        _clock(state.at),
        state.expectation or "",
        state.detail,
    )


def _acting(act: InjectAct, what: str) -> Callable[..., None]:
    def act_it(
        name: Name, inject: Inject, *, team: Team = "", reason: Reason = "", as_json: Json = False
    ) -> None:
        with reporting(as_json=as_json) as output, services_ready() as services:
            exercise = services.exercises.get(name)
            by = By(reason=reason)
            teams = act_on(services, act, exercise.id, inject, team=team, by=by)
            output.data(DoneOut(teams=list(teams)).model_dump(mode="json"))
            output.line(f"{act} {inject}: {', '.join(teams)}")

    act_it.__doc__ = f"{what} Example: poligon inject {act} night-shift-k3f brief"
    return act_it


fire = _acting(InjectAct.FIRE, "Let an inject go out now.")
hold = _acting(InjectAct.HOLD, "Keep an inject back until it is released, fired or skipped.")
release = _acting(
    InjectAct.RELEASE, "Let a held inject go: at its time, or at once when that has passed."
)
skip = _acting(InjectAct.SKIP, "Let an inject never go out.")


def shift(
    name: Name,
    time: Annotated[str, typer.Argument(help="By how much, such as 10m.")],
    *,
    earlier: Annotated[bool, typer.Option("--earlier", help="Earlier instead of later.")] = False,
    team: Team = "",
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Move everything that has not gone out yet, later or earlier.

    Example: poligon inject shift night-shift-k3f 10m
    """
    with reporting(as_json=as_json) as output, services_ready() as services:
        exercise = services.exercises.get(name)
        by_time = duration(time) * (-1 if earlier else 1)
        teams = services.injects.shift(exercise.id, by_time, team=team, by=By(reason=reason))
        output.data(DoneOut(teams=list(teams)).model_dump(mode="json"))
        output.line(f"Moved by {'-' if earlier else ''}{time}: {', '.join(teams)}")


def _clock(time: timedelta | None) -> str:
    return "" if time is None else str(timedelta(seconds=int(time.total_seconds())))
