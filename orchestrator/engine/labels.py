"""Labels: how everything that we put on an engine is found again.

`cyberpoligon=<installation>` owns; the rest says what a thing is and whose. Names are only for
people, and to let the engine refuse a second one.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from core.ids import ExerciseId
from orchestrator.domain.world import (
    HostKey,
    HostPlan,
    NetworkPlan,
    Privileges,
    RouterPlan,
    WorldKey,
)

OWNER = "cyberpoligon"
EXERCISE = "cyberpoligon.exercise"
TEAM = "cyberpoligon.team"
HOST = "cyberpoligon.host"
NETWORK = "cyberpoligon.network"
PLAN = "cyberpoligon.plan"
KIND = "cyberpoligon.kind"


class Kind(StrEnum):
    """What a thing on the engine is for."""

    HOST = "host"
    NETWORK = "network"
    ROUTER = "router"
    PROBE = "probe"  # a throw-away toolbox beside a host
    HELPER = "helper"  # a throw-away toolbox beside the engine's own host
    SENTINEL = "sentinel"  # a toolbox beside the engine's own host, while worlds are tested
    REACH = "reach"  # a toolbox beside a host, while forwards lead through it
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The labels of one installation."""

    installation: str

    def host(self, key: HostKey, plan: HostPlan) -> dict[str, str]:
        """Return the labels of a host that is made from `plan`."""
        return self._placed(key, Kind.HOST) | {PLAN: plan_digest(plan)}

    def probe(self, key: HostKey) -> dict[str, str]:
        """Return the labels of a probe: its host's, so that it goes with its world."""
        return self._placed(key, Kind.PROBE)

    def reach(self, key: HostKey) -> dict[str, str]:
        """Return the labels of what carries forwards: it goes with its host's world."""
        return self._placed(key, Kind.REACH)

    def network(self, world: WorldKey, plan: NetworkPlan) -> dict[str, str]:
        """Return the labels of a world's network; a shared one belongs to no team."""
        own = self._world(world)
        if plan.shared:
            del own[TEAM]
        return own | {NETWORK: plan.network, KIND: Kind.NETWORK}

    def visitor(self, exercise: ExerciseId) -> dict[str, str]:
        """Return the labels of a probe that stands among all teams: it goes with the exercise."""
        return {OWNER: self.installation, EXERCISE: exercise, KIND: Kind.PROBE}

    def router(self, world: WorldKey, plan: RouterPlan) -> dict[str, str]:
        """Return the labels of a world's router that is made from `plan`."""
        return self._world(world) | {KIND: Kind.ROUTER, PLAN: router_digest(plan)}

    def helper(self) -> dict[str, str]:
        """Return the labels of what works for no exercise in particular."""
        return {OWNER: self.installation, KIND: Kind.HELPER}

    def sentinel(self, exercise: ExerciseId) -> dict[str, str]:
        """Return the labels of an exercise's listener: it goes with the exercise."""
        return {OWNER: self.installation, EXERCISE: exercise, KIND: Kind.SENTINEL}

    def image(self) -> dict[str, str]:
        """Return the labels of an image that we built."""
        return {OWNER: self.installation, KIND: Kind.IMAGE}

    def everything(self) -> tuple[str, ...]:
        """Return the filter that finds all that this installation owns."""
        return (f"{OWNER}={self.installation}",)

    def of_exercise(self, exercise: ExerciseId) -> tuple[str, ...]:
        """Return the filter that finds an exercise."""
        return (*self.everything(), f"{EXERCISE}={exercise}")

    def of_world(self, world: WorldKey) -> tuple[str, ...]:
        """Return the filter that finds one team's world."""
        return (*self.of_exercise(world.exercise), f"{TEAM}={world.team}")

    def _world(self, world: WorldKey) -> dict[str, str]:
        return {OWNER: self.installation, EXERCISE: world.exercise, TEAM: world.team}

    def _placed(self, key: HostKey, kind: Kind) -> dict[str, str]:
        return self._world(key.world) | {HOST: key.host, KIND: kind}


def having(labels: Sequence[str], *, kind: Kind | None = None) -> dict[str, list[str]]:
    """Return an engine filter: all of `labels`, and of that kind."""
    return {"label": [*labels, *([f"{KIND}={kind}"] if kind else [])]}


def plan_digest(plan: HostPlan) -> str:
    """Return 32 hex digits that differ whenever a host of the plan would have to differ.

    Probes and needs are left out: they say when to ask and to start a host, and do not shape it.
    """
    shaping = asdict(
        replace(plan, probes=(), environment=dict(plan.environment), names=dict(plan.names))
    )
    del shaping["needs"]
    if plan.privileges == Privileges():
        del shaping["privileges"]  # hosts that stood before there were any stay as they are
    facts = json.dumps(shaping, sort_keys=True, default=_as_text)
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def router_digest(plan: RouterPlan) -> str:
    """Return 32 hex digits that differ whenever a router of the plan would have to differ."""
    facts = json.dumps(asdict(plan), sort_keys=True, default=_as_text)
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def _as_text(value: object) -> str:
    return hashlib.sha256(value).hexdigest() if isinstance(value, bytes) else str(value)
