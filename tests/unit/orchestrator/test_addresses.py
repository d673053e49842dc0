"""Subnets from the site's pool."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.addresses import AddressPoolExhaustedError, allocate

POOL = [IPv4Network("10.213.0.0/24")]


def networks(*texts: str) -> tuple[IPv4Network, ...]:
    return tuple(IPv4Network(text) for text in texts)


def test_each_request_gets_a_subnet_of_its_size_in_its_place() -> None:
    assert allocate(POOL, [], [28, 26, 28]) == networks(
        "10.213.0.64/28", "10.213.0.0/26", "10.213.0.80/28"
    )


def test_what_the_host_routes_already_is_left_alone() -> None:
    taken = networks("10.213.0.0/28", "10.213.0.32/30", "0.0.0.0/32")
    assert allocate(POOL, taken, [28, 28]) == networks("10.213.0.16/28", "10.213.0.48/28")


def test_a_route_that_covers_the_whole_pool_leaves_nothing() -> None:
    with pytest.raises(AddressPoolExhaustedError):
        allocate(POOL, networks("10.0.0.0/8"), [30])


def test_an_exhausted_pool_says_how_much_there_was_and_what_to_do() -> None:
    with pytest.raises(AddressPoolExhaustedError) as exhausted:
        allocate(POOL, [], [26] * 5)
    assert "5 networks are needed and the address pool has room for 4" in str(exhausted.value)
    assert "POLIGON_ADDRESS_POOL" in exhausted.value.hint


subnets = st.builds(
    lambda base, prefix: IPv4Network((base, prefix), strict=False),
    st.integers(int(POOL[0].network_address) - 64, int(POOL[0].broadcast_address) + 64),
    st.integers(25, 32),
)


@given(st.lists(subnets, max_size=8), st.lists(st.integers(26, 30), max_size=12))
def test_no_two_subnets_overlap_and_none_lies_outside(
    taken: list[IPv4Network], prefixes: list[int]
) -> None:
    try:
        found = allocate(POOL, taken, prefixes)
    except AddressPoolExhaustedError:
        return
    assert [n.prefixlen for n in found] == prefixes
    for position, network in enumerate(found):
        assert network.subnet_of(POOL[0])
        assert not any(network.overlaps(other) for other in [*taken, *found[:position]])
