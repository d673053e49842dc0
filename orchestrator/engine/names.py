"""Names on the engine: the same for the same thing, so that the engine refuses a second one."""

import hashlib

from core.ids import ExerciseId
from orchestrator.domain.world import HostKey, WorldKey

_BRIDGE_PREFIX = "pg"


def container_name(installation: str, key: HostKey) -> str:
    """Return the container's name; dots cannot occur in the parts, so no two keys share one."""
    return f"poligon.{installation}.{key.world.exercise}.{key.world.team}.{key.host}"


def router_name(installation: str, world: WorldKey) -> str:
    """Return the name of a world's router; a host's id has no capital letters."""
    return f"poligon.{installation}.{world.exercise}.{world.team}.Router"


def sentinel_name(installation: str, exercise: ExerciseId) -> str:
    """Return the name of an exercise's listener in the engine host's network."""
    return f"poligon.{installation}.{exercise}.sentinel"


def network_name(installation: str, world: WorldKey, network: str) -> str:
    """Return the network's name, by the same rule as a container's."""
    return f"poligon.{installation}.{world.exercise}.{world.team}.{network}"


def shared_network_name(installation: str, exercise: ExerciseId, network: str) -> str:
    """Return the name of a network that all worlds of an exercise share; it has no team's part."""
    return f"poligon.{installation}.{exercise}.{network}"


def exercise_of_network(installation: str, name: str) -> ExerciseId | None:
    """Return whose a network of this name is; `None` for one of somebody else."""
    if not name.startswith(f"poligon.{installation}."):
        return None
    return ExerciseId(name.split(".")[2])


def bridge_prefix(installation: str) -> str:
    """Return the 6 characters that start each bridge of an installation: one rule covers all."""
    return _BRIDGE_PREFIX + hashlib.sha256(installation.encode()).hexdigest()[:4]


def bridge_name(installation: str, network_name: str) -> str:
    """Return a network interface's name of 15 characters, the most that Linux allows."""
    return bridge_prefix(installation) + hashlib.sha256(network_name.encode()).hexdigest()[:9]
