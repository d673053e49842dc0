"""What a self-test asks of a world: from which hosts, and which targets from each. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Address

from orchestrator.domain.isolation import (
    Dial,
    Lookup,
    Neighbour,
    Probe,
    Question,
    Sentinel,
    Target,
)
from orchestrator.domain.world import Attachment, HostPlan, Passage, Protocol, WorldPlan

METADATA = IPv4Address("169.254.169.254")
ENGINE_PORTS = (2375, 2376)
# Nobody listens there, and a host that is reached says so: it refuses.
_KNOCK = 9
_MOST_ADDRESSES = 16
_MOST_PEERS = 4


def probers_of(plan: WorldPlan) -> tuple[HostPlan, ...]:
    """Return hosts that are on all networks together: first who adds most, few in all.

    A network without a host has nobody to ask from.
    """
    left = {place.network for host in plan.hosts for place in host.attachments}
    chosen: list[HostPlan] = []
    while left:
        best = max(plan.hosts, key=lambda host: len(left & _networks(host)))
        chosen.append(best)
        left -= _networks(best)
    return tuple(chosen)


def probes_of(
    plan: WorldPlan,
    host: HostPlan,
    *,
    sentinel: Sentinel,
    neighbours: Sequence[Neighbour],
    stranger: str,
) -> tuple[Probe, ...]:
    """Return what `host` must reach and what it must not; `stranger` is a name nobody has.

    What the plan itself joins to the host's networks is no stranger, whoever's it is.
    """
    return (
        *_peers(plan, host),
        *_of_the_engines_host(plan, host, sentinel),
        *(
            Probe(
                question=Question.TEAMS,
                target=Dial(address=neighbour.address, port=_KNOCK),
                of=neighbour.name,
            )
            for neighbour in neighbours
            if not _joined(plan, neighbour.address)
        ),
        *_across(plan, host),
        *(
            Probe(
                question=Question.METADATA if dial.address == METADATA else Question.OUTSIDE,
                target=dial,
                of=str(dial),
            )
            for dial in sorted(sentinel.outside, key=str)
        ),
        Probe(question=Question.NAMES, target=Lookup(name=stranger), of=stranger),
        *_over_ipv6(plan, host, sentinel),
    )


def _joined(plan: WorldPlan, address: IPv4Address) -> bool:
    return any(address in network.subnet for network in plan.networks)


def _peers(plan: WorldPlan, host: HostPlan) -> list[Probe]:
    """Return the peers' names and addresses; of a host without peers, its own."""
    met = [(peer, _met(host, peer)) for peer in plan.hosts if peer != host]
    peers = [(peer, places) for peer, places in met if places][:_MOST_PEERS]
    probes: list[Probe] = []
    for peer, places in peers or [(host, list(host.attachments))]:
        wanted = frozenset(place.address for place in places)
        names = [name for place in places for name in peer.names_on(place)]
        targets: list[Target] = [Lookup(name=name) for name in names[:1]]
        targets.append(Dial(address=min(wanted), port=_KNOCK))
        probes += [
            Probe(question=Question.PEERS, target=target, of=peer.host, wanted=wanted)
            for target in targets
        ]
    return probes


def _met(host: HostPlan, peer: HostPlan) -> list[Attachment]:
    """Return the places of a peer on networks that the host is on, too."""
    near = _networks(host)
    return [place for place in peer.attachments if place.network in near]


def _across(plan: WorldPlan, host: HostPlan) -> list[Probe]:
    """Return the hosts of the same team that are met on no network, where no flow lets a knock."""
    passages = plan.router.passages if plan.router is not None else ()
    return [
        Probe(
            question=Question.NETWORKS,
            target=Dial(address=place.address, port=_KNOCK),
            of=f"{peer.host} at {place.address}",
        )
        for peer in plan.hosts
        if peer != host and not _met(host, peer)
        for place in peer.attachments
        if not any(_lets_knock(passage, host, place) for passage in passages)
    ][:_MOST_PEERS]


def _lets_knock(passage: Passage, host: HostPlan, place: Attachment) -> bool:
    return (
        passage.protocol is Protocol.TCP
        and place.address in passage.target
        and any(own.address in passage.source for own in host.attachments)
        and any(first <= _KNOCK <= last for first, last in passage.ports)
    )


def _of_the_engines_host(plan: WorldPlan, host: HostPlan, sentinel: Sentinel) -> list[Probe]:
    """Return the sentinel, and the engine's own ports, at the host's gateways and other places."""
    gateways = _gateways(plan, host)
    nearest_first = sorted(
        sentinel.answers_at, key=lambda address: (address not in gateways, address)
    )
    return [
        Probe(question=question, target=Dial(address=address, port=port), of=f"{address}:{port}")
        for address in nearest_first[:_MOST_ADDRESSES]
        for question, port in (
            (Question.HOST, sentinel.port),
            *((Question.ENGINE, port) for port in ENGINE_PORTS),
        )
    ]


def _over_ipv6(plan: WorldPlan, host: HostPlan, sentinel: Sentinel) -> list[Probe]:
    """Return the sentinel at IPv6 addresses of the engine's host, those of the gateways first.

    None at all when it did not reach itself over IPv6 at each gateway: half of the controls would
    prove nothing.
    """
    gateways = _gateways(plan, host)
    if not gateways <= {beside for beside, _ in sentinel.answers_over_ipv6}:
        return []
    nearest_first = sorted(
        sentinel.answers_over_ipv6, key=lambda pair: (pair[0] not in gateways, pair)
    )
    dials = [
        Dial(address=address, port=sentinel.port) for _, address in nearest_first[:_MOST_ADDRESSES]
    ]
    # Two bridges may have the same one.
    return [Probe(question=Question.IPV6, target=d, of=str(d)) for d in dict.fromkeys(dials)]


def _networks(host: HostPlan) -> set[str]:
    return {place.network for place in host.attachments}


def _gateways(plan: WorldPlan, host: HostPlan) -> set[IPv4Address]:
    """Return the engine host's own addresses on a host's networks."""
    near = _networks(host)
    return {network.subnet[1] for network in plan.networks if network.network in near}
