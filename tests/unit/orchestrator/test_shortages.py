"""A process killed for memory, a full disk: told once in the journal; worlds stay as they are."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.scenario.load import load
from orchestrator.domain.backoff import MOST_TRIES
from orchestrator.domain.changes import Change, ChangeKind
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.ports import EngineExhaustedError, EngineFullError
from tests.fakes.fake_engine import WELL
from tests.unit.orchestrator.conftest import SCENARIO, Site

GIB = 1024**3
LOOKED_AGAIN = timedelta(seconds=30)
ENOUGH = WELL.space.free


@pytest.fixture
def exercise(site: Site) -> Exercise:
    """Lend an exercise of two teams that stands."""
    launched = site.launch()
    site.work()
    return site.now(launched)


def told(site: Site, exercise: Exercise, about: str) -> list[tuple[str, str, str]]:
    """Return what was told of a kind of shortage: act, team, host."""
    entries = site.exercises.journal.of(exercise.id)
    return [(e.act, e.team, e.subject) for e in entries if about in e.act]


def lack_memory(site: Site, exercise: Exercise, team: str, host: str) -> None:
    key = HostKey(world=WorldKey(exercise=exercise.id, team=team), host=host)
    kind = ChangeKind.OUT_OF_MEMORY
    site.reconciling.notice(Change(exercise=exercise.id, kind=kind, host=key))


def look(site: Site, free: int, after: timedelta = LOOKED_AGAIN) -> None:
    """Look at the engine's disk when it has so much left."""
    site.clock.advance(after)
    site.engine.facts = replace(WELL, space=replace(WELL.space, free=free))
    site.reconciling.sweep()


# Memory


def test_a_process_that_is_killed_in_a_host_that_runs_on_is_told_and_changes_nothing(
    site: Site, exercise: Exercise
) -> None:
    site.engine.calls.clear()
    lack_memory(site, exercise, "team-1", "mail")
    assert told(site, exercise, "memory") == [("host.out_of_memory", "team-1", "mail")]
    assert site.engine.calls == []
    assert site.queue.jobs == []
    assert {team.world for team in site.now(exercise).teams} == {WorldPhase.READY}


def test_many_that_are_killed_are_told_once_a_minute_for_each_host(
    site: Site, exercise: Exercise
) -> None:
    for _ in range(5):
        lack_memory(site, exercise, "team-1", "mail")
    lack_memory(site, exercise, "team-1", "desk")
    lack_memory(site, exercise, "team-2", "mail")
    assert len(told(site, exercise, "memory")) == 3
    site.clock.advance(timedelta(minutes=1))
    lack_memory(site, exercise, "team-1", "mail")
    lack_memory(site, exercise, "team-1", "mail")
    assert len(told(site, exercise, "memory")) == 4


def test_nothing_is_told_of_what_is_being_removed_or_of_nobodys_host(
    site: Site, exercise: Exercise
) -> None:
    lack_memory(site, exercise, "team-9", "mail")
    site.exercises.destroy(exercise.id)
    lack_memory(site, exercise, "team-1", "mail")
    assert told(site, exercise, "memory") == []


# Disk


def test_a_disk_that_fills_up_is_told_once_and_so_is_its_end(
    site: Site, exercise: Exercise
) -> None:
    look(site, ENOUGH)
    assert told(site, exercise, "disk") == []
    for _ in range(3):
        look(site, GIB)
    assert told(site, exercise, "disk") == [("engine.disk_full", "", "")]
    assert site.exercises.shortages.full_disk(exercise) == "the engine's data has 1.0 GiB free"
    look(site, 2 * GIB + 1)
    assert len(told(site, exercise, "disk")) == 1, "a byte more is no end"
    look(site, ENOUGH)
    look(site, ENOUGH)
    assert [act for act, *_ in told(site, exercise, "disk")] == [
        "engine.disk_full",
        "engine.disk_ok",
    ]
    assert site.exercises.shortages.full_disk(exercise) == ""
    assert "1.0 GiB free" in site.exercises.journal.of(exercise.id)[-2].text


def test_the_hosts_that_hold_most_of_a_full_disk_are_named(site: Site, exercise: Exercise) -> None:
    sizes = {("team-1", "mail"): 3 * GIB, ("team-2", "mail"): 38 * GIB, ("team-2", "desk"): 2**20}
    for (team, host), size in sizes.items():
        key = HostKey(world=WorldKey(exercise=exercise.id, team=team), host=host)
        site.engine.hosts[key].written = size
    look(site, GIB)
    assert site.exercises.shortages.full_disk(exercise) == (
        "the engine's data has 1.0 GiB free; mail of team-2 has written 38.0 GiB;"
        " mail of team-1 has written 3.0 GiB"
    )


def test_a_full_disk_is_told_though_nobody_can_say_who_fills_it(
    site: Site, exercise: Exercise
) -> None:
    site.engine.fail("written", EngineFullError("no space left on device"))
    look(site, GIB)
    assert site.exercises.shortages.full_disk(exercise) == "the engine's data has 1.0 GiB free"


