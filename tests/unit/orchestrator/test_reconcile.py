"""What dies, is removed or cut off is seen, told, and repaired where it is ours to repair."""

import threading
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from core.scenario.load import LoadedScenario, load
from core.waiting import until
from orchestrator.access import Access
from orchestrator.claims import CLAIM_LASTS
from orchestrator.domain.backoff import MOST_TRIES
from orchestrator.domain.changes import Change, ChangeKind
from orchestrator.domain.exercise import Exercise, Problem, Stage
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.library import ScenarioLostError
from orchestrator.ports import EngineRefusedError, EngineUnavailableError
from orchestrator.service import JOB_PATIENCE, RECONCILE, REPAIR_WORLD
from tests.unit.orchestrator.conftest import SCENARIO, Site

LATER = JOB_PATIENCE


@pytest.fixture
def running(site: Site) -> Exercise:
    """Lend an exercise of two teams that runs."""
    exercise = site.launch()
    site.work()
    site.exercises.start(exercise.id)
    site.clock.advance(LATER)
    return site.now(exercise)


def host(exercise: Exercise, name: str, team: str = "team-1") -> HostKey:
    return HostKey(world=WorldKey(exercise=exercise.id, team=team), host=name)


def reconcile(site: Site) -> None:
    """Look once, and do what follows."""
    site.reconciling.sweep()
    site.work()


def worlds(site: Site, exercise: Exercise) -> list[str]:
    return [team.world.value for team in site.now(exercise).teams]


def problem(site: Site, exercise: Exercise) -> Problem:
    found = site.now(exercise).teams[0].problem
    assert found is not None
    return found


def test_while_all_is_well_one_call_looks_at_an_exercise_and_nothing_is_sent(
    site: Site, running: Exercise
) -> None:
    site.reconciling.sweep()
    site.engine.calls.clear()
    site.reconciling.sweep()
    assert site.engine.calls == ["observe"]
    assert site.queue.jobs == []


def test_the_engines_host_is_protected_again_while_anything_stands(
    site: Site, running: Exercise
) -> None:
    def protected_after(time: timedelta) -> bool:
        """Flush the rules, as a reboot does, and look again later."""
        site.engine.protected = False
        site.clock.advance(time)
        site.reconciling.sweep()
        return site.engine.protected

    site.reconciling.sweep()
    assert not protected_after(timedelta(seconds=15)), "now and then, not at each look"
    assert protected_after(timedelta(seconds=15))
    site.exercises.end(running.id)
    site.exercises.destroy(running.id)
    site.work()
    assert not protected_after(timedelta(hours=1)), "nothing stands"


def test_a_removed_host_is_made_again_from_its_plan(site: Site, running: Exercise) -> None:
    mail = host(running, "mail")
    files = site.engine.hosts.pop(mail).files
    desk = site.engine.hosts[host(running, "desk")]
    reconcile(site)
    assert worlds(site, running) == ["ready", "ready"]
    assert site.engine.hosts[mail].running
    assert site.engine.hosts[mail].files.keys() == files.keys()
    assert site.engine.hosts[host(running, "desk")] is desk, "its peer is left alone"


