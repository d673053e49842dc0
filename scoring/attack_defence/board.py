"""What people see of attack and defence: services by teams, as of the last closed round."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock
from core.db import Database
from core.scenario.fields import is_template
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import UNDER_WAY
from scoring.attack_defence.closing import Tallies
from scoring.attack_defence.errors import NoServicesError
from scoring.attack_defence.repository import AttackDefenceRepository
from scoring.domain.attack_defence.game import Tally
from scoring.ports import Exercises


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamServices:
    """A team's line: what it has of each service, in the board's order. Points in thousandths."""

    team: str
    name: str
    reference: bool
    services: tuple[Tally, ...]

    @property
    def milli_points(self) -> int:
        """What all services have given and taken together."""
        return sum(tally.points for tally in self.services)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceBoard:
    """Services by teams after round `closed`, the best team first; 0 before any was closed.

    `round` is on, and over when the exercise has run until `ends`; `None` when none is.
    `frozen` is the exercise time after which nothing new is shown; `None` without.
    """

    services: tuple[str, ...]
    titles: tuple[str, ...]
    closed: int
    round: int | None
    ends: timedelta | None
    teams: tuple[TeamServices, ...]
    frozen: timedelta | None = None


class Boards:
    """Boards of services."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises

    def show(self, exercise: Exercise, *, for_teams: bool, language: str) -> ServiceBoard:
        """See `AttackDefence.board`."""
        scenario = self._exercises.scenario(exercise).in_language(language)
        if not scenario.services:
            raise NoServicesError("this exercise has no services", hint="Look at its board")
        frozen = self._frozen(exercise, scenario) if for_teams else None
        with self._database.reading() as session:
            repository = AttackDefenceRepository(session)
            on = repository.open_round(exercise.id)
            closed = repository.last_closed(exercise.id, until=frozen)
            tallies = repository.tallies(closed)
        return ServiceBoard(
            services=tuple(scenario.services),
            titles=tuple(
                service.title if service.title and not is_template(service.title) else name
                for name, service in scenario.services.items()
            ),
            closed=closed.number if closed is not None else 0,
            round=on.number if on is not None else None,
            ends=on.deadline if on is not None else None,
            teams=_lines(exercise.teams, tuple(scenario.services), tallies),
            frozen=scenario.end.freeze if frozen is not None else None,
        )

    def _frozen(self, exercise: Exercise, scenario: Scenario) -> datetime | None:
        """Return since when teams are shown nothing new: since the first of them is."""
        freeze = scenario.end.freeze
        if freeze is None or exercise.phase not in UNDER_WAY:
            return None
        now = self._clock.now()
        reached = (exercise.reached(freeze, now, team.id) for team in exercise.teams)
        return min((at for at in reached if at is not None), default=None)


def _lines(
    teams: Sequence[Team], services: tuple[str, ...], tallies: Tallies
) -> tuple[TeamServices, ...]:
    lines = [
        TeamServices(
            team=team.slug,
            name=team.name,
            reference=team.reference,
            services=tuple(tallies.get((team.id, service), Tally()) for service in services),
        )
        for team in teams
    ]
    return tuple(sorted(lines, key=lambda line: (line.reference, -line.milli_points)))
