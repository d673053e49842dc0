"""Addresses: subnets from the site's pool, and hosts' places in them. Pure arithmetic."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from core.errors import Fault, PoligonError
from core.scenario.networks import hosts_on, prefix_length
from core.scenario.schema import Scenario

# Network, gateway and broadcast addresses are nobody's: /n fits 2^(32-n) - 3 hosts.
_FIRST_HOST = 2
_WORLD_BITS = 32


class AddressPoolExhaustedError(PoligonError):
    """The pool has no room for the networks that are asked for."""

    code = "addresses.pool_exhausted"
    fault = Fault.CONFLICT

    def __init__(self, *, wanted: int, prefix: int, given: int) -> None:
        super().__init__(
            f"{wanted} networks are needed and the address pool has room for {given}"
            f" (the next one is a /{prefix})",
            hint="Set POLIGON_ADDRESS_POOL to more or larger networks, destroy exercises that"
            " are over, or launch fewer teams",
        )


def allocate(
    pool: Sequence[IPv4Network], taken: Iterable[IPv4Network], prefixes: Sequence[int]
) -> tuple[IPv4Network, ...]:
    """Return one free subnet for each prefix length, in that order; the lowest that fits.

    No two overlap, none overlaps what is `taken`. Raises AddressPoolExhaustedError.
    """
    free = _gaps(pool, taken)
    found: dict[int, IPv4Network] = {}
    # Large ones first: the other way round, small ones break up what large ones need.
    for index in sorted(range(len(prefixes)), key=lambda i: prefixes[i]):
        subnet = _take(free, prefixes[index])
        if subnet is None:
            raise AddressPoolExhaustedError(
                wanted=len(prefixes), prefix=prefixes[index], given=len(found)
            )
        found[index] = subnet
    return tuple(found[index] for index in range(len(prefixes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Where subnets come from; `internet` is for networks that simulate it, while it has room."""

    ordinary: Sequence[IPv4Network]
    internet: Sequence[IPv4Network] = ()


Place = tuple[str | None, str]
"""A team's slug and one of its networks; without a team, a network that all teams share."""


def share_out(
    scenario: Scenario,
    places: Sequence[Place],
    *,
    teams: int,
    pools: Pools,
    taken: Iterable[IPv4Network],
) -> dict[Place, IPv4Network]:
    """Return a subnet for each place. Raises AddressPoolExhaustedError."""
    taken = tuple(taken)
    sizes = {name: prefix_length(scenario, name, teams=teams) for name in scenario.networks}
    free = _gaps(pools.internet, taken)
    found: dict[Place, IPv4Network] = {}
    simulated = [place for place in places if scenario.networks[place[1]].simulates]
    for place in sorted(simulated, key=lambda place: sizes[place[1]]):
        subnet = _take(free, sizes[place[1]])
        if subnet is not None:
            found[place] = subnet
    rest = [place for place in places if place not in found]
    others = allocate(pools.ordinary, [*taken, *found.values()], [sizes[name] for _, name in rest])
    return found | dict(zip(rest, others, strict=True))


def _gaps(pool: Sequence[IPv4Network], taken: Iterable[IPv4Network]) -> list[tuple[int, int]]:
    """Return the free stretches of the pool as (first, one past the last), in order."""
    busy = sorted(_span(network) for network in taken)
    gaps = []
    for first, end in sorted(_span(network) for network in pool):
        cursor = first
        for busy_first, busy_end in busy:
            if busy_end <= cursor or busy_first >= end:
                continue
            if busy_first > cursor:
                gaps.append((cursor, busy_first))
            cursor = max(cursor, busy_end)
        if cursor < end:
            gaps.append((cursor, end))
    return gaps


def _take(free: list[tuple[int, int]], prefix: int) -> IPv4Network | None:
    size = 1 << (_WORLD_BITS - prefix)
    for index, (first, end) in enumerate(free):
        start = (first + size - 1) // size * size
        if start + size <= end:
            rest = [(first, start), (start + size, end)]
            free[index : index + 1] = [(a, b) for a, b in rest if a < b]
            return IPv4Network((start, prefix))
    return None


def _span(network: IPv4Network) -> tuple[int, int]:
    first = int(network.network_address)
    return first, first + network.num_addresses


def host_addresses(
    scenario: Scenario, subnets: Mapping[str, IPv4Network], *, team: int
) -> Mapping[str, Mapping[str, IPv4Address]]:
    """Return host → network → address: in the order of the file, from the subnet's second on.

    On a shared network the teams follow each other, by their number from 1.
    """
    following = {
        name: subnet[_FIRST_HOST + _before(scenario, name, team)]
        for name, subnet in subnets.items()
    }
    places: dict[str, dict[str, IPv4Address]] = {}
    for host, spec in scenario.hosts.items():
        places[host] = {}
        for network in spec.networks:
            places[host][network] = following[network]
            following[network] += 1
    return places


def _before(scenario: Scenario, network: str, team: int) -> int:
    shared = scenario.networks[network].shared
    return (team - 1) * len(hosts_on(scenario, network)) if shared else 0