def test_while_a_host_is_repaired_people_stay_with_its_peers(
    site: Site, running: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = Access(site.users, site.exercises)
    login = running.teams[0].members[0].name
    entry = access.enter(login)
    seen = []
    raise_host = site.engine.raise_host

    def looked_at_meanwhile(*arguments: object) -> None:
        seen.append((worlds(site, running)[0], not access.why_leave(login, entry)))
        raise_host(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(site.engine, "raise_host", looked_at_meanwhile)
    del site.engine.hosts[host(running, "mail")]
    reconcile(site)
    assert seen == [("degraded", True)]


def test_after_an_outage_every_host_runs_again_as_it_was(site: Site, running: Exercise) -> None:
    before = dict(site.engine.hosts)
    site.engine.end_everything()
    site.reconciling.sweep()
    site.do(site.queue.take()[0])
    assert worlds(site, running) == ["degraded", "degraded"]
    assert problem(site, running).stage is Stage.REPAIR
    assert "the engine or its machine went down" in problem(site, running).message
    site.work()
    assert worlds(site, running) == ["ready", "ready"]
    assert site.engine.hosts == before, "the same hosts with the same files"
    assert all(h.running for h in before.values())


def test_an_outage_is_nobodys_fault_even_when_the_worker_dies_after_the_first_team(
    site: Site, running: Exercise
) -> None:
    site.engine.end_everything()
    site.reconciling.sweep()
    site.do(site.queue.take()[0])
    first, _lost = site.queue.take()
    site.do(first)
    assert worlds(site, running) == ["ready", "degraded"]
    site.clock.advance(LATER)
    reconcile(site)
    assert worlds(site, running) == ["ready", "ready"]


def test_a_host_whose_own_process_ended_is_shown_and_left_alone(
    site: Site, running: Exercise
) -> None:
    mail = host(running, "mail")
    site.engine.end_host(mail, exit_code=3)
    ended_at = site.clock.now()
    site.clock.advance(timedelta(seconds=4))
    reconcile(site)
    assert worlds(site, running) == ["degraded", "ready"]
    assert problem(site, running) == Problem(
        stage=Stage.RUNNING,
        host="mail",
        message="the own process of mail ended with code 3",
        next_command=f"poligon exercise reset {running.name} --team team-1 --host mail",
        since=ended_at,
    )
    assert not site.engine.hosts[mail].running
    site.clock.advance(LATER)
    site.reconciling.sweep()
    assert site.queue.jobs == [], "it is told once"
    assert site.now(running).phase is Phase.RUNNING


def test_memory_that_ran_out_is_named(site: Site, running: Exercise) -> None:
    site.engine.end_host(host(running, "mail"), exit_code=137, out_of_memory=True)
    reconcile(site)
    assert problem(site, running).message == "mail ran out of memory and was killed"


def test_a_degraded_world_whose_hosts_all_run_again_becomes_ready_by_itself(
    site: Site, running: Exercise
) -> None:
    mail = host(running, "mail")
    site.engine.end_host(mail, exit_code=3)
    reconcile(site)
    site.engine.hosts[mail].running = True
    site.clock.advance(LATER)
    reconcile(site)
    assert worlds(site, running) == ["ready", "ready"]
    assert site.now(running).teams[0].problem is None


def test_a_world_that_never_became_ready_is_asked_again_until_it_is(site: Site) -> None:
    site.engine.answer(["true"], exit_code=1)
    exercise = site.launch(teams=1)
    site.work()
    site.clock.advance(LATER)
    since = problem(site, exercise).since
    reconcile(site)
    assert problem(site, exercise).stage is Stage.READINESS
    assert problem(site, exercise).since == since
    site.reconciling.sweep()
    assert site.queue.jobs == [], "it is not asked all the time"
    site.engine.answer(["true"], exit_code=0)
    site.clock.advance(LATER)
    reconcile(site)
    ready = site.now(exercise)
    assert (ready.phase, worlds(site, exercise)) == (Phase.READY, ["ready"])


def test_hosts_that_wait_for_one_that_is_not_ready_follow_once_it_is(
    site: Site, tmp_path: Path
) -> None:
    folder = tmp_path / "waiting" / "harbour"
    folder.mkdir(parents=True)
    text = SCENARIO.replace("  mail:\n", "  mail:\n    needs: [desk]\n")
    (folder / "scenario.yaml").write_text(text)
    site.engine.answer(["true"], exit_code=1)
    exercise = replace(site, scenario=load(folder)).launch(teams=1)
    site.work()
    site.clock.advance(LATER)
    reconcile(site)
    assert [key.host for key in site.engine.hosts] == ["desk"]
    assert problem(site, exercise).stage is Stage.READINESS
    site.engine.answer(["true"], exit_code=0)
    site.clock.advance(LATER)
    reconcile(site)
    assert worlds(site, exercise) == ["ready"]
    assert site.engine.hosts[host(exercise, "mail")].running


def test_a_host_that_lost_its_network_is_put_back(site: Site, running: Exercise) -> None:
    world = WorldKey(exercise=running.id, team="team-1")
    before = site.engine.hosts[host(running, "mail")]
    site.engine.lose_network(world, "dmz")
    reconcile(site)
    assert worlds(site, running) == ["ready", "ready"]
    assert (world, "dmz") in site.engine.networks
    assert before.networks == {"dmz"}
    assert site.engine.hosts[host(running, "mail")] is before


def test_before_the_start_the_exercise_follows_its_worlds(site: Site) -> None:
    exercise = site.launch()
    site.work()
    site.clock.advance(LATER)
    site.engine.end_host(host(exercise, "mail"))
    reconcile(site)
    assert site.now(exercise).phase is Phase.DEGRADED
    site.engine.hosts[host(exercise, "mail")].running = True
    site.clock.advance(LATER)
    reconcile(site)
    assert site.now(exercise).phase is Phase.READY


def test_what_the_engine_tells_is_looked_at_at_once(site: Site, running: Exercise) -> None:
    stop = threading.Event()
    watching = threading.Thread(target=site.reconciling.watch, args=(stop,))
    watching.start()
    until(lambda: bool(site.engine._watching), what="the watch", within=timedelta(seconds=5))
    site.engine.lose_host(host(running, "mail"))
    stop.set()
    watching.join()
    site.work()
    assert worlds(site, running) == ["ready", "ready"]
    assert site.engine.hosts[host(running, "mail")].running


def test_an_engine_that_is_away_does_not_end_the_watch(site: Site, running: Exercise) -> None:
    stop = threading.Event()
    watching = threading.Thread(target=site.reconciling.watch, args=(stop,))
    watching.start()
    until(lambda: bool(site.engine._watching), what="the watch", within=timedelta(seconds=5))
    site.engine.fail("observe", EngineUnavailableError("away"))
    site.engine.end_host(host(running, "mail"))
    site.engine.lose_host(host(running, "mail"))
    stop.set()
    watching.join()
    assert [job.name for job in site.queue.jobs] == [RECONCILE]


# Again, twice at once, half-way


def test_reconciling_twice_at_once_repairs_once(site: Site, running: Exercise) -> None:
    del site.engine.hosts[host(running, "mail")]
    site.reconciling.sweep()
    site.reconciling.sweep()
    assert [job.name for job in site.queue.jobs] == [RECONCILE]
    (job,) = site.queue.take()
    site.do(job)
    site.do(job)
    assert [job.name for job in site.queue.jobs] == [REPAIR_WORLD]
    site.engine.calls.clear()
    site.work()
    assert site.engine.calls.count("raise_host") == 1


def test_lost_jobs_are_sent_again(site: Site, running: Exercise) -> None:
    del site.engine.hosts[host(running, "mail")]
    for expected in (RECONCILE, REPAIR_WORLD):
        site.reconciling.sweep()
        (lost,) = site.queue.take()
        assert lost.name == expected
        site.clock.advance(LATER)
        site.reconciling.sweep()
        (sent,) = site.queue.take()
        site.do(sent)
        if expected == RECONCILE:
            site.queue.take()
    assert worlds(site, running) == ["ready", "ready"]


def test_a_repair_that_another_worker_does_is_left_to_it(site: Site, running: Exercise) -> None:
    del site.engine.hosts[host(running, "mail")]
    site.reconciling.sweep()
    site.do(site.queue.take()[0])
    (job,) = site.queue.take()
    other = site.new_reconciling()
    with other._claims.team(running.teams[0].id):
        site.do(job)
        assert host(running, "mail") not in site.engine.hosts
    site.clock.advance(CLAIM_LASTS)
    site.do(job)
    assert worlds(site, running) == ["ready", "ready"]


def test_an_engine_that_is_away_in_a_repair_is_waited_for(site: Site, running: Exercise) -> None:
    del site.engine.hosts[host(running, "mail")]
    site.engine.fail("raise_host", EngineUnavailableError("the engine went away"))
    reconcile(site)
    assert worlds(site, running) == ["degraded", "ready"]
    site.clock.advance(LATER)
    reconcile(site)
    assert worlds(site, running) == ["ready", "ready"]


def test_an_engine_that_refuses_is_tried_again_less_and_less_often_and_then_given_up(
    site: Site, running: Exercise
) -> None:
    del site.engine.hosts[host(running, "mail")]
    refusals = [EngineRefusedError("no space left on device") for _ in range(MOST_TRIES + 3)]
    site.engine.fail("raise_host", *refusals)
    for _ in range(MOST_TRIES + 3):
        reconcile(site)
        site.clock.advance(LATER)
    site.engine.calls.clear()
    reconcile(site)
    assert "raise_host" not in site.engine.calls
    assert "did not last" in problem(site, running).message
    assert "exercise reset" in problem(site, running).next_command


def test_what_is_removed_with_its_exercise_is_not_repaired(site: Site, running: Exercise) -> None:
    del site.engine.hosts[host(running, "mail")]
    site.reconciling.sweep()
    (job,) = site.queue.take()
    site.exercises.end(running.id)
    site.exercises.destroy(running.id)
    site.do(job)
    site.work()
    site.reconciling.notice(Change(exercise=running.id, kind=ChangeKind.GONE))
    assert site.engine.hosts == {}
    assert worlds(site, running) == ["removed", "removed"]


def test_an_exercise_that_cannot_be_looked_at_holds_no_other_up(
    site: Site, running: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = site.launch(teams=1)
    site.work()
    site.clock.advance(LATER)
    site.engine.lose_host(host(other, "mail"))
    scenario = site.exercises.scenario

    def lost(exercise: Exercise) -> LoadedScenario:
        if exercise.id == running.id:
            raise ScenarioLostError("the scenario is not in the database")
        return scenario(exercise)

    monkeypatch.setattr(site.exercises, "scenario", lost)
    reconcile(site)
    assert worlds(site, other) == ["ready"]
    assert site.engine.hosts[host(other, "mail")].running


# Hosts that are started again


@pytest.fixture
def restarting(site: Site, tmp_path: Path) -> Exercise:
    """Lend a running exercise whose host mail is started again when it ends."""
    folder = tmp_path / "restarting" / "harbour"
    folder.mkdir(parents=True)
    text = SCENARIO.replace("  mail:\n", "  mail:\n    restart: always\n")
    (folder / "scenario.yaml").write_text(text)
    exercise = replace(site, scenario=load(folder)).launch(teams=1)
    site.work()
    site.exercises.start(exercise.id)
    site.clock.advance(LATER)
    return site.now(exercise)


def test_a_host_is_started_again_where_the_scenario_says_so(
    site: Site, restarting: Exercise
) -> None:
    mail = site.engine.hosts[host(restarting, "mail")]
    site.engine.end_host(host(restarting, "mail"), exit_code=1)
    reconcile(site)
    assert mail.running
    assert worlds(site, restarting) == ["ready"]


def test_a_host_that_keeps_ending_is_started_less_and_less_often_and_then_shown(
    site: Site, restarting: Exercise
) -> None:
    mail, starts, began = host(restarting, "mail"), [], site.clock.now()
    for _ in range(120):
        if site.engine.hosts[mail].running:
            site.engine.end_host(mail, exit_code=1)
        reconcile(site)
        if site.engine.hosts[mail].running:
            starts.append((site.clock.now() - began).total_seconds())
        site.clock.advance(timedelta(seconds=1))
    assert len(starts) == MOST_TRIES
    pauses = [b - a for a, b in pairwise(starts)]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 8
    shown = problem(site, restarting)
    assert shown.stage is Stage.RUNNING
    assert "did not last" in shown.message
    assert shown.next_command.startswith("poligon exercise reset")


def test_a_world_that_is_being_built_is_not_looked_at(site: Site) -> None:
    site.launch()
    site.engine.calls.clear()
    site.reconciling.sweep()
    assert "observe" not in site.engine.calls
    assert {team.world for e in site.exercises.recent() for team in e.teams} == {WorldPhase.PLANNED}
