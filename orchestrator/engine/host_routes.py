"""Ways out of hosts, set from outside: a host has no right to change its own.

A throw-away toolbox joins the host's network namespace for it. The engine's own way (a gateway of
the network) will not do: newer engines refuse one on an internal network.
"""

from datetime import timedelta
from ipaddress import IPv4Address

from orchestrator.domain.world import HostKey
from orchestrator.engine.beside import configure_network
from orchestrator.engine.labels import Labels
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError

_WITHIN = timedelta(seconds=30)


class HostRoutes:
    """The default routes of one installation's hosts."""

    def __init__(self, toolbox: Toolbox, labels: Labels) -> None:
        self._toolbox = toolbox
        self._labels = labels

    def lead(self, host: HostKey, gateway: IPv4Address) -> None:
        """Have a running host's default route; it lasts until it stops. Raises HostGoneError."""
        result = configure_network(
            self._toolbox,
            self._labels,
            host,
            ("ip", "route", "replace", "default", "via", str(gateway)),
            within=_WITHIN,
        )
        if not result.ok:
            raise EngineRefusedError(
                f"{host.host} of {host.world.team} does not take its way to the router:"
                f" {result.output.strip()}",
            )
