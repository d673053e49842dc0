"""Which addresses the engine's host routes already, so that no range takes them."""

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Network, ip_network

from orchestrator.engine.connection import EngineConnection
from orchestrator.engine.labels import Labels
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError

_WITHIN = timedelta(seconds=30)
_SPLIT_DEFAULT = 1  # a tunnel for everything adds 0.0.0.0/1 and 128.0.0.0/1 beside the default

# Each destination once and nothing else, because hundreds of networks have several routes each. The
# kind of a route comes before its destination, unless it is an ordinary one.
TELL_ROUTES = """\
routes=$(ip -4 route show table all) || exit 1
echo "$routes" | awk '
$1 == "broadcast" || $1 == "multicast" { next }
{ to = $1 ~ /^[0-9]/ ? $1 : $2 }
to ~ /^[0-9]/ && !told[to]++ { print "route", to }'
"""
"""Shell that prints `route` and a destination for each that the host has in any table."""


class Routes:
    """The routes of an engine's host and the subnets of its networks."""

    def __init__(self, connection: EngineConnection, toolbox: Toolbox, labels: Labels) -> None:
        self._connection = connection
        self._toolbox = toolbox
        self._labels = labels

    def taken_subnets(self) -> tuple[IPv4Network, ...]:
        """Return them sorted, each once; default routes take nothing."""
        result = self._toolbox.run(
            ("sh", "-c", TELL_ROUTES),
            network_mode="host",
            labels=self._labels.helper(),
            timeout=_WITHIN,
        )
        if not result.ok:
            raise EngineRefusedError(f"the engine host's routes are not readable: {result.output}")
        return self.taken(result.output)

    def taken(self, told: str) -> tuple[IPv4Network, ...]:
        """Return the same where the host was told of by TELL_ROUTES already."""
        return tuple(sorted({*self._of_networks(), *routed(told)}))

    def _of_networks(self) -> Iterable[IPv4Network]:
        with self._connection.call() as api:
            networks = api.networks()
        pools = (pool for network in networks for pool in network["IPAM"]["Config"] or [])
        return _parsed(pool.get("Subnet", "") for pool in pools)


def routed(output: str) -> Iterable[IPv4Network]:
    """Return what TELL_ROUTES printed somewhere in an output, without ways to everywhere."""
    words = (line.split() for line in output.splitlines())
    return _parsed(line[1] for line in words if line[:1] == ["route"])


def _parsed(texts: Iterable[str]) -> Iterable[IPv4Network]:
    for text in texts:
        if text:
            network = ip_network(text, strict=False)
            if isinstance(network, IPv4Network) and network.prefixlen > _SPLIT_DEFAULT:
                yield network
