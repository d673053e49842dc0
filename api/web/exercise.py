"""The page of one exercise, for each role."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from api.access import gateway_key, passwords_of, recorded_for, ssh_command
from api.auth import (
    PageCaller,
    PageInstructor,
    PageObserver,
    PageTrainee,
    SameOrigin,
    ServicesHere,
)
from api.bootstrap import Services
from api.inject_acts import InjectAct
from api.languages import language_for
from api.moves import Move, carry_out, offered
from api.outlook import warnings
from api.problems import Problem, problem_of, status_of
from api.ssh_config import hosts_of, packed
from api.teams import team_for
from api.v1.results import RecordForm, record_response
from api.web.rendering import page
from api.web.services import service_board_of, services_of
from core.errors import PoligonError
from core.scenario.access import default_entry, entries_for
from core.users.model import User
from orchestrator.domain.causes import causes
from orchestrator.domain.clock import Stop
from orchestrator.domain.exercise import Exercise, Member
from orchestrator.domain.phases import PERMITS, UNDER_WAY, Act, Phase
from orchestrator.journal import By
from scoring.attack_defence.capturing import FlagAnswer
from scoring.views import Outcome

router = APIRouter()
_EVENTS_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamClock:
    """A team's own time: how much has passed of how much, and what state its clock is in."""

    elapsed: timedelta
    length: timedelta
    state: str
    runs: bool
    may_pause: bool
    may_resume: bool


def team_clocks(exercise: Exercise, now: datetime) -> dict[str, TeamClock]:
    """Return the clock of each team, by its slug."""
    under_way = exercise.phase in UNDER_WAY
    return {
        team.slug: TeamClock(
            elapsed=exercise.elapsed(now, team.id),
            length=exercise.length(team.id),
            state=team.stopped if under_way and team.stopped else exercise.phase,
            runs=exercise.phase_for(team) is Phase.RUNNING,
            may_pause=under_way and team.stopped is None,
            may_resume=under_way and team.stopped is Stop.PAUSED,
        )
        for team in exercise.teams
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveWords:
    """A move's button; one with a consequence asks before it is done."""

    label: str
    consequence: str = ""
    confirm: str = ""


_WORDS: Mapping[Move, MoveWords] = MappingProxyType(
    {
        Move.START: MoveWords(label="Start"),
        Move.PAUSE: MoveWords(label="Pause"),
        Move.RESUME: MoveWords(label="Resume"),
        Move.RETRY: MoveWords(label="Retry what failed"),
        Move.KEEP: MoveWords(label="Keep the machines"),
        Move.END: MoveWords(
            label="End",
            consequence="The clock stops for good: no more answers, every terminal closes. The"
            " machines stay for the debriefing.",
            confirm="End the exercise",
        ),
        Move.DESTROY: MoveWords(
            label="Destroy",
            consequence="Every machine of every team is removed with all that is on it. Results"
            " and records stay.",
            confirm="Remove all machines",
        ),
    }
)
_WAITING: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.CLOSED: "This exercise is closed: its machines are removed, its record stays.",
        Phase.CANCELLED: "This exercise was cancelled; its machines are removed.",
    }
)
_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "correct": "Right.",
        "already": "Your team has solved this already.",
        "wrong": "Not right yet.",
        "wrong_form": "This cannot be the answer; no attempt was counted.",
        "no_attempts_left": "No attempts are left for this task.",
    }
)


def _visible(
    name: Annotated[str, Path(max_length=80)], caller: PageCaller, services: ServicesHere
) -> Exercise:
    return services.exercises.visible_to(caller, name)


ExerciseHere = Annotated[Exercise, Depends(_visible)]


@router.get("/exercises/{name}")
def show(
    request: Request, exercise: ExerciseHere, caller: PageCaller, services: ServicesHere
) -> Response:
    """Show the exercise in the way of the reader's role."""
    if caller.runs_exercises:
        return instructor_page(request, exercise, caller, services)
    if caller.sees_results:
        return page(
            request,
            "staff.html",
            user=caller,
            board=services.scoring.board(exercise),
            service_board=service_board_of(services, exercise),
            **_common(exercise, services),
        )
    return _trainee(request, exercise, caller, services)


