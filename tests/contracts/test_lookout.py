"""The self-test's eyes, over the fake and over a real Docker Engine; and that they see a leak."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Network

import docker
import pytest
from docker.types import IPAMConfig, IPAMPool

from core.ids import ExerciseId, new_id
from core.waiting import until
from orchestrator.domain.isolation import (
    Answer,
    Dial,
    Finding,
    Heard,
    Look,
    Lookup,
    Neighbour,
    Question,
    Sentinel,
    Target,
    Verdict,
    View,
)
from orchestrator.domain.isolation_judge import judge, together
from orchestrator.domain.isolation_probes import probers_of, probes_of
from orchestrator.domain.world import (
    Attachment,
    HostKey,
    HostPlan,
    NetworkPlan,
    Privileges,
    WorldKey,
    WorldPlan,
)
from orchestrator.engine.names import container_name, network_name, sentinel_name
from orchestrator.engine.runtime import DockerEngine
from orchestrator.ports import HostGoneError, RangeEngine
from tests.addresses import fresh_subnet
from tests.contracts.engine_cases import DockerCase, EngineCase

SOON = timedelta(seconds=60)
SILENCE = timedelta(milliseconds=100)
SOMEWHERE = (Dial(address=IPv4Address("192.0.2.1"), port=9),)
ON_ONE = {"desk": ("lan",), "mail": ("lan",)}
ON_TWO = {"desk": ("lan",), "mail": ("lan",), "shed": ("yard",), "barn": ("yard",)}
NOTHING = Answer(heard=Heard.NOTHING)


@pytest.fixture
def real_world(docker_case: DockerCase) -> Iterator[WorldKey]:
    """Lend a world of the real engine alone."""
    exercise = ExerciseId(new_id())
    yield WorldKey(exercise=exercise, team="team-1")
    docker_case.engine.remove_exercise(exercise)


def raised(
    case: EngineCase, world: WorldKey, layout: Mapping[str, tuple[str, ...]] = ON_ONE
) -> WorldPlan:
    """Raise a world: each host with the networks that it is on."""
    names = sorted({network for on in layout.values() for network in on})
    subnets = {name: fresh_subnet() for name in names}
    networks = tuple(NetworkPlan(network=n, subnet=subnet) for n, subnet in subnets.items())
    for network in networks:
        case.engine.raise_network(world, network)
    hosts = tuple(
        HostPlan(
            host=name,
            image=case.image,
            attachments=tuple(
                Attachment(network=network, address=subnets[network][number]) for network in on
            ),
        )
        for number, (name, on) in enumerate(layout.items(), start=2)
    )
    for host in hosts:
        case.engine.raise_host(world, host)
    return WorldPlan(key=world, networks=networks, hosts=hosts)


def watched(engine: RangeEngine, plan: WorldPlan) -> Sentinel:
    """Post a sentinel and return its report, once it answers at the plan's gateways."""
    engine.post_sentinel(plan.key.exercise)
    gateways = {network.subnet[1] for network in plan.networks}
    seen: list[Sentinel] = []

    def answers() -> bool:
        report = engine.sentinel(plan.key.exercise)
        seen.extend([report] if report else [])
        return bool(seen) and gateways <= seen[-1].answers_at

    until(answers, what="the sentinel to answer at the gateway", within=SOON)
    return seen[-1]


def desk(plan: WorldPlan) -> HostKey:
    return HostKey(world=plan.key, host="desk")


def view_of(engine: RangeEngine, host: HostKey, near: tuple[Target, ...] = ()) -> View:
    """Look around from one host alone."""
    look = Look(host=host, near=near, far=SOMEWHERE)
    return engine.look_around([look], silence=SILENCE)[host]


