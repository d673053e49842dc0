"""What pages say of the services of an attack-defence exercise."""

from dataclasses import dataclass

from api.bootstrap import Services
from orchestrator.domain.exercise import Exercise, Team
from scoring.attack_defence.board import ServiceBoard
from scoring.team_scenario import TeamScenario


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceShown:
    """A service as its own team calls it: `vault.team-1` and a port."""

    title: str
    host: str
    port: int


def services_of(
    services: Services, exercise: Exercise, team: Team, language: str
) -> tuple[ServiceShown, ...]:
    """Return the services of a team, their titles in a language."""
    if not services.exercises.scenario(exercise).scenario.services:
        return ()
    seen = TeamScenario.of(services.exercises, exercise, team, language=language)
    return tuple(
        ServiceShown(
            title=seen.shown(service.title or name),
            host=f"{service.host}.{team.slug}",
            port=service.port,
        )
        for name, service in seen.texts.services.items()
    )


def service_board_of(
    services: Services, exercise: Exercise, *, for_teams: bool = False, language: str = ""
) -> ServiceBoard | None:
    """Return how all teams' services are, in a language; `None` when the scenario has none."""
    if not services.exercises.scenario(exercise).scenario.services:
        return None
    return services.attack_defence.board(exercise, for_teams=for_teams, language=language)