@router.get("/exercises/{name}/record.{form}")
def record(
    form: RecordForm,
    _caller: PageObserver,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Hand out the training record."""
    return record_response(services, exercise, form)


@router.post("/exercises/{name}/logins", dependencies=[SameOrigin])
def logins(
    request: Request, caller: PageInstructor, exercise: ExerciseHere, services: ServicesHere
) -> Response:
    """Make new passwords and show the sheet, this once."""
    settings = services.settings
    return page(
        request,
        "logins.html",
        user=caller,
        exercise=exercise,
        logins=services.exercises.issue_logins(exercise.id),
        names={team.slug: team.name for team in exercise.teams},
        address=str(request.base_url),
        has_machines=bool(services.exercises.scenario(exercise).scenario.access),
        ssh=lambda login: ssh_command(settings, login),
        gateway=gateway_key(settings),
    )


@router.get("/exercises/{name}/ssh-config.zip")
def ssh_config(caller: PageTrainee, exercise: ExerciseHere, services: ServicesHere) -> Response:
    """Hand out the reader's own settings for their SSH client, with the server's key."""
    member = _member(exercise, caller)
    return Response(
        packed(services, exercise, member),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{exercise.name}-ssh.zip"'},
    )


@router.post("/exercises/{name}/answers", dependencies=[SameOrigin])
def answer(
    request: Request,
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    task: Annotated[str, Form(max_length=64)],
    value: Annotated[str, Form(max_length=10_000)],
    client_key: Annotated[str, Form(max_length=100)],
) -> Response:
    """Judge an answer: a right one leads back to the page, any other stays in its field."""
    team = team_for(exercise, caller, None)
    try:
        outcome = services.scoring.answer(
            exercise, team, caller.id, task=task, value=value, client_key=client_key
        )
    except PoligonError as error:
        told = _Told(problem=problem_of(error), task=task, value=value)
        return _trainee(request, exercise, caller, services, told, status=status_of(error))
    if outcome.verdict in {"correct", "already"}:
        here = f"/exercises/{exercise.name}#task-{task}"
        return RedirectResponse(here, HTTPStatus.SEE_OTHER)
    told = _Told(outcome=outcome, task=task, value=value)
    return _trainee(request, exercise, caller, services, told)


@router.post("/exercises/{name}/tasks/{task}/hints", dependencies=[SameOrigin])
def take_hint(
    request: Request,
    task: Annotated[str, Path(max_length=64)],
    caller: PageTrainee,
    exercise: ExerciseHere,
    services: ServicesHere,
    hint: Annotated[int, Form(ge=1, le=1000)],
) -> Response:
    """Take a hint for the team and go back to its task; a refusal is shown there."""
    team = team_for(exercise, caller, None)
    try:
        services.scoring.take_hint(exercise, team, caller.id, task=task, hint=hint)
    except PoligonError as error:
        told = _Told(problem=problem_of(error), task=task)
        return _trainee(request, exercise, caller, services, told, status=status_of(error))
    return RedirectResponse(f"/exercises/{exercise.name}#task-{task}", HTTPStatus.SEE_OTHER)


@router.post("/exercises/{name}/reset", dependencies=[SameOrigin])
def reset(
    request: Request,
    caller: PageCaller,
    exercise: ExerciseHere,
    services: ServicesHere,
    team: Annotated[str, Form(max_length=64)],
    host: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Make a host anew, or without one the team's whole world; a refusal is shown on the page."""
    found = team_for(exercise, caller, team)
    try:
        services.resets.reset(exercise, found, host=host or None, by=caller)
    except PoligonError as error:
        now, problem = services.exercises.get(exercise.id), problem_of(error)
        if caller.runs_exercises:
            return instructor_page(request, now, caller, services, problem, status=status_of(error))
        if caller.sees_results:
            raise
        told = _Told(problem=problem)
        return _trainee(request, now, caller, services, told, status=status_of(error))
    return RedirectResponse(f"/exercises/{exercise.name}", HTTPStatus.SEE_OTHER)


@router.post("/exercises/{name}/{move}", dependencies=[SameOrigin])
def move_exercise(
    request: Request,
    move: Move,
    caller: PageInstructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> Response:
    """Do it, and go back to the page; a refusal is shown there."""
    try:
        carry_out(services.exercises, move, exercise, by=By(user=caller.id))
    except PoligonError as error:
        now = services.exercises.get(exercise.id)
        problem = problem_of(error)
        return instructor_page(request, now, caller, services, problem, status=status_of(error))
    return RedirectResponse(f"/exercises/{exercise.name}", HTTPStatus.SEE_OTHER)


def trainee_refused(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    error: PoligonError,
    *,
    task: str = "",
) -> Response:
    """Return the page of a trainee, with what stands against what they did, at its task if any."""
    told = _Told(problem=problem_of(error), task=task)
    return _trainee(request, exercise, caller, services, told, status=status_of(error))


def trainee_told(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    flags: tuple[FlagAnswer, ...],
) -> Response:
    """Return the page of a trainee, with what came of the flags that they handed in."""
    return _trainee(request, exercise, caller, services, _Told(flags=flags))


def instructor_page(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    problem: Problem | None = None,
    *,
    status: int = HTTPStatus.OK,
) -> Response:
    """Return the page of who runs the exercise, with what went wrong if anything did."""
    board = services.scoring.board(exercise)
    return page(
        request,
        "instructor.html",
        status=status,
        user=caller,
        problem=problem,
        moves=offered(exercise),
        acts=_WORDS,
        warnings=warnings(services, exercise),
        waiting=_WAITING.get(exercise.phase, "Nothing to do but wait."),
        board=board,
        service_board=service_board_of(services, exercise),
        totals={row.team: row.milli_points for row in board.rows},
        signals=services.scoring.signals(exercise),
        stuck=services.reporting.stuck(exercise),
        hints=services.scoring.hints_taken(exercise),
        people={m.user: m.name for team in exercise.teams for m in team.members},
        clocks=team_clocks(exercise, services.clock.now()),
        events=services.exercises.journal.latest(exercise.id, limit=_EVENTS_SHOWN),
        hosts=services.exercises.scenario(exercise).scenario.hosts,
        causes=causes(exercise.teams),
        may_reset=Act.STAND in PERMITS[exercise.phase],
        injects=services.injects.all(exercise),
        messages=services.injects.messages(exercise),
        inject_acts=tuple(InjectAct),
        checks=tuple(services.exercises.scenario(exercise).scenario.checks),
        may_maintain=Act.MAINTAIN in PERMITS[exercise.phase],
        maintenance=services.scoring.maintenance.all(exercise),
        **_common(exercise, services),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What came of an answer, to be shown beside its field; or of something else, without one."""

    task: str = ""
    value: str = ""
    outcome: Outcome | None = None
    problem: Problem | None = None
    flags: tuple[FlagAnswer, ...] = ()


def _trainee(
    request: Request,
    exercise: Exercise,
    caller: User,
    services: Services,
    told: _Told | None = None,
    *,
    status: int = HTTPStatus.OK,
) -> Response:
    team = team_for(exercise, caller, None)
    loaded = services.exercises.scenario(exercise)
    language = language_for(request, loaded.scenario.scenario.languages)
    scenario = loaded.in_language(language)
    tasks = services.scoring.tasks(exercise, team, language=language)
    known = told is not None and any(task.task == told.task for task in tasks)
    outcome = told.outcome if told else None
    return page(
        request,
        "trainee.html",
        status=status,
        user=caller,
        team=team,
        clock=team_clocks(exercise, services.clock.now())[team.slug],
        tasks=tasks,
        total=sum(task.milli_points for task in tasks),
        possible=sum(max(0, task.of_milli_points) for task in tasks),
        title=scenario.scenario.title,
        summary=scenario.scenario.summary or "",
        language=language,
        answering=exercise.permits(Act.ANSWER, team),
        because=exercise.because(team),
        messages=services.injects.messages_to(exercise, team, caller.id, language=language),
        offers={o.task: o for o in services.uploads.offers(exercise, team, caller.id)},
        results=services.marks.results(exercise, team, language=language),
        expects_messages=any(inject.message for inject in scenario.injects.values()),
        questions=services.scoring.asking.latest(team),
        maintenance=services.scoring.maintenance.ahead(exercise, team),
        board=services.scoring.board(exercise, for_teams=True),
        service_board=service_board_of(services, exercise, for_teams=True, language=language),
        checks={check.check: check.title for task in tasks for check in task.checks},
        captured=told.flags if told else (),
        ssh=ssh_command(services.settings, caller.name),
        resets=services.resets.offers(exercise, team, caller, language=language),
        titles={task.task: task.title for task in tasks},
        people={member.user: member.name for member in team.members},
        own_services=services_of(services, exercise, team, language),
        other_teams=[other.slug for other in exercise.teams if other.slug != team.slug],
        has_machines=bool(scenario.access),
        passwords=passwords_of(services, exercise, caller.id, language=language),
        recorded=recorded_for(services, exercise, caller.id, language=language),
        other_hosts=_other_hosts(exercise, caller, services),
        gateway=gateway_key(services.settings),
        hosts=hosts_of(services, exercise, _member(exercise, caller)),
        keys=services.users.key_fingerprints(caller.name),
        key_added=request.query_params.get("key") == "added",
        problem=told.problem if told else None,
        problem_at=told.task if told and told.problem and known else "",
        answered=told.task if told and outcome else "",
        value=told.value if told else "",
        verdict=outcome.verdict if outcome else "",
        told=_said(outcome) if outcome else "",
        new_key=lambda: secrets.token_hex(16),
        **_common(exercise, services),
    )


def _said(outcome: Outcome) -> str:
    return f"{_TOLD.get(outcome.verdict, outcome.verdict)} {outcome.hint}".strip()


def _other_hosts(exercise: Exercise, caller: User, services: Services) -> list[str]:
    """Return the ssh lines of every host but the default one that the reader's role enters."""
    role = _member(exercise, caller).role
    scenario = services.exercises.scenario(exercise).scenario
    default = default_entry(scenario, role)
    hosts = [entry.host for entry in entries_for(scenario, role) if entry != default]
    return [ssh_command(services.settings, f"{caller.name}.{host}") for host in hosts]


def _member(exercise: Exercise, caller: User) -> Member:
    team = team_for(exercise, caller, None)
    return next(member for member in team.members if member.user == caller.id)


def _common(exercise: Exercise, services: Services) -> dict[str, Any]:
    return {
        "exercise": exercise,
        "elapsed": exercise.elapsed(services.clock.now()),
        "running": exercise.phase is Phase.RUNNING,
        "fresh_from": f"/exercises/{exercise.name}",
    }
