"""Routers, ways and names, decided from a scenario before anything stands."""

from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId
from core.scenario.load import load
from core.scenario.networks import prefix_length
from core.scenario.render import TeamFacts
from orchestrator.domain.addresses import host_addresses
from orchestrator.domain.isolation_probes import probers_of
from orchestrator.domain.plan import plan_world
from orchestrator.domain.routing import _apart, router_address
from orchestrator.domain.world import HostPlan, Passage, Protocol, WorldKey, WorldPlan

SCENARIO = """\
language: 1
scenario: {id: small, version: 1.0.0, title: Small, kind: investigation, duration: 30m}
roles: {solver: {side: blue}}
values: {beacon: {type: port}}
networks: {office: {size: /29}, dmz: {size: /29}, outer: {size: /29}, lab: {size: /29}}
flows:
  - {from: office, to: dmz/mail, tcp: ["90-100", 25, 95], icmp: true}
  - {from: outer/gate, to: dmz, udp: ["{{ values.beacon }}"]}
  - {from: office, to: office, tcp: [1]}
hosts:
  gate: {image: x, networks: {office: {}, outer: {alias: gate.test}}}
  pc: {image: x, networks: {office: {}}}
  mail: {image: x, networks: {dmz: {alias: mail.test}}}
  ghost: {image: x, networks: {dmz: {alias: ghost.test}}, hidden: true}
  bench: {image: x, networks: {lab: {}}}
tasks: {colour: {ask: Which colour?, answer: green, points: 5}}
"""
OFFICE, DMZ, OUTER, LAB = (IPv4Network(f"10.0.{n}.0/29") for n in range(4))


def planned(folder: Path, text: str = SCENARIO) -> WorldPlan:
    (folder / "scenario.yaml").write_text(text)
    loaded = load(folder, policy=None)
    subnets: Mapping[str, IPv4Network] = {
        "office": OFFICE,
        "dmz": DMZ,
        "outer": OUTER,
        "lab": LAB,
    }
    facts = TeamFacts(
        slug="team-1",
        name="Team 1",
        number=1,
        teams=("team-1",),
        values={"beacon": 4242},
        addresses=host_addresses(loaded.scenario, subnets, team=1),
        subnets=subnets,
        start=datetime(2026, 1, 1, tzinfo=UTC),
    )
    key = WorldKey(exercise=ExerciseId("x"), team="team-1")
    return plan_world(key, loaded, facts=facts, subnets=subnets, image_name=lambda *_: "x")


def host(plan: WorldPlan, name: str) -> HostPlan:
    return next(host for host in plan.hosts if host.host == name)


def test_a_router_is_on_each_network_of_a_flow_and_on_no_other(tmp_path: Path) -> None:
    router = planned(tmp_path).router
    assert router is not None
    assert [(p.network, p.address) for p in router.attachments] == [
        ("office", OFFICE[6]),
        ("dmz", DMZ[6]),
        ("outer", OUTER[6]),
    ]


def test_flows_are_rendered_with_ports_in_order_and_none_twice(tmp_path: Path) -> None:
    router = planned(tmp_path).router
    assert router is not None
    mail = IPv4Network(DMZ[2])
    assert router.passages[:2] == (
        Passage(source=OFFICE, target=mail, protocol=Protocol.TCP, ports=((25, 25), (90, 100))),
        Passage(source=OFFICE, target=mail, protocol=Protocol.ICMP),
    )


