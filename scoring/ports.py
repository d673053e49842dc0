"""What scoring asks of what stands below it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from core.ids import TeamId
from core.scenario.load import LoadedScenario
from core.scenario.render import TeamFacts
from orchestrator.activity_log import Moved, Typed
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Act


class Exercises(Protocol):
    """Exercises, their pinned scenarios, and what templates may say of a team.

    `orchestrator.service.Exercises` is one.
    """

    def get(self, name_or_id: str) -> Exercise:
        """Return an exercise as it is now; raises when there is none."""
        ...

    def permitting(self, act: Act) -> tuple[Exercise, ...]:
        """Return the exercises whose phase permits `act`."""
        ...

    def scenario(self, exercise: Exercise) -> LoadedScenario:
        """Return the scenario as it was at launch."""
        ...

    def facts(self, exercise: Exercise, team: Team) -> TeamFacts:
        """Return a team's values; its addresses too while it has any."""
        ...

    def facts_of(self, exercise: Exercise, teams: Sequence[Team]) -> Mapping[TeamId, TeamFacts]:
        """Return the same of each of some teams."""
        ...


class ActivityLog(Protocol):
    """What teams did on hosts; `orchestrator.activity_log.ActivityLog` is one."""

    def typed(self, team: TeamId, host: str) -> tuple[Typed, ...]:
        """Return what members of a team typed on a host, oldest first."""
        ...

    def moved(self, team: TeamId, host: str) -> tuple[Moved, ...]:
        """Return the files that members moved whole into a host or out of it, oldest first."""
        ...
