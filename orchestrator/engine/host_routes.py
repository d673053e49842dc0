"""Ways out of hosts, set from outside: a host has no right to change its own.

A throw-away toolbox joins the host's network namespace for it. The engine's own way (a gateway of
the network) will not do: newer engines refuse one on an internal network.
"""

from datetime import timedelta
from ipaddress import IPv4Address

from orchestrator.domain.world import HostKey
from orchestrator.engine.beside import needing, network_of
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
        with needing(host):
            result = self._toolbox.run(
                ("ip", "route", "replace", "default", "via", str(gateway)),
                network_mode=network_of(self._labels.installation, host),
                labels=self._labels.probe(host),
                timeout=_WITHIN,
                capabilities=("NET_ADMIN",),
            )
        if not result.ok:
            raise EngineRefusedError(
                f"{host.host} of {host.world.team} does not take its way to the router:"
                f" {result.output.strip()}",
            )
