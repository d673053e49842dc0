"""Where a site's gateways are found: in its folder, and at its Redis."""

from pathlib import Path

from core.settings import Settings
from orchestrator.gateway.doors import Doors
from orchestrator.gateway.inner_calls import Gateways
from orchestrator.gateway.over_redis.doors import all_doors
from orchestrator.gateway.over_redis.place import RedisPlace


def door_folder(settings: Settings) -> Path:
    """Return the folder in which gateways of this machine have their inner doors."""
    return settings.home / "gateways"


def redis_place(settings: Settings) -> RedisPlace | None:
    """Return where gateways of several machines meet, if the site has a Redis."""
    url = settings.redis_url()
    return RedisPlace(url=url, installation=settings.installation) if url else None


def doors_of(settings: Settings) -> Doors:
    """Return the inner doors of all gateways."""
    return all_doors(door_folder(settings), redis_place(settings))


def gateways_of(settings: Settings) -> Gateways:
    """Return all gateways of the site."""
    return Gateways(doors_of(settings))
