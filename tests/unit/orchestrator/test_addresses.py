"""Subnets from the site's pool."""

from ipaddress import IPv4Network
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.scenario.load import load
from core.scenario.networks import free_places, prefix_length, room
from core.scenario.schema import Scenario
from orchestrator.domain.addresses import (
    AddressPoolExhaustedError,
    Place,
    Pools,
    allocate,
    host_addresses,
    share_out,
)
from orchestrator.domain.routing import router_address

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


SCENARIO = """\
language: 1
scenario: {id: small, version: 1.0.0, title: Small, kind: attack-defence, duration: 30m}
roles: {solver: {side: blue}}
networks: {home: {size: /29}, wide: {size: /28, simulates: internet}, arena: {shared: true}}
hosts:
  vault: {image: x, networks: {home: {}, arena: {}}}
  desk: {image: x, networks: {home: {}, wide: {}}}
  safe: {image: x, networks: {arena: {}}}
tasks: {colour: {ask: Which colour?, answer: green, points: 5}}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    return load(tmp_path).scenario


def pools(internet: str) -> Pools:
    return Pools(ordinary=networks("10.213.0.0/24"), internet=networks(internet))


def test_a_simulated_internet_is_public_while_there_is_room(scenario: Scenario) -> None:
    places: list[Place] = [(team, name) for team in ("a", "b") for name in ("home", "wide")]
    found = share_out(
        scenario, places, teams=2, pools=pools("203.0.113.0/27"), taken=networks("203.0.113.0/28")
    )
    assert found["a", "wide"] == IPv4Network("203.0.113.16/28")
    ordinary = [found["a", "home"], found["b", "home"], found["b", "wide"]]
    assert all(subnet.subnet_of(POOL[0]) for subnet in ordinary)
    assert len(set(ordinary)) == 3


def test_teams_follow_each_other_on_a_shared_network(scenario: Scenario) -> None:
    arena = IPv4Network("10.9.0.0/27")
    subnets = {"home": POOL[0], "wide": IPv4Network("203.0.113.0/28"), "arena": arena}
    places = [host_addresses(scenario, subnets, team=number) for number in (1, 2)]
    assert [(p["vault"]["arena"], p["safe"]["arena"]) for p in places] == [
        (arena[2], arena[3]),
        (arena[4], arena[5]),
    ]
    assert {p["desk"]["home"] for p in places} == {POOL[0][3]}


@given(st.integers(1, 1000))
def test_a_shared_network_fits_every_teams_hosts_in_its_lower_half(teams: int) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "scenario.yaml").write_text(SCENARIO)
        scenario = load(Path(folder)).scenario
    arena = IPv4Network((0, prefix_length(scenario, "arena", teams=teams)))
    subnets = {"home": POOL[0], "wide": POOL[0], "arena": arena}
    last = host_addresses(scenario, subnets, team=teams)["safe"]["arena"]
    lower, _ = arena.subnets()
    assert last in lower
    assert last != lower.broadcast_address


@given(prefix=st.integers(26, 30), wanted=st.integers(0, 13), routed=st.booleans())
def test_what_values_call_free_is_neither_a_hosts_nor_a_routers_nor_the_gateway(
    *, prefix: int, wanted: int, routed: bool
) -> None:
    hosts = range(min(wanted, room(prefix)))
    scenario = Scenario.model_validate(
        {
            "language": 1,
            "scenario": {
                "id": "x",
                "version": "1.0.0",
                "title": "X",
                "kind": "tabletop",
                "duration": "1h",
            },
            "roles": {"r": {}},
            "networks": {"office": {"size": f"/{prefix}"}, "far": {"size": "/28"}},
            "flows": ({"from": "office", "to": "far", "icmp": True},) if routed else (),
            "hosts": {f"h{n}": {"image": "x", "networks": {"office": {}}} for n in hosts},
        }
    )
    given_size = prefix_length(scenario, "office", teams=1)
    subnets = {"office": IPv4Network(("10.0.0.0", given_size)), "far": IPv4Network("10.1.0.0/28")}
    office = subnets["office"]
    addresses = host_addresses(scenario, subnets, team=1)
    taken = {addresses[host]["office"] for host in scenario.hosts}
    nobodys = {office[0], office[1], router_address(office), office[-1]}
    free = [office[place] for place in free_places(scenario, "office")]
    assert {*free, *taken, *nobodys} == set(office)
    assert len(free) + len(taken | nobodys) == office.num_addresses
