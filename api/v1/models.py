"""Exercises and teams as clients see them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from api.moves import Move, offered
from api.v1.isolation import IsolationOut, isolation_out
from core.users.model import User
from orchestrator.domain.causes import Cause, causes
from orchestrator.domain.clock import Stop
from orchestrator.domain.exercise import Exercise, Stage, Team
from orchestrator.domain.expiry import Expiry
from orchestrator.domain.phases import Phase, WorldPhase


class ProblemOut(BaseModel):
    """What went wrong with a team's world, and what to type next."""

    stage: str = Field(examples=["readiness"])
    host: str = Field(examples=["office"])
    message: str = Field(examples=["office is not ready after 60 s"])
    output: str = Field(examples=["sshd: no hostkeys available"])
    next_command: str = Field(examples=["poligon exercise retry night-shift-k3f"])
    since: datetime | None = None


class CauseOut(BaseModel):
    """Something that is wrong, once, with every team that has it."""

    message: str = Field(examples=["the engine has no image office:1"])
    stage: Stage
    host: str = Field(examples=["office"])
    next_command: str = Field(examples=["poligon exercise retry night-shift-k3f"])
    teams: list[str] = Field(examples=[["team-1", "team-2"]])


class TeamOut(BaseModel):
    """A team, its clock and the state of its world.

    `stopped` says why its clock stands while the exercise's runs. `problem` and `isolation` are for
    those who run exercises.
    """

    slug: str = Field(examples=["team-1"])
    name: str = Field(examples=["Team 1"])
    number: int = Field(examples=[1])
    members: list[str] = Field(examples=[["team-1-k3f"]])
    roles: dict[str, str] = Field(examples=[{"team-1-k3f": "analyst"}])
    world: WorldPhase
    world_since: datetime
    elapsed_seconds: int = Field(examples=[754])
    length_seconds: int = Field(examples=[1800])
    stopped: Stop | None = None
    reference: bool = Field(default=False, description="It is there to be attacked, not ranked.")
    problem: ProblemOut | None = None
    isolation: IsolationOut | None = None


class ScenarioRef(BaseModel):
    """The scenario that is played, as it was at launch."""

    id: str = Field(examples=["night-shift"])
    version: str = Field(examples=["1.0.0"])
    title: str = Field(examples=["The night shift"])
    digest: str = Field(examples=["9f86d081884c7d65…"])


class ExerciseOut(BaseModel):
    """An exercise. Trainees see their own team only. `moves` are those that are open now.

    `causes` is what is wrong, for those who run exercises; `ready_in_seconds` how long the
    building goes on, as far as earlier launches tell. `expires_at` is when its worlds are taken
    down unless somebody touches it; those who run exercises are told. One that runs is never taken
    down. `warnings` tells them what will hurt soon: an expiry, a full disk of the engine, and
    before the start a scenario that was not rehearsed as it is.
    """

    name: str = Field(examples=["night-shift-k3f"])
    phase: Phase
    scenario: ScenarioRef
    created_at: datetime
    duration_seconds: int = Field(examples=[1800])
    elapsed_seconds: int = Field(examples=[754])
    expires_at: datetime | None = None
    teams: list[TeamOut]
    moves: list[Move] = []
    causes: list[CauseOut] = []
    warnings: list[str] = []
    ready_in_seconds: int | None = Field(default=None, examples=[20])


TeamName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]


MemberName = Annotated[str, Field(max_length=64)]


class MemberIn(BaseModel):
    """A member who plays one role of the scenario; without one, the widest."""

    name: MemberName = Field(examples=["ana"])
    role: str = Field(default="", max_length=64, examples=["analyst"])


class TeamIn(BaseModel):
    """A team to be made; without members, one trainee account is made for it."""

    name: TeamName = Field(examples=["North"])
    members: list[MemberName | MemberIn] = Field(
        default=[], max_length=100, examples=[["ana", {"name": "besnik", "role": "analyst"}]]
    )


