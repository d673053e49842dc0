"""Clocks of teams: late starts, pauses of one team, extensions, and the end of the time."""

from datetime import timedelta

import pytest

from core.ids import UserId
from core.users.model import Role
from orchestrator.access import Access
from orchestrator.domain.clock import Stop
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Act, IllegalMoveError, Phase, WorldPhase
from orchestrator.doorkeeper import EntryRefusedError
from orchestrator.journal import By
from orchestrator.ports import UnknownImageError
from orchestrator.timekeeping import (
    ExtensionInvalidError,
    TeamClockError,
    TeamUnknownError,
    Timekeeping,
)
from tests.unit.orchestrator.conftest import Site

MINUTE = timedelta(minutes=1)


@pytest.fixture
def keeper(site: Site) -> Timekeeping:
    return Timekeeping(site.database, site.clock, site.exercises)


def running(site: Site, teams: int = 2) -> Exercise:
    exercise = site.launch(teams=teams)
    site.work()
    return site.exercises.start(exercise.id)


def times(site: Site, exercise: Exercise) -> list[float]:
    now = site.now(exercise)
    return [now.elapsed(site.clock.now(), team.id) / MINUTE for team in now.teams]


def acts(site: Site, exercise: Exercise) -> list[tuple[str, str]]:
    return [(entry.act, entry.team) for entry in site.exercises.journal.of(exercise.id)]


def test_a_team_whose_world_failed_starts_when_it_stands(site: Site, keeper: Timekeeping) -> None:
    exercise = site.launch(teams=2)
    site.do(site.queue.take()[0])
    first, second = site.queue.take()
    site.engine.fail("raise_network", UnknownImageError("no"))
    site.do(first)
    site.do(second)
    site.exercises.start(exercise.id)
    assert [team.stopped for team in site.now(exercise).teams] == [Stop.WAITING, None]
    site.clock.advance(10 * MINUTE)
    keeper.sweep()
    assert times(site, exercise) == [0, 10]
    site.exercises.retry(exercise.id)
    site.work()
    assert site.now(exercise).teams[0].world is WorldPhase.READY
    keeper.sweep()
    site.clock.advance(5 * MINUTE)
    assert times(site, exercise) == [5, 15]
    assert ("team.started", "team-1") in acts(site, exercise)


def test_one_team_pauses_alone(site: Site, keeper: Timekeeping) -> None:
    exercise = running(site)
    keeper.pause_team(exercise.id, "team-1")
    site.clock.advance(4 * MINUTE)
    paused = site.now(exercise)
    assert times(site, exercise) == [0, 4]
    assert [paused.permits(Act.ANSWER, team) for team in paused.teams] == [False, True]
    assert paused.because(paused.teams[0]).startswith("your team is paused")
    keeper.resume_team(exercise.id, "team-1")
    site.clock.advance(MINUTE)
    assert times(site, exercise) == [1, 5]


def test_a_paused_team_is_kept_out_with_the_reason(site: Site, keeper: Timekeeping) -> None:
    exercise = running(site)
    keeper.pause_team(exercise.id, "team-1")
    access = Access(site.users, site.exercises)
    logins = [team.members[0].name for team in site.now(exercise).teams]
    with pytest.raises(EntryRefusedError, match="your team is paused"):
        access.enter(logins[0])
    assert access.enter(logins[1]).host.world.team == "team-2"


def test_a_team_is_paused_and_resumed_once(site: Site, keeper: Timekeeping) -> None:
    exercise = running(site)
    with pytest.raises(TeamClockError, match="team-1 was not paused"):
        keeper.resume_team(exercise.id, "team-1")
    keeper.pause_team(exercise.id, "team-1")
    with pytest.raises(TeamClockError, match="stands already"):
        keeper.pause_team(exercise.id, "team-1")
    assert acts(site, exercise).count(("team.paused", "team-1")) == 1


