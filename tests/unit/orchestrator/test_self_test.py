"""Every world is tested before it is called ready, and one that is not apart is not ready."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.ids import ExerciseId
from core.jobs import Job
from core.scenario.load import load
from orchestrator.domain.engine_facts import Room
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.isolation import Question, Verdict
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.ports import EngineUnavailableError
from orchestrator.self_test import Thoroughness
from orchestrator.service import JOB_PATIENCE, RAISE_WORLD, TEST_WORLD
from tests.fakes.fake_engine import WELL
from tests.unit.orchestrator.conftest import SCENARIO, Site


def verdict(exercise: Exercise, team: int, question: Question) -> Verdict:
    isolation = exercise.teams[team].isolation
    assert isolation is not None
    return next(f.verdict for f in isolation.findings if f.question is question)


def test_a_ready_world_was_tested_and_nothing_of_the_test_stays(site: Site) -> None:
    exercise = site.launch(teams=2)
    site.work()
    ready = site.now(exercise)
    assert ready.phase is Phase.READY
    for team in ready.teams:
        assert team.isolation is not None
        assert team.isolation.verdict is Verdict.HOLDS
    assert site.engine.sentinels == set()


def test_a_world_that_stood_alone_is_tested_again_beside_the_others(site: Site) -> None:
    exercise = site.launch(teams=2)
    site.do(site.queue.take()[0])
    first, second = site.queue.take()
    site.do(first)
    assert verdict(site.now(exercise), 0, Question.TEAMS) is Verdict.UNTESTED
    site.do(second)
    assert site.now(exercise).phase is Phase.PROVISIONING, "not ready before that"
    assert site.queue.jobs == [Job(TEST_WORLD, (exercise.id, exercise.teams[0].id))]
    site.work()
    assert site.now(exercise).phase is Phase.READY
    assert verdict(site.now(exercise), 0, Question.TEAMS) is Verdict.HOLDS


def test_the_second_test_is_sent_again_when_it_is_lost(site: Site) -> None:
    exercise = site.launch(teams=2)
    site.do(site.queue.take()[0])
    for job in site.queue.take():
        site.do(job)
    assert [job.name for job in site.queue.take()] == [TEST_WORLD]
    site.worker.sweep()
    assert site.queue.jobs == [], "it may still be on its way"
    site.clock.advance(JOB_PATIENCE)
    site.worker.sweep()
    site.work()
    assert site.now(exercise).phase is Phase.READY


def test_one_team_alone_is_asked_against_another_exercise(site: Site) -> None:
    site.launch(teams=1)
    site.work()
    second = site.launch(teams=1)
    site.work()
    assert verdict(site.now(second), 0, Question.TEAMS) is Verdict.HOLDS


def test_a_world_that_reaches_the_engines_host_is_degraded_and_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.engine, "protect_host", lambda: Room(space=WELL.space, taken=()))
    exercise = site.launch(teams=1)
    site.work()
    now = site.now(exercise)
    assert now.phase is Phase.DEGRADED
    problem = now.teams[0].problem
    assert problem is not None
    assert problem.stage == "isolation"
    assert "the engine's host is reached at" in problem.message
    assert problem.next_command == f"poligon exercise retry {exercise.name}"
    monkeypatch.undo()
    site.exercises.retry(exercise.id)
    site.work()
    assert site.now(exercise).phase is Phase.READY


def test_a_world_that_reaches_another_team_is_degraded(site: Site) -> None:
    exercise = site.launch(teams=2)
    site.do(site.queue.take()[0])
    address = site.exercises.facts(exercise, exercise.teams[1]).addresses["desk"]["office"]
    site.engine.bridged.add(address)
    site.work()
    now = site.now(exercise)
    assert now.phase is Phase.DEGRADED
    assert now.teams[0].problem is not None
    assert "desk of team-2 is reached" in now.teams[0].problem.message


def test_a_leak_that_only_the_second_network_has_is_found(site: Site, tmp_path: Path) -> None:
    apart = SCENARIO.replace("{office: {}, dmz: {}}", "{office: {}}").replace(
        "desk.ips.dmz", "desk.ips.office"
    )
    (tmp_path / "harbour" / "scenario.yaml").write_text(apart)
    site.scenario = load(tmp_path / "harbour")
    exercise = site.launch(teams=1)
    (outside,) = site.engine.outside
    site.engine.leaks.add(("mail", outside))
    site.work()
    team = site.now(exercise).teams[0]
    assert team.world is WorldPhase.DEGRADED
    assert team.isolation is not None
    assert team.isolation.host == "desk, mail"
    assert team.problem is not None
    assert team.problem.message == f"{outside} outside is reached, asked from mail"


def test_a_broken_prober_is_never_taken_for_isolation(site: Site) -> None:
    site.engine.prober_is_broken = True
    exercise = site.launch(teams=1)
    site.work()
    now = site.now(exercise)
    assert now.teams[0].isolation is not None
    assert now.teams[0].isolation.verdict is Verdict.UNTOLD
    assert now.teams[0].world is WorldPhase.DEGRADED
    assert now.teams[0].problem is not None
    assert "could not be told" in now.teams[0].problem.message
    assert site.engine.calls.count("look_around") == 3, "it was asked more than once"


def test_a_listener_that_is_gone_is_posted_again(site: Site) -> None:
    exercise = site.launch(teams=1)
    site.do(site.queue.take()[0])
    site.engine.sentinels.clear()
    site.work()
    assert site.now(exercise).phase is Phase.READY


def test_an_engine_that_is_away_for_the_goodbye_keeps_nothing_from_being_ready(site: Site) -> None:
    site.engine.fail("dismiss_sentinel", EngineUnavailableError("away"))
    exercise = site.launch(teams=1)
    site.work()
    assert site.now(exercise).phase is Phase.READY


def test_a_site_that_switches_it_off_is_told_so_and_never_that_it_is_isolated(site: Site) -> None:
    site.worker = site.new_worker(self_test=Thoroughness.OFF)
    exercise = site.launch(teams=2)
    site.work()
    now = site.now(exercise)
    assert now.phase is Phase.READY
    for team in now.teams:
        assert team.isolation is not None
        assert team.isolation.verdict is Verdict.UNTESTED
        assert "POLIGON_SELF_TEST=off" in team.isolation.findings[0].says
    assert {"post_sentinel", "look_around", "dismiss_sentinel"}.isdisjoint(site.engine.calls)


def test_a_sample_tests_the_first_of_every_ten_teams(site: Site) -> None:
    site.worker = site.new_worker(self_test=Thoroughness.SAMPLE)
    exercise = site.launch(teams=3)
    site.work()
    found = [team.isolation.verdict for team in site.now(exercise).teams if team.isolation]
    assert found == [Verdict.HOLDS, Verdict.UNTESTED, Verdict.UNTESTED]


def test_a_retry_while_it_runs_leaves_no_listener(site: Site) -> None:
    site.engine.answer(("true",), exit_code=1)
    exercise = site.launch(teams=1)
    site.work()
    assert site.now(exercise).phase is Phase.DEGRADED
    site.exercises.start(exercise.id)
    site.engine.answer(("true",))
    site.exercises.retry(exercise.id)
    site.work()
    assert site.now(exercise).teams[0].world is WorldPhase.READY
    assert site.engine.sentinels == set()


def test_who_sees_an_exercise_ready_finds_nothing_of_the_test(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases: list[Phase] = []
    dismiss = site.engine.dismiss_sentinel

    def dismiss_and_look(key: ExerciseId) -> None:
        dismiss(key)
        phases.append(site.exercises.get(key).phase)

    monkeypatch.setattr(site.engine, "dismiss_sentinel", dismiss_and_look)
    site.launch(teams=1)
    site.work()
    assert phases == [Phase.PROVISIONING]


def test_a_cancelled_launch_leaves_no_listener(site: Site) -> None:
    exercise = site.launch(teams=1)
    site.do(site.queue.take()[0])
    assert site.engine.sentinels == {exercise.id}
    (raise_world,) = site.queue.take()
    assert raise_world.name == RAISE_WORLD
    site.exercises.destroy(exercise.id)
    site.clock.advance(timedelta(minutes=1))
    site.worker.sweep()
    site.work()
    assert site.engine.sentinels == set()