def findings_of(
    engine: RangeEngine, plan: WorldPlan, *others: Neighbour, sentinel: Sentinel | None = None
) -> dict[Question, Finding]:
    """Return what a self-test finds whose controls answer, which a busy engine lets wait."""
    sentinel = sentinel or watched(engine, plan)
    stranger = f"{secrets.token_hex(4)}.test"
    probes = {
        plan.key.host(prober.host): probes_of(
            plan, prober, sentinel=sentinel, neighbours=others, stranger=stranger
        )
        for prober in probers_of(plan)
    }
    looks = [
        Look(
            host=key,
            near=tuple(probe.target for probe in asked if probe.question is Question.PEERS),
            far=tuple(probe.target for probe in asked if probe.question is not Question.PEERS),
        )
        for key, asked in probes.items()
    ]
    findings: dict[Question, Finding] = {}

    def peers_answer() -> bool:
        views = engine.look_around(looks, silence=sentinel.silence)
        found = {key.host: judge(probes[key], views[key], sentinel=sentinel) for key in probes}
        findings.update({finding.question: finding for finding in together(found)})
        return findings[Question.PEERS].verdict is Verdict.HOLDS

    until(peers_answer, what="peers to answer", within=SOON, last_seen=lambda: str(findings))
    return findings


def test_a_sentinel_stands_once_and_goes(case: EngineCase, world: WorldKey) -> None:
    assert case.engine.sentinel(world.exercise) is None
    plan = raised(case, world)
    first = watched(case.engine, plan)
    assert watched(case.engine, plan).port == first.port, "it is the same one"
    case.engine.dismiss_sentinel(world.exercise)
    assert case.engine.sentinel(world.exercise) is None
    case.engine.dismiss_sentinel(world.exercise)
    assert case.standing()[0] == 2


def test_a_sentinel_goes_with_its_exercise(case: EngineCase, world: WorldKey) -> None:
    plan = raised(case, world)
    watched(case.engine, plan)
    case.engine.remove_exercise(world.exercise)
    assert case.engine.sentinel(world.exercise) is None
    assert case.standing() == (0, 0)


def test_a_look_around_tells_peers_from_strangers(case: EngineCase, world: WorldKey) -> None:
    plan = raised(case, world)
    case.engine.protect_host()
    watched(case.engine, plan)
    (mail,) = (place.address for place in plan.hosts[1].attachments)
    subnet = plan.networks[0].subnet
    near = (Lookup(name="mail"), Dial(address=mail, port=9))
    far = (
        Dial(address=subnet[1], port=9),
        Dial(address=subnet[77], port=9),
        Lookup(name="x.test"),
    )
    look = Look(host=desk(plan), near=near, far=far)
    assert case.engine.look_around([look], silence=SILENCE) == {
        desk(plan): View(
            answers={
                Lookup(name="mail"): Answer(heard=Heard.ANSWER, address=mail),
                Dial(address=mail, port=9): Answer(heard=Heard.REFUSAL),
                Dial(address=subnet[1], port=9): NOTHING,
                Dial(address=subnet[77], port=9): NOTHING,
                Lookup(name="x.test"): NOTHING,
            }
        )
    }


def test_several_hosts_look_around_at_once_each_from_its_own_network(
    case: EngineCase, world: WorldKey
) -> None:
    plan = raised(case, world, ON_TWO)
    watched(case.engine, plan)
    mail, barn = (Dial(address=plan.hosts[n].attachments[0].address, port=9) for n in (1, 3))
    reached = Answer(heard=Heard.REFUSAL)
    views = case.engine.look_around(
        [
            Look(host=desk(plan), near=(mail,), far=(barn,)),
            Look(host=world.host("shed"), near=(barn,), far=(mail,)),
        ],
        silence=SILENCE,
    )
    assert {key.host: view.answers for key, view in views.items()} == {
        "desk": {mail: reached, barn: NOTHING},
        "shed": {barn: reached, mail: NOTHING},
    }


def test_a_sentinel_that_stands_anew_is_asked(case: EngineCase, world: WorldKey) -> None:
    plan = raised(case, world)
    for _ in range(2):
        watched(case.engine, plan)
        assert view_of(case.engine, desk(plan)).answers == {SOMEWHERE[0]: NOTHING}
        case.engine.dismiss_sentinel(world.exercise)