class LaunchIn(BaseModel):
    """A scenario, and how many teams, or which."""

    scenario: str = Field(max_length=64, examples=["night-shift"])
    teams: Annotated[int, Field(ge=1, le=1000)] | Annotated[list[TeamIn], Field(min_length=1)] = (
        Field(examples=[2])
    )
    reference: str = Field(
        default="",
        max_length=100,
        examples=["Nobody"],
        description="A team to be attacked and not ranked: one of these, or one more.",
    )


class ResetIn(BaseModel):
    """What is to be made anew: a host, or without one every host of the team."""

    host: str | None = Field(default=None, max_length=64, examples=["office"])


class LoginOut(BaseModel):
    """A trainee's name and new password, or one-time code, told this once, and what to type.

    `known_hosts` and `fingerprint` are empty before the gateway's first start.
    """

    team: str = Field(examples=["team-1"])
    user: str = Field(examples=["team-1-k3f"])
    password: str = Field(examples=["h7kd-92mf-xq4r"])
    code: str = Field(examples=[""])
    command: str = Field(examples=["ssh -p 2222 team-1-k3f@range.example"])
    known_hosts: str = Field(examples=["[range.example]:2222 ssh-ed25519 AAAAC3Nza…"])
    fingerprint: str = Field(examples=["SHA256:XvTn0pZ5…"])


def exercise_out(
    exercise: Exercise,
    *,
    now: datetime,
    to: User,
    ready_in: timedelta | None = None,
    expiry: Expiry | None = None,
    warnings: Sequence[str] = (),
) -> ExerciseOut:
    """Return an exercise as `to` may see it."""
    return ExerciseOut(
        name=exercise.name,
        phase=exercise.phase,
        scenario=ScenarioRef(
            id=exercise.scenario_id,
            version=exercise.scenario_version,
            title=exercise.scenario_title,
            digest=exercise.scenario_digest,
        ),
        created_at=exercise.created_at,
        duration_seconds=int(exercise.duration.total_seconds()),
        elapsed_seconds=int(exercise.elapsed(now).total_seconds()),
        expires_at=expiry.at if expiry and expiry.destroys and to.runs_exercises else None,
        teams=teams_out(exercise, now=now, to=to),
        moves=list(offered(exercise)) if to.runs_exercises else [],
        causes=[cause_out(cause) for cause in causes(exercise.teams)] if to.runs_exercises else [],
        warnings=list(warnings) if to.runs_exercises else [],
        ready_in_seconds=None if ready_in is None else round(ready_in.total_seconds()),
    )


def cause_out(cause: Cause) -> CauseOut:
    """Return a cause as clients see it."""
    return CauseOut(
        message=cause.message,
        stage=cause.stage,
        host=cause.host,
        next_command=cause.next_command,
        teams=list(cause.teams),
    )


def teams_out(exercise: Exercise, *, now: datetime, to: User) -> list[TeamOut]:
    """Return the teams that `to` may see: all of them, or their own."""
    own = exercise.team_of(to.id)
    return [
        team_out(exercise, team, now=now, in_full=to.runs_exercises)
        for team in exercise.teams
        if to.sees_results or team == own
    ]


def team_out(exercise: Exercise, team: Team, *, now: datetime, in_full: bool) -> TeamOut:
    """Return a team; a probe's output may give a task away, so trainees do not get it."""
    problem = team.problem if in_full else None
    return TeamOut(
        slug=team.slug,
        name=team.name,
        number=team.number,
        members=[member.name for member in team.members],
        roles={member.name: member.role for member in team.members},
        world=team.world,
        world_since=team.world_since,
        elapsed_seconds=int(exercise.elapsed(now, team.id).total_seconds()),
        length_seconds=int(exercise.length(team.id).total_seconds()),
        stopped=team.stopped,
        reference=team.reference,
        problem=ProblemOut(
            stage=problem.stage,
            host=problem.host,
            message=problem.message,
            output=problem.output,
            next_command=problem.next_command,
            since=problem.since,
        )
        if problem
        else None,
        isolation=isolation_out(team.isolation) if in_full and team.isolation else None,
    )
