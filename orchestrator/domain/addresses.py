"""Addresses: subnets from the site's pool, and hosts' places in them. Pure arithmetic."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network

from core.errors import Fault, PoligonError
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
    scenario: Scenario, subnets: Mapping[str, IPv4Network]
) -> Mapping[str, Mapping[str, IPv4Address]]:
    """Return host → network → address: in the order of the file, from the subnet's second on."""
    following = {name: subnet[_FIRST_HOST] for name, subnet in subnets.items()}
    places: dict[str, dict[str, IPv4Address]] = {}
    for host, spec in scenario.hosts.items():
        places[host] = {}
        for network in spec.networks:
            places[host][network] = following[network]
            following[network] += 1
    return places