@pytest.mark.engine
def test_a_sentinel_that_another_worker_put_in_place_of_a_dead_one_is_asked(
    docker_case: DockerCase, docker_client: docker.DockerClient, real_world: WorldKey
) -> None:
    engine = docker_case._engine
    other = DockerEngine(engine._connection.address, installation=docker_case._installation)
    plan = raised(docker_case, real_world)
    for _ in range(2):
        watched(other, plan)
        assert view_of(engine, desk(plan)).answers == {SOMEWHERE[0]: NOTHING}
        name = sentinel_name(docker_case._installation, real_world.exercise)
        docker_client.api.remove_container(name, force=True)


def test_nobody_looks_around_from_a_host_that_does_not_run(
    case: EngineCase, world: WorldKey
) -> None:
    plan = raised(case, world)
    watched(case.engine, plan)
    case.end(desk(plan))
    with pytest.raises(HostGoneError):
        view_of(case.engine, desk(plan))


def test_nobody_looks_around_without_a_sentinel(case: EngineCase, world: WorldKey) -> None:
    plan = raised(case, world)
    with pytest.raises(HostGoneError, match="sentinel"):
        view_of(case.engine, desk(plan))


def test_a_world_apart_passes(case: EngineCase, world: WorldKey) -> None:
    case.engine.protect_host()
    other = raised(case, replace(world, team="team-2"))
    theirs = Neighbour(name="mail of team-2", address=other.hosts[1].attachments[0].address)
    found = findings_of(case.engine, raised(case, world, ON_TWO), theirs)
    assert {f.verdict for f in found.values()} <= {Verdict.HOLDS, Verdict.UNTESTED}
    for question in (
        Question.PEERS,
        Question.HOST,
        Question.ENGINE,
        Question.TEAMS,
        Question.NETWORKS,
        Question.IPV6,
    ):
        assert found[question].verdict is Verdict.HOLDS, question


def test_a_world_apart_passes_also_with_what_a_policy_permits(
    case: EngineCase, world: WorldKey
) -> None:
    case.engine.protect_host()
    plan = raised(case, world)
    more = Privileges(capabilities=("NET_RAW", "SYS_PTRACE"), names={"old.test": "192.0.2.7"})
    hosts = tuple(replace(host, privileges=more) for host in plan.hosts)
    for host in hosts:
        case.engine.raise_host(world, host)
    found = findings_of(case.engine, replace(plan, hosts=hosts))
    assert {f.verdict for f in found.values()} <= {Verdict.HOLDS, Verdict.UNTESTED}
    for question in (Question.PEERS, Question.HOST, Question.ENGINE, Question.IPV6):
        assert found[question].verdict is Verdict.HOLDS, question


@pytest.mark.engine
def test_without_the_firewall_rule_the_test_fails(
    docker_case: DockerCase, real_world: WorldKey, request: pytest.FixtureRequest
) -> None:
    engine = docker_case.engine
    plan = raised(docker_case, real_world)
    docker_case._engine._rules.clear()
    request.addfinalizer(engine.protect_host)
    found = findings_of(engine, plan)[Question.HOST]
    assert found.verdict is Verdict.FAILS
    assert f"reached at {plan.networks[0].subnet[1]}" in found.says
    assert found.says.endswith(", asked from desk")


@pytest.mark.engine
def test_a_network_joined_to_another_teams_host_is_found(
    docker_case: DockerCase, docker_client: docker.DockerClient, real_world: WorldKey
) -> None:
    engine = docker_case.engine
    engine.protect_host()
    plan = raised(docker_case, real_world)
    other = raised(docker_case, replace(real_world, team="team-2"))
    docker_client.api.connect_container_to_network(
        container_name(docker_case._installation, desk(plan)),
        network_name(docker_case._installation, other.key, "lan"),
    )
    theirs = Neighbour(name="mail of team-2", address=other.hosts[1].attachments[0].address)
    found = findings_of(engine, plan, theirs)
    assert found[Question.TEAMS].verdict is Verdict.FAILS
    assert found[Question.TEAMS].says == "mail of team-2 is reached, asked from desk"