def test_a_host_on_two_networks_may_use_flows_of_both_from_its_one_way_out(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    gate = host(plan, "gate")
    assert plan.router is not None
    assert gate.gateway == OFFICE[6]
    beacon = {p.source for p in plan.router.passages if p.protocol is Protocol.UDP}
    assert beacon == {IPv4Network(place.address) for place in gate.attachments}


def test_without_a_flow_between_networks_there_is_no_router_and_no_way(tmp_path: Path) -> None:
    inside = "  - {from: office, to: office, tcp: [1]}\n"
    before, _, rest = SCENARIO.partition("flows:\n")
    plan = planned(tmp_path, f"{before}flows:\n{inside}{rest.partition(inside)[2]}")
    assert plan.router is None
    assert {host.gateway for host in plan.hosts} == {None}


def test_a_host_off_every_flow_has_no_way_out(tmp_path: Path) -> None:
    assert host(planned(tmp_path), "bench").gateway is None


def test_hosts_without_a_common_network_are_told_each_others_names(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    assert host(plan, "pc").names == {
        "gate.test": OFFICE[2],
        "mail": DMZ[2],
        "mail.test": DMZ[2],
        "ghost.test": DMZ[3],
        "bench": LAB[2],
    }
    assert host(plan, "mail").names["gate"] == OFFICE[2]


def test_a_hidden_host_answers_to_its_alias_only(tmp_path: Path) -> None:
    ghost = host(planned(tmp_path), "ghost")
    assert ghost.names_on(ghost.attachments[0]) == ("ghost.test",)
    assert ghost.hostname == "ghost.test"


def test_on_a_shared_network_a_host_has_its_teams_name_and_its_id_at_home(tmp_path: Path) -> None:
    text = SCENARIO.replace("lab: {size: /29}", "lab: {shared: true}")
    plan = planned(
        tmp_path,
        text.replace(
            "pc: {image: x, networks: {office: {}", "pc: {image: x, networks: {lab: {}, office: {}"
        ),
    )
    pc, bench = host(plan, "pc"), host(plan, "bench")
    assert [n.shared for n in plan.networks] == [False, False, False, True]
    assert [pc.names_on(place) for place in pc.attachments] == [("pc.team-1",), ("pc",)]
    assert pc.hostname == "pc.team-1", "the engine lets other teams resolve it there"
    assert (pc.names["bench"], bench.names["pc"]) == (LAB[3], LAB[2])
    assert pc.gateway == OFFICE[6]


@pytest.mark.parametrize(("hosts", "prefix"), [(4, 29), (5, 28)])
def test_a_full_network_with_flows_gets_the_next_size(
    tmp_path: Path, hosts: int, prefix: int
) -> None:
    more = "".join(f"  b{n}: {{image: x, networks: {{lab: {{}}}}}}\n" for n in range(hosts - 1))
    flow = "  - {from: lab, to: dmz, tcp: [1]}\n"
    text = SCENARIO.replace("tasks:", f"{more}tasks:")
    (tmp_path / "scenario.yaml").write_text(text.replace("flows:\n", f"flows:\n{flow}"))
    assert prefix_length(load(tmp_path).scenario, "lab", teams=2) == prefix
    (tmp_path / "scenario.yaml").write_text(text)
    assert prefix_length(load(tmp_path).scenario, "lab", teams=2) == 29


def test_the_routers_place_is_never_a_hosts(tmp_path: Path) -> None:
    more = "".join(f"  b{n}: {{image: x, networks: {{dmz: {{}}}}}}\n" for n in range(2))
    plan = planned(tmp_path, SCENARIO.replace("tasks:", f"{more}tasks:"))
    taken: set[IPv4Address] = {place.address for h in plan.hosts for place in h.attachments}
    assert router_address(DMZ) not in taken


ranges = st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda r: (r[0], r[0] + r[1]))


@given(st.lists(ranges, min_size=1, max_size=9))
def test_ports_stay_the_same_when_their_ranges_are_put_apart(found: list[tuple[int, int]]) -> None:
    apart = _apart(found)
    assert {p for a, b in apart for p in range(a, b + 1)} == {
        p for a, b in found for p in range(a, b + 1)
    }
    assert all(second[0] > first[1] + 1 for first, second in pairwise(apart))


def test_a_host_on_no_network_has_no_place_and_nobody_knows_its_name(tmp_path: Path) -> None:
    lone = """\
  pit: {image: x, network_mode: none}
  wire: {image: x, network_mode: host, uts: host, cap_add: [NET_RAW]}
tasks:"""
    before = planned(tmp_path)
    world = planned(tmp_path, SCENARIO.replace("tasks:", lone, 1))
    *others, pit, wire = world.hosts
    assert (tuple(others), world.router) == (before.hosts, before.router)
    for host in (pit, wire):
        assert (host.attachments, host.gateway, host.names) == ((), None, {})
    assert (pit.hostname, wire.hostname) == ("pit", None)
    assert [host.privileges.host_network for host in (pit, wire)] == [False, True]
    assert not wire.sends_raw, "rules in its network would be the machine's own"
    assert not {"pit", "wire"} & {host.host for host in probers_of(world)}
