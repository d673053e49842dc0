"""A terminal in the browser: a trainee's, or of staff in a team's host."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.access import ssh_command
from api.auth import PageCaller, ServicesHere
from api.bootstrap import Services
from api.web.rendering import page
from api.web.static_files import has_terminals
from core.scenario.access import default_entry, entries_for
from core.scenario.schema import Scenario
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import PERMITS, Act

router = APIRouter()


@router.get("/terminal")
def terminal(
    request: Request,
    caller: PageCaller,
    services: ServicesHere,
    host: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Show a terminal on a host; without one on the host where the reader's role lands.

    Staff name a team, too: `team-1.desk`, or the exercise before it.
    """
    exercise = _entered(services, caller)
    hosts = _hosts(services, exercise, caller) if exercise else {}
    here = host or (_lands_on(services, exercise, caller) if exercise else "")
    return page(
        request,
        "terminal.html",
        user=caller,
        exercise=exercise,
        hosts=hosts,
        here=here,
        title=hosts.get(here, here) or "Terminal",
        ssh=ssh_command(services.settings, f"{caller.name}.{host}" if host else caller.name),
        has_terminals=has_terminals(),
    )


def _entered(services: Services, user: User) -> Exercise | None:
    """Return the exercise that a login leads to now, else the newest."""
    own = services.exercises.of_member(user.id)
    open_now = [exercise for exercise in own if Act.ENTER in PERMITS[exercise.phase]]
    return next(iter(open_now or own), None)


def _hosts(services: Services, exercise: Exercise, user: User) -> dict[str, str]:
    """Return the title of each host that the reader's role enters, by its name."""
    scenario = _scenario(services, exercise)
    names = [entry.host for entry in entries_for(scenario, _role(exercise, user))]
    return {name: scenario.hosts[name].title or name for name in names}


def _lands_on(services: Services, exercise: Exercise, user: User) -> str:
    entry = default_entry(_scenario(services, exercise), _role(exercise, user))
    return entry.host if entry is not None else ""


def _scenario(services: Services, exercise: Exercise) -> Scenario:
    return services.exercises.scenario(exercise).scenario


def _role(exercise: Exercise, user: User) -> str:
    team = exercise.team_of(user.id)
    assert team is not None  # the query asked for the member's exercises
    return next(member.role for member in team.members if member.user == user.id)
