"""Networks of a world: internal bridges with exactly the planned subnet."""

from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import IPAMConfig, IPAMPool

from core.waiting import WaitedTooLongError, until
from orchestrator.domain.world import Attachment, NetworkPlan, WorldKey
from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.errors import is_status, said
from orchestrator.engine.labels import NETWORK, OWNER, Labels
from orchestrator.engine.names import bridge_name, network_name, shared_network_name
from orchestrator.engine.turns import Turns
from orchestrator.ports import EngineRefusedError, SubnetTakenError

_SETTLED_WITHIN = timedelta(seconds=10)
_APPEARS_WITHIN = timedelta(seconds=0.5)


def name_of(installation: str, world: WorldKey, place: NetworkPlan | Attachment) -> str:
    """Return the engine's name of a network, from its plan or from a host's place on it."""
    if place.shared:
        return shared_network_name(installation, world.exercise, place.network)
    return network_name(installation, world, place.network)


class Networks:
    """The networks of one installation on an engine."""

    def __init__(self, connection: EngineConnection, labels: Labels) -> None:
        self._connection = connection
        self._labels = labels
        # The engine makes one at a time, however many it is asked for. In turn, the first world has
        # all of its own early, and its hosts start while those of the others are made.
        self._turns = Turns(1)

    def raise_network(self, world: WorldKey, plan: NetworkPlan) -> None:
        """Have the network stand with the plan's subnet.

        One with another subnet is replaced, unless hosts are still on it: then the world has to
        go first, and EngineRefusedError says so. Raises SubnetTakenError.
        """
        name = name_of(self._labels.installation, world, plan)
        until(
            lambda: self._stands(name, world, plan),
            what=f"network {plan.network} of {world.team}",
            within=_SETTLED_WITHIN,
        )

    def _stands(self, name: str, world: WorldKey, plan: NetworkPlan) -> bool:
        refusal = self._create(name, world, plan)
        if refusal is None:
            return True
        overlaps = "overlap" in said(refusal)
        found = self._appearing(name) if overlaps else self._inspect(name)
        if found is None and overlaps:
            raise SubnetTakenError(
                f"{plan.subnet} for network {plan.network} of {world.team} is taken on the engine",
                subnet=plan.subnet,
                hint="Take another subnet, or set POLIGON_ADDRESS_POOL to addresses that are free",
            ) from refusal
        if found is None:
            return False
        self._require_ours(found, name)
        if found["IPAM"]["Config"][0]["Subnet"] == str(plan.subnet):
            return True
        self._remove(found["Id"], world, plan)
        return False

    def _create(self, name: str, world: WorldKey, plan: NetworkPlan) -> APIError | None:
        """Create it; return the engine's refusal when the name or the subnet is in use."""
        _, upper = plan.subnet.subnets() if plan.shared else (None, None)
        pool = IPAMPool(
            subnet=str(plan.subnet),
            gateway=str(plan.subnet[1]),
            iprange=str(upper) if upper else None,
        )
        with self._turns.place(), self._connection.long_call() as api:
            try:
                api.create_network(
                    name,
                    driver="bridge",
                    internal=True,  # no way out; the engine cannot change it later
                    check_duplicate=True,
                    ipam=IPAMConfig(pool_configs=[pool]),
                    labels=self._labels.network(world, plan),
                    options={
                        "com.docker.network.bridge.name": bridge_name(
                            self._labels.installation, name
                        )
                    },
                )
            except APIError as error:
                if is_status(error, HTTPStatus.CONFLICT) or "overlap" in said(error):
                    return error
                raise
        return None

    def _appearing(self, name: str) -> Mapping[str, Any] | None:
        """Return our network; another process may be making it, and it holds its subnet first."""
        try:
            until(
                lambda: self._inspect(name) is not None,
                what=f"network {name}",
                within=_APPEARS_WITHIN,
            )
        except WaitedTooLongError:
            return None
        return self._inspect(name)

    def _inspect(self, name: str) -> Mapping[str, Any] | None:
        with self._connection.call() as api:
            try:
                found: Mapping[str, Any] = api.inspect_network(name)
            except NotFound:
                return None
            return found

    def _require_ours(self, found: Mapping[str, Any], name: str) -> None:
        labels = found.get("Labels") or {}
        if labels.get(OWNER) != self._labels.installation or NETWORK not in labels:
            raise EngineRefusedError(
                f"the network {name} stands, and is not this installation's",
                hint=f"Remove it (docker network rm {name}) if nothing needs it",
            )

    def _remove(self, network_id: str, world: WorldKey, plan: NetworkPlan) -> None:
        with self._connection.call() as api:
            try:
                api.remove_network(network_id)
            except NotFound:
                return
            except APIError as error:
                if "active endpoints" not in said(error):
                    raise
                raise EngineRefusedError(
                    f"network {plan.network} of {world.team} has another subnet, and hosts on it",
                    hint="Remove the world first, then raise it again",
                ) from error
