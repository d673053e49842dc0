"""What keeps a host that may send raw packets from passing for another one on its networks.

Rules in nftables' egress hook, which packet sockets pass too, in the host's own network namespace:
without NET_ADMIN the host can neither see nor take them away. They go with the namespace.
"""

from datetime import timedelta

from orchestrator.domain.world import HostKey, HostPlan
from orchestrator.engine.beside import configure_network
from orchestrator.engine.labels import Labels
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError

_WITHIN = timedelta(seconds=30)

# The type is read from the frame: what a packet socket says of it may be another one.
_SCRIPT = r"""set -e
chains=
for address do
  device=$(ip -o -4 address show to "$address" | cut -d ' ' -f 2)
  hardware=$(ip -o link show dev "$device" | sed 's/.*link\/ether \([0-9a-f:]*\).*/\1/')
  chains="$chains
  chain $device {
    type filter hook egress device \"$device\" priority filter; policy drop;
    ether saddr != $hardware drop
    ether type arp arp saddr ether $hardware arp saddr ip $address accept
    ether type ip ip saddr $address accept
  }"
done
nft -f - <<RULES
table netdev poligon_guard
delete table netdev poligon_guard
table netdev poligon_guard {$chains
}
RULES
"""


class Guard:
    """The rules for one installation's hosts that send raw packets."""

    def __init__(self, toolbox: Toolbox, labels: Labels) -> None:
        self._toolbox = toolbox
        self._labels = labels

    def hold(self, host: HostKey, plan: HostPlan) -> None:
        """Have a running host send with its own addresses only, until it stops.

        Raises HostGoneError, and EngineRefusedError where the kernel has no such hook.
        """
        result = configure_network(
            self._toolbox,
            self._labels,
            host,
            ("sh", "-c", _SCRIPT, "sh", *(str(place.address) for place in plan.attachments)),
            within=_WITHIN,
        )
        if not result.ok:
            raise EngineRefusedError(
                f"{host.host} of {host.world.team} may send raw packets (NET_RAW), and cannot be"
                f" held to its own addresses: {result.output.strip()}",
                hint="It takes Linux 5.16 with NETFILTER_EGRESS on the engine's host",
            )
