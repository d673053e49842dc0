"""An exercise, its teams and their worlds, as everybody else reads them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.ids import ExerciseId, TeamId, UserId
from orchestrator.domain.clock import ClockEvent, elapsed
from orchestrator.domain.phases import Phase, WorldPhase


class Stage(StrEnum):
    """How far a world was when something went wrong with it."""

    ENGINE = "engine"
    IMAGES = "images"
    ADDRESSES = "addresses"
    PLAN = "plan"
    NETWORKS = "networks"
    HOSTS = "hosts"
    READINESS = "readiness"
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
    """A team and where its world is. `number` counts from 1."""

    id: TeamId
    slug: str
    name: str
    number: int
    members: tuple[Member, ...]
    world: WorldPhase
    world_since: datetime
    problem: Problem | None

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

    def elapsed(self, now: datetime) -> timedelta:
        """Return the exercise's own time at `now`."""
        return elapsed(self.clock, now)

    def team_of(self, user: UserId) -> Team | None:
        """Return the team that somebody is a member of."""
        return next((t for t in self.teams if any(m.user == user for m in t.members)), None)

    def team(self, slug: str) -> Team | None:
        """Return the team of that slug."""
        return next((t for t in self.teams if t.slug == slug), None)
