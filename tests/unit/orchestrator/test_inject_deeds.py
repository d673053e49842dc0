"""What injects do to links and hosts, and when it is taken back."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.domain.inject_deeds import stopped_hosts
from orchestrator.domain.injects import FiringState
from orchestrator.domain.links import HostLink, Link, LinkState, NetworkLink
from orchestrator.domain.phases import WorldPhase
from orchestrator.domain.world import ReadyProbe, WorldKey
from orchestrator.ports import EngineUnavailableError, HostNotReadyError
from tests.fakes.inject_site import InjectSite, inject_site

STORY = """\
  cut: {at: 5m, link: {network: office, loss: 100%, for: 2m}}
  again: {manual: true, link: {network: office, down: true, for: 10m}}
  slow: {manual: true, link: {host: files, rate: 512kbit}}
  mend: {manual: true, link: {host: files, restore: true}}
  lag: {manual: true, link: {network: office, delay: 200ms}}
  dark: {manual: true, host: files, do: stop}
  light: {after: dark, wait: 3m, host: files, do: start}
"""
OFFICE, FILES = NetworkLink(network="office"), HostLink(host="files")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InjectSite]:
    with inject_site(tmp_path, STORY) as site:
        yield site


def links(site: InjectSite, number: int = 1) -> dict[object, LinkState]:
    """Return the links of a team that are not as planned."""
    world = site.host(number).world
    return {link: state for (where, link), state in site.engine.links.items() if where == world}


def fire(site: InjectSite, inject: str, number: int = 1) -> None:
    site.services.injects.fire(site.exercise.id, inject, team=site.team(number).slug)
    site.work()


def test_a_network_is_cut_for_its_time_and_whole_again(site: InjectSite) -> None:
    site.pass_time(5)
    assert links(site) == {OFFICE: LinkState(loss=1.0)}
    site.pass_time(1.9)
    assert links(site) == {OFFICE: LinkState(loss=1.0)}
    site.pass_time(0.2)
    assert links(site) == {}
    assert ("inject.undone", "cut") in site.acts()
    site.pass_time(10)
    assert site.acts().count(("inject.undone", "cut")) == 1


def test_a_pause_keeps_it_cut(site: InjectSite) -> None:
    site.pass_time(5)
    site.services.exercises.pause(site.exercise.id)
    site.pass_time(60)
    assert links(site) != {}
    site.services.exercises.resume(site.exercise.id)
    site.pass_time(2)
    assert links(site) == {}


def test_a_later_change_of_the_same_link_is_not_taken_back_with_the_first(
    site: InjectSite,
) -> None:
    site.pass_time(5)
    site.pass_time(1)
    fire(site, "again")
    site.pass_time(2)
    assert links(site) == {OFFICE: LinkState(down=True)}
    site.pass_time(9)
    assert links(site) == {}


def test_a_slow_link_lasts_until_another_inject_mends_it(site: InjectSite) -> None:
    fire(site, "slow")
    site.pass_time(4)
    assert links(site) == {FILES: LinkState(rate=512_000)}
    assert links(site, 2) == {}
    fire(site, "mend")
    assert links(site) == {}


def test_what_the_engine_cannot_do_fails_with_its_sentence(site: InjectSite) -> None:
    fire(site, "lag")
    assert site.state("lag").state == FiringState.FAILED
    assert "not enforced here" in site.state("lag").detail
    site.engine.kernel_delays = True
    fire(site, "lag")
    assert links(site) == {OFFICE: LinkState(delay=timedelta(milliseconds=200))}


def test_a_host_is_stopped_and_runs_again(site: InjectSite) -> None:
    fire(site, "dark")
    assert not site.engine.hosts[site.host()].running
    assert stopped(site) == {"files"}
    site.pass_time(3)
    assert site.engine.hosts[site.host()].running
    assert stopped(site) == frozenset()
    assert site.engine.hosts[site.host(2)].running


def stopped(site: InjectSite) -> frozenset[str]:
    known = site.services.injects._going_out._turns.look([site.exercise])[site.team().id]
    return stopped_hosts(known.situation.scenario, known.situation.firings)


def test_an_engine_that_is_away_delays_what_is_taken_back(site: InjectSite) -> None:
    site.pass_time(5)
    site.engine.fail("shape", *[EngineUnavailableError("away")] * 2)
    site.pass_time(2)
    assert links(site) != {}
    site.pass_time(1)
    assert links(site) == {}


def test_a_worker_that_does_it_twice_does_no_harm(site: InjectSite) -> None:
    fire(site, "slow")
    team = site.team()
    for _ in range(3):
        site.services.injects.carry_out(site.exercise.id, team.id)
    assert links(site) == {FILES: LinkState(rate=512_000)}


def test_a_host_that_an_inject_stopped_is_as_it_should_be(site: InjectSite) -> None:
    fire(site, "dark")
    for _ in range(3):
        site.services.reconciling.sweep()
        site.work()
    assert not site.engine.hosts[site.host()].running
    assert site.team().world is WorldPhase.READY
    site.pass_time(3)
    site.services.reconciling.sweep()
    site.work()
    assert site.engine.hosts[site.host()].running
    assert site.team().world is WorldPhase.READY


def test_a_host_that_ends_by_itself_is_still_noticed(tmp_path: Path) -> None:
    with inject_site(tmp_path, STORY, teams=3) as site:
        fire(site, "dark", 2)
        site.engine.end_host(site.host(1), exit_code=1)
        site.services.reconciling.sweep()
        site.work()
        worlds = [site.team(number).world for number in (1, 2, 3)]
        assert worlds == [WorldPhase.DEGRADED, WorldPhase.READY, WorldPhase.READY]


# Hosts that are raised again


def looked_at(site: InjectSite) -> None:
    for _ in range(2):
        site.services.reconciling.sweep()
        site.work()


def removed(site: InjectSite) -> None:
    del site.engine.hosts[site.host()]
    looked_at(site)


def gone_down(site: InjectSite) -> None:
    site.engine.end_everything()
    looked_at(site)


def reset(site: InjectSite, host: str | None = "files") -> None:
    site.services.resets.reset(site.exercise, site.team(), host=host, by=None)
    site.work()


def stopped_and_started(site: InjectSite) -> None:
    fire(site, "dark")
    site.pass_time(3)


WAYS: dict[str, Callable[[InjectSite], None]] = {
    "removed": removed,
    "gone down": gone_down,
    "reset": reset,
    "reset with all": lambda site: reset(site, None),
    "stopped and started": stopped_and_started,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_host_that_is_raised_again_has_its_links_as_injects_left_them(
    site: InjectSite, way: str
) -> None:
    site.engine.kernel_delays = True
    fire(site, "slow")
    fire(site, "lag")
    before, host = links(site), site.engine.hosts[site.host()]
    WAYS[way](site)
    after = site.engine.hosts[site.host()]
    assert after.running
    assert after is not host or way in {"gone down", "stopped and started"}
    assert links(site) == before == {**after.links}
    assert site.team().world is WorldPhase.READY


def test_a_link_that_is_whole_again_stays_so(site: InjectSite) -> None:
    site.pass_time(5)
    fire(site, "slow")
    fire(site, "mend")
    removed(site)
    assert links(site) == {OFFICE: LinkState(loss=1.0)}
    site.pass_time(2)
    assert links(site) == {}
    removed(site)
    assert links(site) == {}


def test_a_host_that_does_not_become_ready_again_is_no_less_cut_off(site: InjectSite) -> None:
    fire(site, "slow")
    probe = ReadyProbe(run=("true",), within=timedelta(seconds=1), every=timedelta(seconds=1))
    site.engine.fail("await_ready", HostNotReadyError(host="files", probe=probe, output="no"))
    removed(site)
    assert links(site) == {FILES: LinkState(rate=512_000)}


def test_what_changes_while_links_are_put_back_wins(
    site: InjectSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of a cut is up, and the link restored, just before the cut is put back."""
    site.pass_time(5)
    shape = site.engine.shape

    def restored_first(world: WorldKey, link: Link, state: LinkState) -> None:
        monkeypatch.setattr(site.engine, "shape", shape)
        site.clock.advance(timedelta(minutes=2))
        site.services.injects.carry_out(site.exercise.id, site.team().id)
        shape(world, link, state)

    monkeypatch.setattr(site.engine, "shape", restored_first)
    removed(site)
    assert links(site) == {}


def test_where_nothing_changed_the_engine_is_not_asked(site: InjectSite) -> None:
    site.engine.calls.clear()
    removed(site)
    assert "shape" not in site.engine.calls