def test_nobody_asks_who_holds_the_disk_while_there_is_room(site: Site, exercise: Exercise) -> None:
    site.engine.calls.clear()
    look(site, ENOUGH)
    assert "written" not in site.engine.calls


def test_a_host_that_filled_its_own_disk_is_named_once_in_ten_minutes(
    site: Site, tmp_path: Path
) -> None:
    folder = tmp_path / "limited" / "harbour"
    folder.mkdir(parents=True)
    limit = "  mail:\n    limits: {disk: 4g}\n"
    (folder / "scenario.yaml").write_text(SCENARIO.replace("  mail:\n", limit))
    exercise = replace(site, scenario=load(folder)).launch()
    site.work()
    full, other = (
        HostKey(world=WorldKey(exercise=exercise.id, team=team), host="mail")
        for team in ("team-1", "team-2")
    )
    site.engine.hosts[full].written = 4 * GIB
    site.engine.hosts[other].written = 3 * GIB
    desk = replace(full, host="desk")
    site.engine.hosts[desk].written = 40 * GIB
    for _ in range(3):
        look(site, ENOUGH)
    assert told(site, exercise, "disk") == [("host.disk_full", "team-1", "mail")]
    entry = next(e for e in site.exercises.journal.of(exercise.id) if "disk" in e.act)
    assert entry.text == "mail of team-1 has written 4.0 GiB, of 4.0 that it may"
    look(site, ENOUGH, after=timedelta(minutes=10))
    assert len(told(site, exercise, "disk")) == 2


def test_every_exercise_that_stands_is_told(site: Site, exercise: Exercise) -> None:
    other = site.launch(teams=1)
    site.work()
    look(site, 0)
    site.exercises.destroy(other.id)
    look(site, ENOUGH)
    assert len(told(site, exercise, "disk")) == 2
    assert len(told(site, other, "disk")) == 1
    assert site.exercises.shortages.full_disk(site.now(other)) == "", "nothing of it stands"


def test_another_worker_does_not_tell_it_again(site: Site, exercise: Exercise) -> None:
    look(site, GIB)
    site.reconciling = site.new_reconciling()
    look(site, GIB)
    assert len(told(site, exercise, "disk")) == 1


def test_a_disk_with_no_room_to_look_is_full_and_looked_at_again_soon(
    site: Site, exercise: Exercise
) -> None:
    look(site, ENOUGH)
    site.engine.fail("protect_host", EngineFullError("no space left on device"))
    look(site, ENOUGH)
    assert [act for act, *_ in told(site, exercise, "disk")] == ["engine.disk_full"]
    assert site.engine.calls[-1] == "observe", "worlds are looked at all the same"
    look(site, ENOUGH, after=timedelta(seconds=5))
    assert [act for act, *_ in told(site, exercise, "disk")][1:] == ["engine.disk_ok"]


def test_memory_that_the_engine_lacks_is_not_told_as_disk(site: Site, exercise: Exercise) -> None:
    site.engine.fail("protect_host", EngineExhaustedError("cannot allocate memory"))
    with pytest.raises(EngineExhaustedError):
        look(site, ENOUGH)
    assert told(site, exercise, "disk") == []


def test_a_launch_on_a_full_disk_is_refused_in_one_sentence(site: Site, exercise: Exercise) -> None:
    look(site, GIB)
    with pytest.raises(EngineFullError, match="nothing new is launched") as refusal:
        site.launch()
    assert "docker system df" in refusal.value.hint
    assert len(site.exercises.recent()) == 1
    look(site, ENOUGH)
    assert site.launch().phase is Phase.PROVISIONING


def test_a_first_launch_on_a_full_disk_fails_before_anything_stands(site: Site) -> None:
    site.engine.facts = replace(WELL, space=replace(WELL.space, free=GIB))
    exercise = site.launch(teams=1)
    for _ in range(MOST_TRIES):
        site.work()
        site.clock.advance(timedelta(seconds=30))
        site.worker.sweep()
    site.work()
    (team,) = site.now(exercise).teams
    assert site.now(exercise).phase is Phase.FAILED
    assert team.problem is not None
    assert "1.0 GiB free, so nothing new is built" in team.problem.message
    assert site.engine.networks == {}
    site.engine.facts = WELL
    site.exercises.retry(exercise.id)
    site.work()
    assert site.now(exercise).phase is Phase.READY


def test_what_stands_is_built_again_on_a_full_disk(site: Site, exercise: Exercise) -> None:
    mail = HostKey(world=WorldKey(exercise=exercise.id, team="team-1"), host="mail")
    look(site, GIB)
    site.clock.advance(LOOKED_AGAIN)
    del site.engine.hosts[mail]
    site.reconciling.sweep()
    site.work()
    assert site.engine.hosts[mail].running
