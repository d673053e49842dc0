"""What stands of one installation, by its labels."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.ids import ExerciseId
from orchestrator.domain.leftovers import Standing
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.labels import EXERCISE, KIND, TEAM, Kind, Labels, having

_THROWAWAY = frozenset({Kind.PROBE, Kind.HELPER, Kind.SENTINEL})
# The engine gives nanoseconds; Python takes microseconds.
_BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")


def inventory(connection: EngineConnection, labels: Labels) -> tuple[Standing, ...]:
    """Return every container, running or not, and every network that carries our label."""
    ours = having(labels.everything())
    with connection.call() as api:
        containers = api.containers(all=True, filters=ours)
        networks = api.networks(filters=ours)
    return (
        *(
            _standing(
                found,
                name=found["Names"][0].lstrip("/"),
                is_network=False,
                made_at=datetime.fromtimestamp(found["Created"], UTC),
            )
            for found in containers
        ),
        *(
            _standing(
                found, name=found["Name"], is_network=True, made_at=engine_time(found["Created"])
            )
            for found in networks
        ),
    )


def engine_time(text: str) -> datetime:
    """Return a moment as the engine writes it."""
    return datetime.fromisoformat(_BEYOND_MICROSECONDS.sub(r"\1", text))


def _standing(
    found: Mapping[str, Any], *, name: str, is_network: bool, made_at: datetime
) -> Standing:
    labels = found["Labels"] or {}
    exercise = labels.get(EXERCISE)
    return Standing(
        id=found["Id"],
        name=name,
        is_network=is_network,
        throwaway=labels.get(KIND) in _THROWAWAY,
        exercise=ExerciseId(exercise) if exercise else None,
        team=labels.get(TEAM),
        made_at=made_at,
    )
