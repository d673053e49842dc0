"""A host is made anew for whom the scenario says and as often; its peers and the scores stay."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.scenario.load import load
from core.users.model import User
from orchestrator.access import Access
from orchestrator.domain.exercise import Exercise, Stage, Team
from orchestrator.domain.phases import NotNowError, WorldPhase
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.resets import (
    HostUnknownError,
    Offer,
    ResetNotAllowedError,
    ResetNotNowError,
    Resets,
    ResetsUsedUpError,
)
from orchestrator.service import JOB_PATIENCE
from scoring.scorekeeping import Scorekeeping
from tests.unit.orchestrator.conftest import SCENARIO, Site

RULE = "    reset: {by: [analyst], limit: 2}\n"


@pytest.fixture
def resets(site: Site) -> Resets:
    return Resets(site.database, site.clock, site.exercises, Scorekeeping(site.clock))


@pytest.fixture
def running(site: Site, tmp_path: Path) -> Exercise:
    """Lend a running exercise whose analysts may reset mail twice."""
    folder = tmp_path / "resets" / "harbour"
    folder.mkdir(parents=True)
    (folder / "scenario.yaml").write_text(SCENARIO.replace("  mail:\n", f"  mail:\n{RULE}"))
    exercise = replace(site, scenario=load(folder)).launch()
    site.work()
    site.exercises.start(exercise.id)
    site.clock.advance(JOB_PATIENCE)
    return site.now(exercise)


def key(exercise: Exercise, host: str, team: str = "team-1") -> HostKey:
    return HostKey(world=WorldKey(exercise=exercise.id, team=team), host=host)


def team(exercise: Exercise, number: int = 1) -> Team:
    return exercise.teams[number - 1]


def trainee(site: Site, exercise: Exercise) -> User:
    return site.users.named(team(exercise).members[0].name)


def ask(site: Site, resets: Resets, exercise: Exercise, host: str | None = "mail") -> None:
    """Ask as a trainee of team 1, and let the workers do it."""
    now = site.now(exercise)
    resets.reset(now, team(now), host=host, by=trainee(site, now))
    site.work()


def test_a_reset_host_is_another_one_with_its_files_and_its_peer_is_left_alone(
    site: Site, resets: Resets, running: Exercise
) -> None:
    mail, desk = (site.engine.hosts[key(running, name)] for name in ("mail", "desk"))
    resets.reset(running, team(running), host="mail", by=None)
    asked = site.now(running).teams[0]
    assert (asked.world, asked.problem and asked.problem.stage) == (
        WorldPhase.DEGRADED,
        Stage.REPAIR,
    )
    site.work()
    assert site.engine.hosts[key(running, "mail")] is not mail
    assert site.engine.hosts[key(running, "mail")].files.keys() == mail.files.keys()
    assert site.engine.hosts[key(running, "desk")] is desk
    assert [t.world for t in site.now(running).teams] == [WorldPhase.READY] * 2


def test_while_a_host_is_reset_people_stay_with_its_peers(
    site: Site, resets: Resets, running: Exercise
) -> None:
    access, login = Access(site.users, site.exercises), trainee(site, running).name
    entry = access.enter(login)
    resets.reset(running, team(running), host="mail", by=None)
    assert not access.why_leave(login, entry)


def test_a_whole_world_is_made_anew_and_no_other(
    site: Site, resets: Resets, running: Exercise
) -> None:
    before = dict(site.engine.hosts)
    after = resets.reset(running, team(running), host=None, by=None)
    assert after.teams[0].world is WorldPhase.PLANNED
    site.work()
    assert [t.world for t in site.now(running).teams] == [WorldPhase.READY] * 2
    for host in ("desk", "mail"):
        assert site.engine.hosts[key(running, host)] is not before[key(running, host)]
        other = key(running, host, "team-2")
        assert site.engine.hosts[other] is before[other]


def test_a_host_that_ended_from_inside_runs_again_after_its_reset(
    site: Site, resets: Resets, running: Exercise
) -> None:
    site.engine.end_host(key(running, "mail"), exit_code=1)
    site.reconciling.sweep()
    site.work()
    assert site.now(running).teams[0].world is WorldPhase.DEGRADED
    ask(site, resets, running)
    assert site.now(running).teams[0].world is WorldPhase.READY
    assert site.engine.hosts[key(running, "mail")].running


def test_a_team_may_as_often_as_the_scenario_says_and_an_instructor_always(
    site: Site, resets: Resets, running: Exercise
) -> None:
    resets.reset(running, team(running), host="mail", by=None)
    site.work()
    ask(site, resets, running)
    (offer,) = resets.offers(running, team(running), trainee(site, running))
    assert offer == Offer(host="mail", title="mail", left=1, cost=None)
    ask(site, resets, running)
    with pytest.raises(ResetsUsedUpError, match="2 times"):
        ask(site, resets, running)
    resets.reset(site.now(running), team(running), host="mail", by=None)


def test_another_team_has_its_own_count(site: Site, resets: Resets, running: Exercise) -> None:
    for _ in range(2):
        ask(site, resets, running)
    other = site.users.named(team(running, 2).members[0].name)
    (offer,) = resets.offers(running, team(running, 2), other)
    assert offer.left == 2


@pytest.mark.parametrize("host", ["desk", "nothing", None])
def test_a_trainee_resets_only_what_the_scenario_lets_their_role(
    site: Site, resets: Resets, running: Exercise, host: str | None
) -> None:
    with pytest.raises(ResetNotAllowedError, match="made anew") as refused:
        ask(site, resets, running, host)
    assert "Open to you: mail" in refused.value.hint


def test_a_trainee_resets_nothing_in_a_pause(site: Site, resets: Resets, running: Exercise) -> None:
    site.exercises.pause(running.id)
    with pytest.raises(NotNowError, match="paused"):
        ask(site, resets, running)


def test_a_reset_that_is_under_way_is_not_asked_for_again_and_costs_nothing(
    site: Site, resets: Resets, running: Exercise
) -> None:
    who = trainee(site, running)
    resets.reset(running, team(running), host="mail", by=who)
    with pytest.raises(ResetNotNowError, match="already"):
        resets.reset(site.now(running), team(running), host="mail", by=who)
    (offer,) = resets.offers(running, team(running), who)
    assert offer.left == 1


def test_an_unknown_host_is_told_with_the_known_ones(resets: Resets, running: Exercise) -> None:
    with pytest.raises(HostUnknownError, match="It has: desk, mail"):
        resets.reset(running, team(running), host="post", by=None)


def test_a_lost_reset_is_done_by_the_sweep(site: Site, resets: Resets, running: Exercise) -> None:
    mail = site.engine.hosts[key(running, "mail")]
    resets.reset(running, team(running), host="mail", by=None)
    site.queue.take()
    site.clock.advance(JOB_PATIENCE)
    site.reconciling.sweep()
    site.work()
    assert site.engine.hosts[key(running, "mail")] is not mail
    assert site.now(running).teams[0].world is WorldPhase.READY


def test_a_reset_heals_no_world_that_never_became_ready(site: Site, resets: Resets) -> None:
    site.engine.answer(["true"], exit_code=1)
    exercise = site.launch(teams=1)
    site.work()
    resets.reset(site.now(exercise), team(exercise), host="mail", by=None)
    site.work()
    found = site.now(exercise).teams[0]
    assert found.never_ready
    site.engine.answer(["true"], exit_code=0)
    resets.reset(site.now(exercise), team(exercise), host="mail", by=None)
    site.work()
    assert site.now(exercise).teams[0].world is WorldPhase.READY


def test_a_reset_is_done_once_though_a_peer_of_it_has_ended(site: Site, resets: Resets) -> None:
    site.engine.answer(["true"], exit_code=1)
    exercise = site.launch(teams=1)
    site.work()
    site.engine.end_host(key(exercise, "desk"))
    resets.reset(site.now(exercise), team(exercise), host="mail", by=None)
    site.work()
    mail = site.engine.hosts[key(exercise, "mail")]
    for _ in range(3):
        site.clock.advance(JOB_PATIENCE)
        site.reconciling.sweep()
        site.work()
    assert site.engine.hosts[key(exercise, "mail")] is mail
    assert site.now(exercise).teams[0].never_ready


def test_a_closed_exercise_has_nothing_to_reset(
    site: Site, resets: Resets, running: Exercise
) -> None:
    site.exercises.end(running.id)
    site.exercises.destroy(running.id)
    with pytest.raises(NotNowError):
        resets.reset(site.now(running), team(running), host="mail", by=None)
