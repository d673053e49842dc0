"""An exercise, its teams and their worlds, as everybody else reads them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.ids import ExerciseId, TeamId, UserId
from orchestrator.domain.clock import ClockEvent, elapsed
from orchestrator.domain.isolation import Isolation
from orchestrator.domain.phases import Phase, WorldPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What went wrong in one world: where, what was seen, and what to type next."""

    stage: str  # images | addresses | networks | hosts | readiness | removal
    message: str
    host: str = ""
    output: str = ""
    next_command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of a team, in one of the scenario's roles; a guest's account the launch made."""

    user: UserId
    name: str
    role: str
    guest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team and where its world is. `number` counts from 1."""

    id: TeamId
    slug: str
    name: str
    number: int
    members: tuple[Member, ...]
    world: WorldPhase
    world_since: datetime
    problem: Problem | None
    isolation: Isolation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
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

    def elapsed(self, now: datetime) -> timedelta:
        """Return the exercise's own time at `now`."""
        return elapsed(self.clock, now)

    def team_of(self, user: UserId) -> Team | None:
        """Return the team that somebody is a member of."""
        return next((t for t in self.teams if any(m.user == user for m in t.members)), None)

    def team(self, slug: str) -> Team | None:
        """Return the team of that slug."""
        return next((t for t in self.teams if t.slug == slug), None)
