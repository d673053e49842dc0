"""The self-test's eyes, over the fake and over a real Docker Engine; and that they see a leak."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import docker
import pytest

from core.ids import ExerciseId, new_id
from core.waiting import until
from orchestrator.domain.isolation import (
    Answer,
    Dial,
    Finding,
    Heard,
    Lookup,
    Neighbour,
    Question,
    Sentinel,
    Verdict,
    probes_of,
)
from orchestrator.domain.isolation_judge import judge
from orchestrator.domain.world import (
    Attachment,
    HostKey,
    HostPlan,
    NetworkPlan,
    WorldKey,
    WorldPlan,
)
from orchestrator.engine.names import container_name, network_name
from orchestrator.ports import HostGoneError, RangeEngine
from tests.contracts.engine_cases import DockerCase, EngineCase

SOON = timedelta(seconds=20)
SILENCE = timedelta(milliseconds=100)
SOMEWHERE = [Dial(address=IPv4Address("192.0.2.1"), port=9)]
NOTHING = Answer(heard=Heard.NOTHING)


@pytest.fixture
def real_world(docker_case: DockerCase) -> Iterator[WorldKey]:
    """Lend a world of the real engine alone."""
    exercise = ExerciseId(new_id())
    yield WorldKey(exercise=exercise, team="team-1")
    docker_case.engine.remove_exercise(exercise)


def raised(case: EngineCase, world: WorldKey) -> WorldPlan:
    """Raise a world of two hosts on one network."""
    subnet = IPv4Network((0x0AC00000 | secrets.randbits(14) << 8, 24))
    network = NetworkPlan(network="lan", subnet=subnet)
    case.engine.raise_network(world, network)
    hosts = tuple(
        HostPlan(
            host=name,
            image=case.image,
            attachments=(Attachment(network="lan", address=subnet[number]),),
        )
        for number, name in ((2, "desk"), (3, "mail"))
    )
    for host in hosts:
        case.engine.raise_host(world, host)
    return WorldPlan(key=world, networks=(network,), hosts=hosts)


def watched(engine: RangeEngine, plan: WorldPlan) -> Sentinel:
    """Post a sentinel and return its report, once it answers at the plan's gateway."""
    engine.post_sentinel(plan.key.exercise)
    gateway = plan.networks[0].subnet[1]
    seen: list[Sentinel] = []

    def answers() -> bool:
        report = engine.sentinel(plan.key.exercise)
        seen.extend([report] if report else [])
        return bool(seen) and gateway in seen[-1].answers_at

    until(answers, what="the sentinel to answer at the gateway", within=SOON)
    return seen[-1]


def desk(plan: WorldPlan) -> HostKey:
    return HostKey(world=plan.key, host="desk")


def findings_of(
    engine: RangeEngine, plan: WorldPlan, *others: Neighbour
) -> dict[Question, Finding]:
    sentinel = watched(engine, plan)
    probes = probes_of(
        plan,
        plan.hosts[0],
        sentinel=sentinel,
        neighbours=others,
        stranger=f"{secrets.token_hex(4)}.test",
    )
    near = [probe.target for probe in probes if probe.question is Question.PEERS]
    far = [probe.target for probe in probes if probe.question is not Question.PEERS]
    answers = engine.look_around(desk(plan), near, far, silence=sentinel.silence)
    return {f.question: f for f in judge(probes, answers, sentinel=sentinel)}


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
    heard = case.engine.look_around(
        desk(plan),
        [Lookup(name="mail"), Dial(address=mail, port=9)],
        [Dial(address=subnet[1], port=9), Dial(address=subnet[77], port=9), Lookup(name="x.test")],
        silence=SILENCE,
    )
    assert heard == {
        Lookup(name="mail"): Answer(heard=Heard.ANSWER, address=mail),
        Dial(address=mail, port=9): Answer(heard=Heard.REFUSAL),
        Dial(address=subnet[1], port=9): NOTHING,
        Dial(address=subnet[77], port=9): NOTHING,
        Lookup(name="x.test"): NOTHING,
    }


def test_nobody_looks_around_from_a_host_that_does_not_run(
    case: EngineCase, world: WorldKey
) -> None:
    plan = raised(case, world)
    watched(case.engine, plan)
    case.end(desk(plan))
    with pytest.raises(HostGoneError):
        case.engine.look_around(desk(plan), [], SOMEWHERE, silence=SILENCE)


def test_nobody_looks_around_without_a_sentinel(case: EngineCase, world: WorldKey) -> None:
    plan = raised(case, world)
    with pytest.raises(HostGoneError, match="sentinel"):
        case.engine.look_around(desk(plan), [], SOMEWHERE, silence=SILENCE)


def test_a_world_apart_passes(case: EngineCase, world: WorldKey) -> None:
    case.engine.protect_host()
    other = raised(case, replace(world, team="team-2"))
    theirs = Neighbour(name="mail of team-2", address=other.hosts[1].attachments[0].address)
    found = findings_of(case.engine, raised(case, world), theirs)
    assert {f.verdict for f in found.values()} <= {Verdict.HOLDS, Verdict.UNTESTED}
    for question in (Question.PEERS, Question.HOST, Question.ENGINE, Question.TEAMS):
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
    assert found[Question.TEAMS].says == "mail of team-2 is reached"
