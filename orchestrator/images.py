"""Names of images: a built one carries the content that it was built from."""

from collections.abc import Callable
from functools import cache

from core.scenario.folder import Folder, digest_of
from core.scenario.load import LoadedScenario
from core.scenario.schema import Host


def image_namer(installation: str, loaded: LoadedScenario) -> Callable[[str, Host], str]:
    """Return what a host's image is called on the engine.

    The same context gives the same name, for every team and every later launch, so it is built
    once; any change gives another, so a stale image is never used.
    """
    scenario = loaded.scenario.scenario.id

    @cache
    def digest(context: str) -> str:
        return digest_of(Folder(loaded.folder / context).entries())

    def name(host_id: str, host: Host) -> str:
        if host.build is None:
            return host.image or ""
        return f"cyberpoligon-{installation}/{scenario}-{host_id}:{digest(host.build.context)[:16]}"

    return name