@pytest.mark.engine
def test_a_leak_that_only_the_second_network_has_is_found(
    docker_case: DockerCase, docker_client: docker.DockerClient, real_world: WorldKey
) -> None:
    engine = docker_case.engine
    engine.protect_host()
    plan = raised(docker_case, real_world, ON_TWO)
    other = raised(docker_case, replace(real_world, team="team-2"))
    docker_client.api.connect_container_to_network(
        container_name(docker_case._installation, real_world.host("shed")),
        network_name(docker_case._installation, other.key, "lan"),
    )
    theirs = Neighbour(name="mail of team-2", address=other.hosts[1].attachments[0].address)
    found = findings_of(engine, plan, theirs)
    assert found[Question.TEAMS].verdict is Verdict.FAILS
    assert found[Question.TEAMS].says == "mail of team-2 is reached, asked from shed"


def with_ipv6(client: docker.DockerClient, case: DockerCase, host: HostKey) -> None:
    """Switch IPv6 on in a host's network, as an engine may that was told to."""
    command = "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do echo 0 >$f; done"
    made = client.api.create_container(
        case.image,
        ["sh", "-c", command],
        host_config={
            "NetworkMode": f"container:{container_name(case._installation, host)}",
            "CapAdd": ["NET_ADMIN"],
            "ReadonlyPaths": [],
            "MaskedPaths": [],
        },
    )
    try:
        client.api.start(made)
        assert client.api.wait(made)["StatusCode"] == 0
    finally:
        client.api.remove_container(made, force=True)


def with_its_gateways_over_ipv6(engine: RangeEngine, plan: WorldPlan) -> Sentinel:
    """Return the sentinel's report once it reached itself over IPv6 at each gateway, too."""
    gateways = {network.subnet[1] for network in plan.networks}
    seen = watched(engine, plan)

    def answers() -> bool:
        nonlocal seen
        seen = engine.sentinel(plan.key.exercise) or seen
        return gateways <= {four for four, _ in seen.answers_over_ipv6}

    until(answers, what="the sentinel to answer over IPv6 at the gateways", within=SOON)
    return seen


@pytest.mark.engine
def test_a_host_that_got_ipv6_is_asked_over_it_with_its_controls(
    docker_case: DockerCase,
    docker_client: docker.DockerClient,
    real_world: WorldKey,
    request: pytest.FixtureRequest,
) -> None:
    engine = docker_case.engine
    engine.protect_host()
    plan = raised(docker_case, real_world, ON_TWO)
    with_ipv6(docker_client, docker_case, real_world.host("shed"))
    sentinel = with_its_gateways_over_ipv6(engine, plan)
    apart = findings_of(engine, plan, sentinel=sentinel)[Question.IPV6]
    assert apart.verdict is Verdict.HOLDS
    assert apart.says == (
        "no IPv6 address, asked from desk;"
        " the engine's host is not reached over IPv6, asked from shed"
    )
    docker_case._engine._rules.clear()
    request.addfinalizer(engine.protect_host)
    open_ = findings_of(engine, plan, sentinel=sentinel)[Question.IPV6]
    assert open_.verdict is Verdict.FAILS
    assert open_.says.startswith("the engine's host is reached at [fe80::")
    assert open_.says.endswith(", asked from shed")


@pytest.mark.engine
def test_a_network_made_by_hand_that_leads_out_over_ipv6_is_found(
    docker_case: DockerCase, docker_client: docker.DockerClient, real_world: WorldKey
) -> None:
    engine = docker_case.engine
    plan = raised(docker_case, real_world, ON_TWO)
    prefix = IPv6Network((0xFD << 120 | secrets.randbits(40) << 80, 64))
    pools = [IPAMPool(subnet=str(prefix), gateway=str(prefix[1]))]
    by_hand = docker_client.networks.create(
        f"{docker_case._installation}-by-hand",
        enable_ipv6=True,
        ipam=IPAMConfig(pool_configs=pools),
    )
    shed = container_name(docker_case._installation, real_world.host("shed"))
    by_hand.connect(shed)
    try:
        found = findings_of(engine, plan)[Question.IPV6]
        seen = view_of(engine, real_world.host("shed"))
    finally:
        by_hand.disconnect(shed, force=True)
        by_hand.remove()
    assert found.verdict is Verdict.FAILS
    # Which of its two ways is named depends on when the sentinel saw that bridge.
    assert found.says.endswith(", asked from shed")
    assert seen.beyond == {prefix[1]}
    assert prefix[2] in seen.ipv6
