"""Worlds whose scenario states flows have a router each; others do not cost a call."""

import pytest

from core.scenario.load import load
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.ports import UnknownImageError
from tests.unit.orchestrator.conftest import SCENARIO, Site


@pytest.fixture
def routed(site: Site) -> Site:
    """Lend the site with a scenario whose office reaches the mail server."""
    flows = "flows: [{from: office, to: dmz/mail, tcp: [25]}]\nhosts:\n"
    text = SCENARIO.replace("{office: {}, dmz: {}}", "{office: {}}").replace(
        "hosts.desk.ips.dmz", "hosts.desk.ip"
    )
    (site.scenario.folder / "scenario.yaml").write_text(text.replace("hosts:\n", flows))
    site.scenario = load(site.scenario.folder)
    return site


def test_every_team_has_a_router_of_its_own_and_its_hosts_lead_there(routed: Site) -> None:
    exercise = routed.launch(teams=2)
    routed.work()
    assert routed.now(exercise).phase is Phase.READY
    assert {world.team for world in routed.engine.routers} == {"team-1", "team-2"}
    for world, router in routed.engine.routers.items():
        places = {place.address for place in router.plan.attachments}
        hosts = [host for key, host in routed.engine.hosts.items() if key.world == world]
        assert {host.plan.gateway for host in hosts} == places
    assert routed.engine.calls.index("raise_router") < routed.engine.calls.index("raise_host")


def test_a_router_that_cannot_be_fails_its_world_and_a_retry_raises_it(routed: Site) -> None:
    exercise = routed.launch(teams=2)
    routed.engine.fail("raise_router", UnknownImageError("no toolbox here"))
    routed.work()
    (failed,) = [t for t in routed.now(exercise).teams if t.world is WorldPhase.FAILED]
    assert failed.problem is not None
    assert (failed.problem.stage, failed.problem.message) == ("networks", "no toolbox here")
    routed.exercises.retry(exercise.id)
    routed.work()
    assert routed.now(exercise).phase is Phase.READY
    assert len(routed.engine.routers) == 2


def test_a_router_that_fell_is_raised_again_and_no_team_is_blamed(routed: Site) -> None:
    exercise = routed.launch(teams=2)
    routed.work()
    world = next(world for world in routed.engine.routers if world.team == "team-2")
    del routed.engine.routers[world]
    routed.reconciling.sweep()
    (job,) = routed.queue.take()
    routed.do(job)
    fallen = routed.now(exercise).teams[1]
    assert (fallen.world, fallen.in_doubt) == (WorldPhase.DEGRADED, True)
    assert fallen.problem is not None
    assert fallen.problem.message.startswith("the router does not run")
    routed.work()
    assert world in routed.engine.routers
    assert routed.now(exercise).teams[1].world is WorldPhase.READY


def test_routers_go_with_their_worlds(routed: Site) -> None:
    exercise = routed.launch(teams=2)
    routed.work()
    routed.exercises.destroy(exercise.id)
    routed.work()
    assert routed.engine.remaining() == ()


def test_without_flows_no_router_is_asked_for(site: Site) -> None:
    site.launch(teams=2)
    site.work()
    assert "raise_router" not in site.engine.calls
    assert {host.plan.gateway for host in site.engine.hosts.values()} == {None}