def test_a_team_stops_when_its_time_is_up_and_the_exercise_goes_on(
    site: Site, keeper: Timekeeping
) -> None:
    exercise = running(site)
    keeper.extend(exercise.id, 30 * MINUTE, team="team-2")
    site.clock.advance(61 * MINUTE)
    keeper.sweep()
    keeper.sweep()
    over = site.now(exercise)
    assert [team.stopped for team in over.teams] == [Stop.TIME_UP, None]
    assert [over.phase_for(team) for team in over.teams] == [Phase.ENDED, Phase.RUNNING]
    assert over.because(over.teams[0]) == "your team's time is up"
    assert over.phase is Phase.RUNNING
    assert acts(site, exercise).count(("team.time_up", "team-1")) == 1


def test_more_time_lets_a_team_go_on_from_where_it_stood(site: Site, keeper: Timekeeping) -> None:
    exercise = running(site)
    site.clock.advance(60 * MINUTE)
    keeper.sweep()
    site.clock.advance(20 * MINUTE)
    keeper.extend(exercise.id, 10 * MINUTE, by=By(reason="the projector failed"))
    site.clock.advance(3 * MINUTE)
    assert times(site, exercise) == [63, 63]
    assert [team.stopped for team in site.now(exercise).teams] == [None, None]
    (entry,) = [e for e in site.exercises.journal.of(exercise.id) if e.act == "clock.extended"]
    assert (entry.text, entry.reason) == ("10 minutes more", "the projector failed")


def test_a_pause_of_everybody_moves_the_end(site: Site, keeper: Timekeeping) -> None:
    exercise = running(site)
    site.clock.advance(50 * MINUTE)
    site.exercises.pause(exercise.id)
    site.clock.advance(600 * MINUTE)
    keeper.sweep()
    site.exercises.resume(exercise.id)
    site.clock.advance(9 * MINUTE)
    keeper.sweep()
    assert [team.stopped for team in site.now(exercise).teams] == [None, None]


def test_what_cannot_be_is_refused_in_a_sentence(site: Site, keeper: Timekeeping) -> None:
    exercise = site.launch()
    site.work()
    with pytest.raises(IllegalMoveError):
        keeper.pause_team(exercise.id, "team-1")
    with pytest.raises(ExtensionInvalidError, match="cannot be added"):
        keeper.extend(exercise.id, timedelta())
    with pytest.raises(TeamUnknownError, match="no team 'team-9'"):
        keeper.extend(exercise.id, MINUTE, team="team-9")
    site.exercises.destroy(exercise.id)
    with pytest.raises(IllegalMoveError):
        keeper.extend(exercise.id, MINUTE)


def test_every_act_is_in_the_journal_with_who_when_and_why(site: Site) -> None:
    user = site.users.add("ina", role=Role.INSTRUCTOR)
    exercise = running(site)
    site.clock.advance(12 * MINUTE)
    site.exercises.pause(exercise.id, by=By(user=user.id, reason="lunch"))
    entries = site.exercises.journal.of(exercise.id)
    assert [e.act for e in entries] == [
        "exercise.launched",
        "world.ready",
        "world.ready",
        "exercise.ready",
        "exercise.started",
        "exercise.paused",
    ]
    paused = entries[-1]
    assert (paused.actor, paused.reason, paused.elapsed) == ("ina", "lunch", 12 * MINUTE)
    assert paused.at == site.clock.now()
    assert site.exercises.journal.of(exercise.id, after=paused.id) == ()
    assert site.exercises.journal.latest(exercise.id, limit=1) == (paused,)


def test_an_unknown_person_cannot_act(site: Site) -> None:
    exercise = running(site)
    before = site.exercises.journal.of(exercise.id)
    with pytest.raises(Exception, match="FOREIGN KEY"):
        site.exercises.pause(exercise.id, by=By(user=UserId("nobody")))
    assert site.now(exercise).phase is Phase.RUNNING
    assert site.exercises.journal.of(exercise.id) == before
