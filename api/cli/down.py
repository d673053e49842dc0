"""`poligon down`: nothing is left of an installation but its records."""

from api.bootstrap import Services
from api.cli.database import services_ready
from api.cli.output import Json, reporting
from core.settings import read_settings
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import UNDER_WAY, Act


def down(*, as_json: Json = False) -> None:
    """Remove every world, network and image of this installation, and close its exercises.

    Users, results and records stay. Example: poligon down
    """
    with reporting(as_json=as_json) as output:
        settings = read_settings()
        with services_ready() as services:
            closed = _close_all(services)
            removed = services.engine.remove_everything()
            for exercise in closed:
                for team in exercise.teams:
                    services.worlds.remove_world(exercise.id, team.id)
        output.data(
            {
                "installation": settings.installation,
                "exercises_closed": len(closed),
                "containers": removed.containers,
                "networks": removed.networks,
                "images": removed.images,
            }
        )
        output.line(
            f"Closed {len(closed)} exercises; removed {removed.containers} containers,"
            f" {removed.networks} networks and {removed.images} images of {settings.installation}"
        )


def _close_all(services: Services) -> tuple[Exercise, ...]:
    """End and close every exercise that is not yet; return them."""
    left = services.exercises.permitting(Act.STAND)
    for exercise in left:
        if exercise.phase in UNDER_WAY:
            services.exercises.end(exercise.id)
        services.exercises.destroy(exercise.id)
    return left
