"""The container engine of a site, for those who need no more of it."""

from core.settings import Settings
from orchestrator.engine.runtime import DockerEngine
from orchestrator.ports import RangeEngine


def open_engine(settings: Settings) -> RangeEngine:
    """Return the site's container engine; it is asked nothing yet."""
    return DockerEngine(
        settings.docker_host,
        installation=settings.installation,
        parallelism=settings.engine_parallelism,
    )
