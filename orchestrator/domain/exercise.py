"""An exercise, its teams and their worlds, as everybody else reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from core.ids import ExerciseId, TeamId, UserId
from orchestrator.domain.clock import ClockEvent, Stop, elapsed, extended, reached
from orchestrator.domain.isolation import Isolation
from orchestrator.domain.phases import (
    BECAUSE,
    PERMITS,
    STANDING,
    Act,
    NotNowError,
    Phase,
    WorldPhase,
)

_STOPPED: Mapping[Stop, str] = MappingProxyType(
    {
        Stop.PAUSED: "your team is paused; your instructor lets it go on",
        Stop.WAITING: "your team's machines are not ready yet; your time has not begun",
        Stop.TIME_UP: "your team's time is up",
    }
)


class Stage(StrEnum):
    """How far a world was when something went wrong with it."""

    ENGINE = "engine"
    IMAGES = "images"
    ADDRESSES = "addresses"
    PLAN = "plan"
    NETWORKS = "networks"
    HOSTS = "hosts"
    READINESS = "readiness"
    ISOLATION = "isolation"  # its self-test found a way out
    RUNNING = "running"  # it was ready, and a host of it ended from inside
    REPAIR = "repair"  # it was ready, and what we hold up fell
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong in one world: where, what was seen, since when, and what to type next."""

    stage: Stage
    message: str
    host: str = ""
    output: str = ""
    next_command: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of a team, in one of the scenario's roles; a guest's account the launch made."""

    user: UserId
    name: str
    role: str
    guest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team and where its world is. `number` counts from 1.

    `stopped` says why its clock stands while the exercise's runs; `None` when it does not. A
    `reference` team is there to be attacked, and not ranked.
    """

    id: TeamId
    slug: str
    name: str
    number: int
    members: tuple[Member, ...]
    world: WorldPhase
    world_since: datetime
    problem: Problem | None
    stopped: Stop | None = None
    isolation: Isolation | None = None
    reference: bool = False

    @property
    def never_ready(self) -> bool:
        """Whether the world stands and some host in it never became ready."""
        told = self.problem is not None and self.problem.stage is Stage.READINESS
        return self.world is WorldPhase.DEGRADED and told

    @property
    def in_doubt(self) -> bool:
        """Whether a failing check may be our fault: something never became ready, or fell.

        A host that ended from inside leaves no doubt: the team owns what is inside.
        """
        running = self.problem is not None and self.problem.stage is Stage.RUNNING
        return self.world is WorldPhase.DEGRADED and not running


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A scenario being played by teams. `name` is what people type (`night-shift-k3f`)."""

    id: ExerciseId
    name: str
    phase: Phase
    scenario_id: str
    scenario_version: str
    scenario_title: str
    scenario_digest: str
    duration: timedelta
    created_at: datetime
    story_start: datetime
    clock: tuple[ClockEvent, ...]
    teams: tuple[Team, ...]
    kept_at: datetime | None = None
    """When somebody last said that its worlds are still needed."""

    def elapsed(self, now: datetime, team: TeamId | None = None) -> timedelta:
        """Return the exercise's own time at `now`, or that of a team in it."""
        return elapsed(self.clock, now, team=team)

    def reached(
        self, after: timedelta, now: datetime, team: TeamId | None = None
    ) -> datetime | None:
        """Return when the exercise, or a team, had run for so long; `None` if not by `now`."""
        return reached(self.clock, after, now, team=team)

    def length(self, team: TeamId | None = None) -> timedelta:
        """Return how long the exercise, or a team in it, may run: as planned, and extensions."""
        return self.duration + extended(self.clock, team=team)

    def phase_for(self, team: Team) -> Phase:
        """Return the phase that a team is in: its clock may stand while the exercise runs."""
        return phase_for(self.phase, team.stopped)

    def permits(self, act: Act, team: Team) -> bool:
        """Tell whether a team may do something now."""
        return act in PERMITS[self.phase_for(team)]

    def because(self, team: Team) -> str:
        """Return why a team may do what it may, for people."""
        alone = self.phase is Phase.RUNNING and team.stopped is not None
        return _STOPPED[team.stopped] if alone and team.stopped else BECAUSE[self.phase]

    def require(self, act: Act, team: Team) -> None:
        """Raise NotNowError, with the reason, unless a team may do something now."""
        if not self.permits(act, team):
            raise NotNowError(phase=self.phase_for(team), act=act, because=self.because(team))

    def team_of(self, user: UserId) -> Team | None:
        """Return the team that somebody is a member of."""
        return self._team_of_member.get(user)

    @cached_property
    def _team_of_member(self) -> Mapping[UserId, Team]:
        # Asked with every answer, of one exercise again and again.
        return {m.user: team for team in reversed(self.teams) for m in team.members}

    def team(self, slug: str) -> Team | None:
        """Return the team of that slug."""
        return next((t for t in self.teams if t.slug == slug), None)

    def team_with(self, team: TeamId) -> Team:
        """Return the team of that id, which is one of this exercise's."""
        return next(t for t in self.teams if t.id == team)

    def is_looked_at(self, team: Team) -> bool:
        """Tell whether looks at a team count now, and its world is still the one given."""
        current = self.team_with(team.id)
        return (
            self.permits(Act.CHECK, current)
            and current.world in STANDING
            and current.world_since == team.world_since
        )


def phase_for(phase: Phase, stopped: Stop | None) -> Phase:
    """Return the phase of a team whose clock was stopped, or was not, in an exercise."""
    if phase is not Phase.RUNNING or stopped is None:
        return phase
    return Phase.ENDED if stopped is Stop.TIME_UP else Phase.PAUSED
