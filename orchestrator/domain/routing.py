"""Ways between the networks of one world: the router, hosts' way to it, names across it."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network

from core.scenario.networks import crossing_flows, hosts_at, routed_networks
from core.scenario.render import Renderer, TeamFacts
from core.scenario.schema import Scenario
from core.scenario.schema_networks import Flow, flow_end
from orchestrator.domain.world import Attachment, Passage, Protocol, RouterPlan

# The last before the broadcast address: hosts count from the other end, so flows move no host.
_ROUTER = -2


def router_address(subnet: IPv4Network) -> IPv4Address:
    """Return the router's place on a routed network."""
    return subnet[_ROUTER]


def plan_router(scenario: Scenario, facts: TeamFacts, renderer: Renderer) -> RouterPlan | None:
    """Return a world's router; none when no flow leads from one network to another."""
    flows = crossing_flows(scenario)
    if not flows:
        return None
    return RouterPlan(
        attachments=tuple(
            Attachment(network=network, address=router_address(facts.subnets[network]))
            for network in routed_networks(scenario)
        ),
        passages=tuple(
            passage for flow in flows for passage in _passages(flow, scenario, facts, renderer)
        ),
    )


def _passages(
    flow: Flow, scenario: Scenario, facts: TeamFacts, renderer: Renderer
) -> Iterator[Passage]:
    target = _addresses(flow.to, facts)
    allowed = [(Protocol.TCP, flow.tcp), (Protocol.UDP, flow.udp)]
    for source in _sources(flow, scenario, facts):
        for protocol, fields in allowed:
            ports = _apart(renderer.ports(field) for field in fields)
            if ports:
                yield Passage(source=source, target=target, protocol=protocol, ports=ports)
        if flow.icmp:
            yield Passage(source=source, target=target, protocol=Protocol.ICMP)


def _sources(flow: Flow, scenario: Scenario, facts: TeamFacts) -> Iterator[IPv4Network]:
    """Yield the addresses that a flow begins at.

    A host on several networks has one way out, so it speaks from its address there, whichever of
    its networks the flow names.
    """
    yield _addresses(flow.from_, facts)
    for host in hosts_at(scenario, flow.from_):
        way_out = _way_out(scenario, host)
        if way_out and way_out != flow_end(flow.from_)[0]:
            yield IPv4Network(facts.addresses[host][way_out])


def _addresses(end: str, facts: TeamFacts) -> IPv4Network:
    network, host = flow_end(end)
    if host is None:
        return facts.subnets[network]
    return IPv4Network(facts.addresses[host][network])


def _apart(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Return the same ports in ranges that neither overlap nor touch, in order."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)


def attachments(scenario: Scenario, facts: TeamFacts, host: str) -> tuple[Attachment, ...]:
    """Return a host's places; on a shared network it is called by its team's name as well."""
    spec = scenario.hosts[host]
    found = []
    for network, place in spec.networks.items():
        shared = scenario.networks[network].shared
        among_teams = None if spec.hidden else f"{host}.{facts.slug}"
        found.append(
            Attachment(
                network=network,
                address=facts.addresses[host][network],
                alias=among_teams if shared else place.alias,
                shared=shared,
            )
        )
    return tuple(found)


def gateway_of(scenario: Scenario, facts: TeamFacts, host: str) -> IPv4Address | None:
    """Return where a host sends all that is not for its own networks; none without flows there."""
    network = _way_out(scenario, host)
    return router_address(facts.subnets[network]) if network else None


def _way_out(scenario: Scenario, host: str) -> str | None:
    routed = routed_networks(scenario)
    return next((n for n in scenario.hosts[host].networks if n in routed), None)


def names_elsewhere(scenario: Scenario, facts: TeamFacts, viewer: str) -> Mapping[str, IPv4Address]:
    """Return the names that a host needs told: of those in networks that it is not on.

    And of its own team's hosts that it meets on a shared network only, where an id alone is
    nobody's.
    """
    own = scenario.hosts[viewer].networks
    names: dict[str, IPv4Address] = {}
    for name, host in scenario.hosts.items():
        if name == viewer or not own or not host.networks:
            continue
        met = [network for network in host.networks if network in own]
        common = [network for network in met if not scenario.networks[network].shared]
        nearest = facts.addresses[name][(*common, *met, _entrance(scenario, viewer, name))[0]]
        if not common and not host.hidden:
            names[name] = nearest
        for network, place in host.networks.items():
            if place.alias and network not in common:
                names[place.alias] = nearest if met else facts.addresses[name][network]
    return names


def _entrance(scenario: Scenario, viewer: str, host: str) -> str:
    """Return the network on which a host is met from elsewhere: where a flow leads, or its first.

    A host on several networks has one address of many that a given peer may speak to.
    """
    for flow in crossing_flows(scenario):
        reached = host in hosts_at(scenario, flow.to)
        if reached and viewer in hosts_at(scenario, flow.from_):
            return flow_end(flow.to)[0]
    return next(iter(scenario.hosts[host].networks))
