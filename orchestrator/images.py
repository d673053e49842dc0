"""Names of images: a built one carries the content that it was built from."""

from collections.abc import Callable
from functools import cache

from core.scenario.folder import Folder, digest_of
from core.scenario.load import LoadedScenario
from core.scenario.schema import Host
from core.scenario.schema_services import Service
from orchestrator.domain.world import ImageBuild


def image_namer(installation: str, loaded: LoadedScenario) -> Callable[[str, Host], str]:
    """Return what a host's image is called on the engine.

    The same context gives the same name, for every team and every later launch, so it is built
    once; any change gives another, so a stale image is never used.
    """
    built = _built_namer(installation, loaded)

    def name(host_id: str, host: Host) -> str:
        return built(host_id, host.build.context) if host.build is not None else host.image or ""

    return name


def checker_namer(installation: str, loaded: LoadedScenario) -> Callable[[Service], str]:
    """Return what the image of a service's checker is called: one name for one context."""
    built = _built_namer(installation, loaded)
    return lambda service: built("checker", service.checker.build.context)


def image_builds(installation: str, loaded: LoadedScenario) -> tuple[ImageBuild, ...]:
    """Return the images that the scenario brings, of hosts and of checkers, each once."""
    name, checker_name = image_namer(installation, loaded), checker_namer(installation, loaded)
    hosts = (
        ImageBuild(
            reference=name(host_id, host),
            context=loaded.folder / host.build.context,
            host=host_id,
        )
        for host_id, host in loaded.scenario.hosts.items()
        if host.build is not None
    )
    checkers = (
        ImageBuild(
            reference=checker_name(service),
            context=loaded.folder / service.checker.build.context,
            service=service_id,
        )
        for service_id, service in loaded.scenario.services.items()
    )
    first: dict[str, ImageBuild] = {}
    for build in (*hosts, *checkers):
        first.setdefault(build.reference, build)
    return tuple(first.values())


def _built_namer(installation: str, loaded: LoadedScenario) -> Callable[[str, str], str]:
    scenario = loaded.scenario.scenario.id

    @cache
    def digest(context: str) -> str:
        return digest_of(Folder(loaded.folder / context).entries())[:16]

    return lambda what, context: f"cyberpoligon-{installation}/{scenario}-{what}:{digest(context)}"
