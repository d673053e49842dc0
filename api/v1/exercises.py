"""Exercises: launch, moves, teams, logins."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, status

from api.access import gateway_key, ssh_command
from api.auth import Caller, Instructor, ServicesHere
from api.catalogue import Catalogue
from api.context import catalogue_of
from api.idempotency import RememberingRoute
from api.languages import language_for
from api.moves import Move, carry_out
from api.outlook import warnings
from api.responses import RESPONSES
from api.roster import numbered_teams, with_reference
from api.teams import team_for
from api.v1.models import (
    ExerciseOut,
    LaunchIn,
    LoginOut,
    MemberIn,
    ResetIn,
    TeamIn,
    TeamOut,
    exercise_out,
    team_out,
    teams_out,
)
from core.users.model import User
from orchestrator.domain.exercise import Exercise
from orchestrator.journal import By
from orchestrator.service import TeamSpec


def document_key(
    idempotency_key: Annotated[
        str | None,
        Header(
            max_length=100,
            description="Send the same write again with the same key and get the same answer.",
        ),
    ] = None,
) -> None:
    """Stand for the header that `RememberingRoute` reads, so that it is documented."""
    _ = idempotency_key


router = APIRouter(tags=["exercises"], responses=RESPONSES)
# Writes that may be sent twice; new passwords are not among them, they would have to be kept.
repeatable = APIRouter(route_class=RememberingRoute, dependencies=[Depends(document_key)])
_MOST_LISTED = 100
_WHAT_IT_DOES: Mapping[Move, str] = MappingProxyType(
    {
        Move.START: "Let the clock run and the trainees in.",
        Move.PAUSE: "Stop the clock: no answers, no checks, no terminals.",
        Move.RESUME: "Let the clock run on.",
        Move.END: "Stop the clock for good; worlds stay for the debriefing.",
        Move.KEEP: "Say that the worlds are still needed: they expire later.",
        Move.DESTROY: "Have the worlds removed; an ended exercise closes, another is cancelled.",
        Move.RETRY: "Build again what failed or is degraded, and only that.",
    }
)


def visible(
    name: Annotated[str, Path(max_length=80, examples=["night-shift-k3f"])],
    caller: Caller,
    services: ServicesHere,
) -> Exercise:
    """Return the exercise of the path, as far as the caller may see it; otherwise it is unknown."""
    return services.exercises.visible_to(caller, name)


ExerciseHere = Annotated[Exercise, Depends(visible)]


def reading_language(request: Request, exercise: ExerciseHere, services: ServicesHere) -> str:
    """Return the language of the exercise's scenario that the caller reads best."""
    return language_for(request, services.exercises.scenario(exercise).scenario.scenario.languages)


LanguageHere = Annotated[str, Depends(reading_language)]


@repeatable.post("/exercises", status_code=status.HTTP_201_CREATED)
def launch(
    sent: LaunchIn,
    caller: Instructor,
    services: ServicesHere,
    catalogue: Annotated[Catalogue, Depends(catalogue_of)],
    request: Request,
    response: Response,
) -> ExerciseOut:
    """Launch a scenario: its teams' worlds are built in the background."""
    exercise = services.exercises.launch(
        catalogue.get(sent.scenario),
        teams=with_reference(team_specs(sent.teams), sent.reference),
        by=caller,
    )
    response.headers["Location"] = str(request.url_for("show", name=exercise.name).path)
    return _out(exercise, services, caller)


@router.get("/exercises")
def list_exercises(
    caller: Caller,
    services: ServicesHere,
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = _MOST_LISTED,
    before: Annotated[str, Query(max_length=80, description="Older than this exercise.")] = "",
) -> list[ExerciseOut]:
    """List exercises, newest first: trainees get their own, everybody else a page of all.

    The header `Link` has the next page, as long as there is one.
    """
    exercises = services.exercises
    if not caller.sees_results:
        return [_out(exercise, services, caller) for exercise in exercises.of_member(caller.id)]
    found = exercises.recent(limit=limit + 1, before=before)
    if len(found) > limit:
        older = request.url.include_query_params(limit=limit, before=found[limit - 1].name)
        response.headers["Link"] = f'<{older.path}?{older.query}>; rel="next"'
    return [_out(exercise, services, caller) for exercise in found[:limit]]


