"""Names on the engine: the same for the same thing, so that the engine refuses a second one."""

import hashlib

from core.ids import ExerciseId
from orchestrator.domain.world import HostKey, WorldKey

_BRIDGE_PREFIX = "pg"


def container_name(installation: str, key: HostKey) -> str:
    """Return the container's name; dots cannot occur in the parts, so no two keys share one."""
    return f"poligon.{installation}.{key.world.exercise}.{key.world.team}.{key.host}"


def sentinel_name(installation: str, exercise: ExerciseId) -> str:
    """Return the name of an exercise's listener in the engine host's network."""
    return f"poligon.{installation}.{exercise}.sentinel"


def network_name(installation: str, world: WorldKey, network: str) -> str:
    """Return the network's name, by the same rule as a container's."""
    return f"poligon.{installation}.{world.exercise}.{world.team}.{network}"


def bridge_prefix(installation: str) -> str:
    """Return the 6 characters that start each bridge of an installation: one rule covers all."""
    return _BRIDGE_PREFIX + hashlib.sha256(installation.encode()).hexdigest()[:4]


def bridge_name(installation: str, world: WorldKey, network: str) -> str:
    """Return a network interface's name of 15 characters, the most that Linux allows."""
    place = f"{world.exercise}\0{world.team}\0{network}"
    return bridge_prefix(installation) + hashlib.sha256(place.encode()).hexdigest()[:9]
