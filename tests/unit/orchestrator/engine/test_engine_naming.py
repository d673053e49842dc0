"""Names and labels: the same for the same thing, different for different things."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address
from types import MappingProxyType

from core.ids import ExerciseId
from orchestrator.domain.world import (
    AccountPlan,
    Attachment,
    FilePlan,
    HostKey,
    HostPlan,
    Limits,
    ReadyProbe,
    WorldKey,
)
from orchestrator.engine.labels import Kind, Labels, having, plan_digest
from orchestrator.engine.names import bridge_name, bridge_prefix, container_name, network_name

WORLD = WorldKey(exercise=ExerciseId("abc"), team="team-1")
LAN = Attachment(network="lan", address=IPv4Address("10.0.0.10"))
PLAN = HostPlan(
    host="desk",
    image="debian:bookworm-slim",
    attachments=(LAN,),
    accounts=(AccountPlan(name="ann", password="x"),),
    files=(FilePlan(path="/a", content=b"\xff", mtime=datetime(2026, 1, 1, tzinfo=UTC)),),
    environment=MappingProxyType({"A": "1", "B": "2"}),
)


def test_a_bridge_fits_an_interfaces_name_and_starts_as_its_installations_rule_says() -> None:
    name = bridge_name("main", network_name("main", WORLD, "a-network-with-a-very-long-name"))
    assert len(name) == 15
    assert name.startswith(bridge_prefix("main"))
    assert not name.startswith(bridge_prefix("other"))


def test_bridges_of_different_places_differ() -> None:
    places = [
        (WORLD, "lan"),
        (WORLD, "dmz"),
        (replace(WORLD, team="team-2"), "lan"),
        (replace(WORLD, exercise=ExerciseId("abx")), "lan"),
    ]
    assert len({bridge_name("main", network_name("main", *place)) for place in places}) == 4


def test_names_keep_parts_apart() -> None:
    first = HostKey(world=replace(WORLD, team="a-b"), host="c")
    second = HostKey(world=replace(WORLD, team="a"), host="b-c")
    assert container_name("main", first) != container_name("main", second)
    assert network_name("main", WORLD, "lan") == "poligon.main.abc.team-1.lan"


def test_a_plans_digest_is_the_same_for_equal_plans() -> None:
    other_order = replace(PLAN, environment={"B": "2", "A": "1"})
    assert plan_digest(other_order) == plan_digest(PLAN)


def test_a_plans_digest_tells_every_change_but_probes() -> None:
    changed = [
        replace(PLAN, image="other"),
        replace(PLAN, attachments=(replace(LAN, alias="pc"),)),
        replace(PLAN, accounts=(AccountPlan(name="ann", password="y"),)),
        replace(PLAN, files=(replace(PLAN.files[0], content=b"\xfe"),)),
        replace(PLAN, files=(replace(PLAN.files[0], mode=0o600),)),
        replace(PLAN, limits=Limits(pids=1)),
        replace(PLAN, environment={}),
    ]
    assert len({plan_digest(plan) for plan in [PLAN, *changed]}) == len(changed) + 1
    probed = replace(PLAN, probes=(ReadyProbe(tcp=80),))
    assert plan_digest(probed) == plan_digest(PLAN)


def test_a_digest_and_labels_carry_no_password() -> None:
    plan = replace(PLAN, accounts=(AccountPlan(name="ann", password="hunter2"),))
    labels = Labels(installation="main").host(HostKey(world=WORLD, host="desk"), plan)
    assert "hunter2" not in str(labels)


def test_filters_narrow_from_installation_to_world() -> None:
    labels = Labels(installation="main")
    assert having(labels.of_world(WORLD), kind=Kind.HOST) == {
        "label": [
            "cyberpoligon=main",
            "cyberpoligon.exercise=abc",
            "cyberpoligon.team=team-1",
            "cyberpoligon.kind=host",
        ]
    }
