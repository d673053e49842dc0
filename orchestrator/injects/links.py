"""Links that injects have changed, put back in force after hosts were raised again.

What shapes a link goes with its host, so a host that was repaired or made anew begins with its
links as planned, whatever holds for its team.
"""

from collections.abc import Mapping
from contextlib import suppress

from core.clock import Clock
from core.db import Database
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.inject_deeds import links_in_force
from orchestrator.domain.links import AS_PLANNED, Link, LinkState
from orchestrator.domain.world import WorldKey
from orchestrator.injects.repository import InjectRepository
from orchestrator.ports import HostGoneError, NotEnforcedError, RangeEngine
from orchestrator.service import Exercises


class LinksInForce:
    """Has the links of a team's world be as its injects have left them."""

    def __init__(
        self, database: Database, clock: Clock, exercises: Exercises, engine: RangeEngine
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._engine = engine

    def put_back(self, exercise: Exercise, team: Team) -> None:
        """Shape every link that is not as planned, as far as there is one and it can be.

        What cannot be enforced here was said when its inject went out. Raises what else the engine
        raises.
        """
        shaped: Mapping[Link, LinkState] = {}
        # Until nothing changed meanwhile: an inject may go out, or be over, beside this.
        while (wanted := self._wanted(exercise, team)) != shaped:
            for link in dict.fromkeys((*shaped, *wanted)):
                state = wanted.get(link, AS_PLANNED)
                if state != shaped.get(link, AS_PLANNED):
                    self._shape(WorldKey(exercise=exercise.id, team=team.slug), link, state)
            shaped = wanted

    def _shape(self, world: WorldKey, link: Link, state: LinkState) -> None:
        with suppress(HostGoneError, NotEnforcedError):
            self._engine.shape(world, link, state)

    def _wanted(self, exercise: Exercise, team: Team) -> Mapping[Link, LinkState]:
        scenario = self._exercises.scenario(exercise).scenario
        if all(inject.link is None for inject in scenario.injects.values()):
            return {}
        with self._database.reading() as session:
            records = InjectRepository(session).records([team.id])[team.id]
        elapsed = self._exercises.get(exercise.id).elapsed(self._clock.now(), team.id)
        return links_in_force(scenario, [record.firing for record in records], elapsed)