@router.get("/exercises/{name}")
def show(exercise: ExerciseHere, caller: Caller, services: ServicesHere) -> ExerciseOut:
    """Return one exercise."""
    return _out(exercise, services, caller)


@router.get("/exercises/{name}/teams")
def list_teams(exercise: ExerciseHere, caller: Caller, services: ServicesHere) -> list[TeamOut]:
    """List the teams: trainees get their own, everybody else all."""
    return teams_out(exercise, now=services.clock.now(), to=caller)


@router.post("/exercises/{name}/logins")
def issue_logins(
    _caller: Instructor, exercise: ExerciseHere, services: ServicesHere
) -> list[LoginOut]:
    """Give the trainees that the launch made new passwords; they are told this once.

    Members who have neither password nor key get a one-time code.
    Sent again, it gives other passwords: secrets are not kept under an Idempotency-Key.
    """
    settings = services.settings
    key = gateway_key(settings)
    return [
        LoginOut(
            team=login.team,
            user=login.user,
            password=login.password,
            code=login.code,
            command=ssh_command(settings, login.user),
            known_hosts=key.known_hosts if key is not None else "",
            fingerprint=key.fingerprint if key is not None else "",
        )
        for login in services.exercises.issue_logins(exercise.id)
    ]


@repeatable.post("/exercises/{name}/teams/{team}/reset")
def reset(
    sent: ResetIn,
    team: Annotated[str, Path(max_length=64, examples=["team-1"])],
    exercise: ExerciseHere,
    caller: Caller,
    services: ServicesHere,
) -> TeamOut:
    """Make a host of a team anew, or its whole world; scores stay.

    Trainees may for their own team, where the scenario lets their role and as often as it says.
    """
    found = team_for(exercise, caller, team)
    now = services.resets.reset(exercise, found, host=sent.host, by=caller)
    after = now.team(team)
    assert after is not None  # teams do not go
    return team_out(now, after, now=services.clock.now(), in_full=caller.runs_exercises)


def _mover(move: Move) -> Callable[..., ExerciseOut]:
    def carry_it_out(
        caller: Instructor, exercise: ExerciseHere, services: ServicesHere
    ) -> ExerciseOut:
        by = By(user=caller.id)
        return _out(carry_out(services.exercises, move, exercise, by=by), services, caller)

    carry_it_out.__doc__ = _WHAT_IT_DOES[move]
    return carry_it_out


for _move in Move:
    repeatable.add_api_route(
        f"/exercises/{{name}}/{_move}", _mover(_move), methods=["POST"], name=f"{_move}_exercise"
    )
router.include_router(repeatable)


def team_specs(teams: int | Sequence[TeamIn]) -> Sequence[TeamSpec]:
    """Return the teams to be made; of a number, `Team 1` and so on."""
    if isinstance(teams, int):
        return numbered_teams(teams)
    return [_team_spec(team) for team in teams]


def _team_spec(team: TeamIn) -> TeamSpec:
    members = [MemberIn(name=one) if isinstance(one, str) else one for one in team.members]
    return TeamSpec(
        name=team.name.strip(),
        members=tuple(member.name for member in members),
        roles={member.name: member.role for member in members if member.role},
    )


def _out(exercise: Exercise, services: ServicesHere, caller: User) -> ExerciseOut:
    return exercise_out(
        exercise,
        now=services.clock.now(),
        to=caller,
        ready_in=services.exercises.ready_in(exercise),
        expiry=services.janitor.outlook(exercise),
        warnings=warnings(services, exercise) if caller.runs_exercises else (),
    )
