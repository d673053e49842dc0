"""What every RangeEngine does with ways between networks; over the fake and a real engine."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Network

import pytest

from orchestrator.domain.links import AS_PLANNED, HostLink, LinkState, NetworkLink
from orchestrator.domain.world import (
    Attachment,
    HostPlan,
    NetworkPlan,
    Passage,
    Protocol,
    RouterPlan,
    WorldKey,
)
from orchestrator.ports import (
    EngineRefusedError,
    HostGoneError,
    NotEnforcedError,
    ObservedRouter,
    Removed,
)
from tests.contracts.engine_cases import EngineCase
from tests.contracts.test_range_engine import SOON, desk, key, lan


def crossing(first: IPv4Network, second: IPv4Network, *ports: int) -> RouterPlan:
    """Return a router between `lan` and `far`, over which lan reaches far."""
    return RouterPlan(
        attachments=(
            Attachment(network="lan", address=first[-2]),
            Attachment(network="far", address=second[-2]),
        ),
        passages=(
            Passage(
                source=first,
                target=second,
                protocol=Protocol.TCP,
                ports=tuple((port, port) for port in ports),
            ),
        ),
    )


def test_a_router_is_raised_once_replaced_when_it_changes_and_goes_with_its_world(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    first, second = subnet.subnets()
    case.engine.raise_network(world, lan(first))
    with pytest.raises(EngineRefusedError, match="not found"):
        case.engine.raise_router(world, crossing(first, second, 80))
    case.engine.raise_network(world, NetworkPlan(network="far", subnet=second))
    for plan in (crossing(first, second, 80), crossing(first, second, 80, 443)):
        case.engine.raise_router(world, plan)
        case.engine.raise_router(world, plan)
        assert case.engine.observe_routers(world.exercise) == (
            ObservedRouter(world=world, running=True),
        )
        assert case.engine.dropped(world) == ()
    assert case.engine.observe(world.exercise) == (), "a router is not a host"
    assert case.standing() == (1, 2)
    assert case.engine.remove_world(world) == Removed(containers=1, networks=2)
    assert case.engine.observe_routers(world.exercise) == ()


def test_a_router_that_ended_is_seen_and_raised_again(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    first, second = subnet.subnets()
    case.engine.raise_network(world, lan(first))
    case.engine.raise_network(world, NetworkPlan(network="far", subnet=second))
    case.engine.raise_router(world, crossing(first, second, 80))
    case.end_router(world)
    assert not case.engine.observe_routers(world.exercise)[0].running
    with pytest.raises(HostGoneError, match="no router"):
        case.engine.dropped(world)
    case.engine.raise_router(world, crossing(first, second, 80))
    assert case.engine.observe_routers(world.exercise)[0].running


def test_a_world_without_a_router_dropped_nothing_that_can_be_told(
    case: EngineCase, world: WorldKey
) -> None:
    assert case.engine.observe_routers(world.exercise) == ()
    with pytest.raises(HostGoneError, match="no router"):
        case.engine.dropped(world)


def test_a_shared_network_is_one_for_all_worlds_and_goes_with_the_exercise(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    arena = NetworkPlan(network="arena", subnet=subnet, shared=True)
    teams = [replace(world, team=team) for team in ("team-1", "team-2")]
    for number, team in enumerate(teams):
        case.engine.raise_network(team, arena)
        place = Attachment(
            network="arena", address=subnet[10 + number], alias=f"desk.{team.team}", shared=True
        )
        case.engine.raise_host(team, replace(desk(case, subnet), attachments=(place,)))
    assert case.standing() == (2, 1)
    assert case.engine.remove_world(teams[0]) == Removed(containers=1, networks=0)
    assert case.engine.run(key(teams[1]), ("true",), timeout=SOON).ok
    case.engine.raise_network(teams[0], arena)
    assert case.standing() == (1, 1)
    assert case.engine.remove_exercise(world.exercise) == Removed(containers=1, networks=1)


def test_a_shared_network_with_hosts_on_it_keeps_its_subnet(
    case: EngineCase, world: WorldKey, subnet: IPv4Network
) -> None:
    first, second = subnet.subnets()
    case.engine.raise_network(world, NetworkPlan(network="arena", subnet=first, shared=True))
    place = Attachment(network="arena", address=first[10], shared=True)
    case.engine.raise_host(world, replace(desk(case, first), attachments=(place,)))
    with pytest.raises(EngineRefusedError, match="hosts on it"):
        case.engine.raise_network(
            replace(world, team="team-2"),
            NetworkPlan(network="arena", subnet=second, shared=True),
        )


@pytest.fixture
def standing(case: EngineCase, world: WorldKey, subnet: IPv4Network) -> HostPlan:
    """Raise a network and one plain host on it."""
    plan = desk(case, subnet)
    case.engine.raise_network(world, lan(subnet))
    case.engine.raise_host(world, plan)
    return plan


def test_a_link_may_be_shaped_again_and_again_and_commands_run_all_the_while(
    case: EngineCase, world: WorldKey, standing: HostPlan
) -> None:
    for link in (NetworkLink(network="lan"), HostLink(host="desk")):
        cut = LinkState(down=True, loss=0.5, rate=1_000_000)
        for state in (cut, cut, AS_PLANNED):
            case.engine.shape(world, link, state)
            assert case.engine.run(key(world), ("true",), timeout=SOON).ok


def test_a_host_that_does_not_run_has_no_link(
    case: EngineCase, world: WorldKey, standing: HostPlan
) -> None:
    case.engine.stop_host(key(world))
    with pytest.raises(HostGoneError, match="desk"):
        case.engine.shape(world, HostLink(host="desk"), LinkState(down=True))
    case.engine.shape(world, NetworkLink(network="lan"), LinkState(down=True))


def test_a_delay_that_the_kernel_cannot_do_is_refused_by_name(
    case: EngineCase, world: WorldKey, standing: HostPlan
) -> None:
    state = LinkState(delay=timedelta(milliseconds=50))
    if case.engine.can_delay():
        case.engine.shape(world, HostLink(host="desk"), state)
    else:
        with pytest.raises(NotEnforcedError, match="delay is not enforced here"):
            case.engine.shape(world, HostLink(host="desk"), state)


def test_a_stopped_host_runs_again_with_its_files_as_they_were(
    case: EngineCase, world: WorldKey, standing: HostPlan
) -> None:
    before = case.identity(key(world))
    case.engine.stop_host(key(world))
    case.engine.stop_host(key(world))
    assert not case.engine.observe(world.exercise)[0].running
    with pytest.raises(HostGoneError):
        case.engine.run(key(world), ("true",), timeout=SOON)
    case.engine.raise_host(world, standing)
    assert case.engine.run(key(world), ("true",), timeout=SOON).ok
    assert case.identity(key(world)) == before


def test_a_host_that_is_not_there_cannot_be_stopped(case: EngineCase, world: WorldKey) -> None:
    with pytest.raises(HostGoneError, match="there is no host desk"):
        case.engine.stop_host(key(world))
