"""Which networks of a scenario are joined by flows, and how large each must be."""

from collections.abc import Iterator

from core.scenario.schema import Scenario
from core.scenario.schema_networks import Flow, flow_end

_WORLD_BITS = 32
# Network, gateway and broadcast addresses are not a host's.
_NOBODYS = 3
_FIRST_HOST = 2
_ROUTER_AND_BROADCAST = 2
_LEAST_HALF = 16


def room(prefix: int) -> int:
    """Return how many hosts a network of this prefix length fits."""
    return int(2 ** (_WORLD_BITS - prefix)) - _NOBODYS


def crossing_flows(scenario: Scenario) -> tuple[Flow, ...]:
    """Return the flows between two networks; inside one nothing has to be stated."""
    return tuple(flow for flow in scenario.flows if flow_end(flow.from_)[0] != flow_end(flow.to)[0])


def routed_networks(scenario: Scenario) -> tuple[str, ...]:
    """Return the networks that a world's router is on: those at an end of a flow."""
    ends = {flow_end(end)[0] for flow in crossing_flows(scenario) for end in (flow.from_, flow.to)}
    return tuple(name for name in scenario.networks if name in ends)


def hosts_on(scenario: Scenario, network: str) -> tuple[str, ...]:
    """Return the hosts on a network, in the file's order."""
    return tuple(name for name, host in scenario.hosts.items() if network in host.networks)


def prefix_length(scenario: Scenario, network: str, *, teams: int) -> int:
    """Return the prefix length that the site gives a network.

    It is what the author asked for, but where hosts leave the router no place: then one shorter,
    so that `/n` fits the same number of hosts with flows as without. A shared network fits all
    teams' hosts into its lower half; the upper one is for what comes and goes, such as checkers.
    """
    asked = scenario.networks[network].size
    hosts = len(hosts_on(scenario, network))
    if asked is None:
        half = max(teams * hosts + _NOBODYS, _LEAST_HALF)
        return _WORLD_BITS - 1 - (half - 1).bit_length()
    full = network in routed_networks(scenario) and hosts == room(asked)
    return asked - 1 if full else asked


def free_places(scenario: Scenario, network: str) -> range:
    """Return the places in a team's own network that no host, router or gateway takes.

    A place is what is added to the network's first address. The router's is kept free in any case,
    so that a flow that comes later changes nothing.
    """
    end = 2 ** (_WORLD_BITS - prefix_length(scenario, network, teams=1))
    return range(_FIRST_HOST + len(hosts_on(scenario, network)), end - _ROUTER_AND_BROADCAST)


def hosts_at(scenario: Scenario, end: str) -> Iterator[str]:
    """Yield the hosts that a flow's end means: the one it names, or all on the network."""
    network, only = flow_end(end)
    for name, host in scenario.hosts.items():
        if network in host.networks and only in {None, name}:
            yield name
