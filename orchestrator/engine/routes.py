"""Which addresses the engine's host routes already, so that no range takes them."""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, ip_network
from typing import Any

from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.labels import Labels
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError

_WITHIN = timedelta(seconds=30)
_SPLIT_DEFAULT = 1  # a tunnel for everything adds 0.0.0.0/1 and 128.0.0.0/1 beside the default


class Routes:
    """The routes of an engine's host and the subnets of its networks."""

    def __init__(self, connection: EngineConnection, toolbox: Toolbox, labels: Labels) -> None:
        self._connection = connection
        self._toolbox = toolbox
        self._labels = labels

    def taken_subnets(self) -> tuple[IPv4Network, ...]:
        """Return them sorted, each once; default routes take nothing."""
        taken = {*self._of_networks(), *self._of_host()}
        return tuple(sorted(taken))

    def _of_networks(self) -> Iterable[IPv4Network]:
        with self._connection.call() as api:
            networks = api.networks()
        pools = (pool for network in networks for pool in network["IPAM"]["Config"] or [])
        return _parsed(pool.get("Subnet", "") for pool in pools)

    def _of_host(self) -> Iterable[IPv4Network]:
        result = self._toolbox.run(
            ("ip", "-j", "-4", "route", "show", "table", "all"),
            network_mode="host",
            labels=self._labels.helper(),
            timeout=_WITHIN,
        )
        if not result.ok:
            raise EngineRefusedError(f"the engine host's routes are not readable: {result.output}")
        return routed(json.loads(result.output or "[]"))


def routed(routes: Iterable[Mapping[str, Any]]) -> Iterable[IPv4Network]:
    """Return the destinations of `ip -j route`, without default routes and broadcasts."""
    return _parsed(
        route["dst"] for route in routes if route.get("type") not in {"broadcast", "multicast"}
    )


def _parsed(texts: Iterable[str]) -> Iterable[IPv4Network]:
    for text in texts:
        if text and text != "default":
            network = ip_network(text, strict=False)
            if isinstance(network, IPv4Network) and network.prefixlen > _SPLIT_DEFAULT:
                yield network
