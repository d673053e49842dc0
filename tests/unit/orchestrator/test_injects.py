"""Injects of a running exercise: once, in order, through pauses, restarts and late starts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.users.model import Role
from core.waiting import until
from orchestrator.domain.injects import FiringState
from orchestrator.domain.phases import NotNowError, Phase
from orchestrator.domain.world import HostKey
from orchestrator.injects import outside
from orchestrator.injects.errors import InjectStateError, InjectUnknownError, ShiftInvalidError
from orchestrator.injects.going_out import CARRY_OUT
from orchestrator.injects.repository import InjectRepository
from orchestrator.journal import By
from orchestrator.ports import EngineUnavailableError, RunResult
from orchestrator.timekeeping import TeamUnknownError
from tests.fakes.inject_site import MINUTE, InjectSite, inject_site

SOON = timedelta(seconds=10)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InjectSite]:
    with inject_site(tmp_path) as site:
        yield site


def test_a_message_goes_out_at_its_time_to_every_team_once(site: InjectSite) -> None:
    site.sweep()
    site.sweep()
    assert site.told(1) == ["Good morning, Team 1."]
    assert site.told(2) == ["Good morning, Team 2."]
    assert site.acts() == [("inject.fired", "brief"), ("message.sent", "brief")]


def test_nothing_goes_out_before_the_start(tmp_path: Path) -> None:
    with inject_site(tmp_path, started=False) as site:
        site.pass_time(40)
        assert site.told() == []
        with pytest.raises(NotNowError, match="has not started yet"):
            site.services.injects.fire(site.exercise.id, "call")


def test_the_story_goes_out_in_order(site: InjectSite) -> None:
    for _ in range(70):
        site.pass_time(1)
    assert site.fired() == ["brief", "note", "press", "tip"]
    assert site.ran() == [("drop-note", "team-1")]
    assert site.states()["call"] == "planned"


def test_a_pause_moves_what_is_left(site: InjectSite) -> None:
    site.pass_time(30)
    site.services.exercises.pause(site.exercise.id)
    site.pass_time(600)
    assert site.fired() == ["brief"]
    site.services.exercises.resume(site.exercise.id)
    site.pass_time(4.9)
    assert site.fired() == ["brief"]
    site.pass_time(0.1)
    assert site.fired() == ["brief", "note"], "the first one after a pause goes out"


def test_a_team_that_stands_still_keeps_its_injects_for_later(site: InjectSite) -> None:
    site.sweep()
    site.services.timekeeping.pause_team(site.exercise.id, "team-1")
    site.pass_time(35)
    assert (site.fired(1), site.fired(2)) == (["brief"], ["brief", "note"])
    site.services.timekeeping.resume_team(site.exercise.id, "team-1")
    site.pass_time(34.9)
    assert site.fired(1) == ["brief"]
    site.pass_time(0.1)
    assert site.fired(1) == ["brief", "note"]


def test_an_extension_changes_no_time_and_lets_later_ones_come(tmp_path: Path) -> None:
    story = "  last: {at: 185m, message: {text: Still here?}}\n"
    with inject_site(tmp_path, story) as site:
        site.pass_time(181)
        site.services.timekeeping.extend(site.exercise.id, 10 * MINUTE)
        site.pass_time(3.9)
        assert site.told() == []
        site.pass_time(0.2)
        assert site.told() == ["Still here?"]


def test_after_an_outage_messages_catch_up_and_the_rest_is_asked_about(tmp_path: Path) -> None:
    story = (
        "  hello: {at: 5m, message: {text: Hello.}}\n"
        "  drop: {at: 6m, host: files, run: [drop]}\n"
        "  call: {at: 7m, script: Call them.}\n"
        "  gone: {at: 8m, message: {text: Now or never.}, late: skip}\n"
        "  next: {after: drop, message: {text: Well?}}\n"
    )
    with inject_site(tmp_path, story) as site:
        site.pass_time(30)
        assert site.told() == ["Hello."]
        assert site.states() == {
            "hello": "fired",
            "drop": "undecided",
            "call": "undecided",
            "gone": "skipped",
            "next": "planned",
        }
        site.services.injects.fire(site.exercise.id, "drop", team="team-1")
        site.services.injects.skip(site.exercise.id, "drop", team="team-2")
        site.work()
        site.pass_time(0)
        assert (site.ran(1), site.ran(2)) == ([("drop",)], [])
        assert site.told(1) == site.told(2) == ["Hello.", "Well?"]


# By hand


def test_a_manual_one_goes_out_when_somebody_fires_it_and_once(site: InjectSite) -> None:
    user = site.services.users.add("ina", role=Role.INSTRUCTOR)
    by = By(user=user.id, reason="they are bored")
    site.pass_time(3)
    assert site.services.injects.fire(site.exercise.id, "call", by=by) == ("team-1", "team-2")
    with pytest.raises(InjectStateError, match="call of team-1 is fired already"):
        site.services.injects.fire(site.exercise.id, "call")
    entries = site.services.exercises.journal.of(site.exercise.id)
    (entry,) = [e for e in entries if (e.subject, e.team) == ("call", "team-1")]
    assert (entry.actor, entry.reason, entry.elapsed) == ("ina", "they are bored", 3 * MINUTE)


def test_one_that_is_fired_early_does_not_come_again_and_what_follows_counts_from_it(
    site: InjectSite,
) -> None:
    site.pass_time(10)
    site.services.injects.fire(site.exercise.id, "note", team="team-1")
    site.work()
    site.pass_time(15)
    assert site.fired(1) == ["brief", "note", "press"]
    site.pass_time(30)
    assert site.fired(1).count("note") == 1
    assert len(site.ran(1)) == 1


def test_one_can_be_fired_in_a_pause_at_once(site: InjectSite) -> None:
    site.pass_time(10)
    site.services.exercises.pause(site.exercise.id)
    site.clock.advance(40 * MINUTE)
    site.services.injects.fire(site.exercise.id, "tip", team="team-2")
    assert site.told(2)[-1] == "The north."
    assert site.state("tip", 2).at == 10 * MINUTE


def test_what_is_held_stays_until_it_is_released(site: InjectSite) -> None:
    site.pass_time(1)
    site.services.injects.hold(site.exercise.id, "note", team="team-1")
    site.pass_time(40)
    assert (site.fired(1), site.fired(2)) == (["brief"], ["brief", "note"])
    assert site.state("note").state == FiringState.HELD
    site.services.injects.release(site.exercise.id, "note", team="team-1")
    site.work()
    assert site.fired(1) == ["brief", "note"], "its time has passed: at once"
    site.pass_time(20)
    assert len(site.ran(1)) == 1


def test_what_is_released_before_its_time_waits_for_it(site: InjectSite) -> None:
    site.services.injects.hold(site.exercise.id, "note")
    site.services.injects.release(site.exercise.id, "note")
    site.pass_time(34)
    assert site.fired() == ["brief"]
    site.pass_time(1)
    assert site.fired() == ["brief", "note"]
    with pytest.raises(InjectStateError, match="note is not held"):
        site.services.injects.release(site.exercise.id, "note")


def test_a_late_one_that_was_held_goes_out_with_its_release(tmp_path: Path) -> None:
    with inject_site(tmp_path, "  drop: {at: 5m, host: files, run: [drop]}\n") as site:
        site.services.injects.hold(site.exercise.id, "drop")
        site.pass_time(30)
        site.services.injects.release(site.exercise.id, "drop", team="team-1")
        site.work()
        assert site.is_fired("drop", 1)
        site.services.injects.skip(site.exercise.id, "drop", team="team-2")
        assert site.state("drop", 2).state == FiringState.SKIPPED


def test_the_rest_moves_for_one_team_or_for_all(site: InjectSite) -> None:
    site.pass_time(5)
    site.services.injects.shift(site.exercise.id, 10 * MINUTE, team="team-1")
    site.services.injects.shift(site.exercise.id, -5 * MINUTE)
    assert [site.state("note", n).due for n in (1, 2)] == [40 * MINUTE, 30 * MINUTE]
    site.pass_time(25)
    assert (site.fired(1), site.fired(2)) == (["brief"], ["brief", "note"])
    site.pass_time(10)
    assert site.fired(1) == ["brief", "note"]


def test_what_cannot_be_is_refused_in_a_sentence(site: InjectSite) -> None:
    acts, key = site.services.injects, site.exercise.id
    with pytest.raises(InjectUnknownError, match="no inject 'nota'"):
        acts.skip(key, "nota")
    with pytest.raises(TeamUnknownError, match="no team 'team-9'"):
        acts.hold(key, "note", team="team-9")
    with pytest.raises(ShiftInvalidError, match="nothing can be moved"):
        acts.shift(key, timedelta())
    site.services.exercises.end(key)
    with pytest.raises(NotNowError, match="has ended"):
        acts.fire(key, "note")


def test_for_all_it_is_done_where_it_is_possible(site: InjectSite) -> None:
    site.services.injects.fire(site.exercise.id, "call", team="team-1")
    assert site.services.injects.fire(site.exercise.id, "call") == ("team-2",)


# Commands in hosts


def test_a_repetition_runs_again_and_again_and_never_beside_itself(tmp_path: Path) -> None:
    story = "  day: {at: 5m, every: 4m, until: 14m, host: files, run: [traffic]}\n"
    with inject_site(tmp_path, story) as site:
        for _ in range(30):
            site.pass_time(1)
        assert len(site.ran()) == 3
        assert (site.state("day").state, site.state("day").times) == ("fired", 3)


def test_a_command_that_is_under_way_holds_up_its_repetition_and_nothing_else(
    tmp_path: Path,
) -> None:
    story = (
        "  day: {at: 5m, every: 1m, host: files, run: [traffic]}\n"
        "  hello: {at: 7m, message: {text: Hello.}}\n"
    )
    with inject_site(tmp_path, story, teams=1) as site:
        site.clock.advance(5 * MINUTE)
        site.sweep()
        (job,) = site.queue.take()
        site.clock.advance(2 * MINUTE)
        site.sweep()
        assert site.state("day").state == FiringState.FIRING
        assert site.told() == ["Hello."]
        assert job.name == CARRY_OUT
        site.services.injects.carry_out(*job.arguments)  # type: ignore[arg-type]
        assert site.state("day").times == 1


def test_a_lost_job_is_sent_again(site: InjectSite) -> None:
    site.clock.advance(35 * MINUTE)
    site.sweep()
    assert len(site.queue.take()) == 2
    site.sweep()
    assert site.queue.take() == []
    site.pass_time(1)
    assert site.is_fired("note")
    assert site.ran() == [("drop-note", "team-1")]


def test_a_job_that_comes_twice_does_nothing_the_second_time(site: InjectSite) -> None:
    site.clock.advance(35 * MINUTE)
    site.sweep()
    for job in site.queue.take() * 2:
        site.services.injects.carry_out(*job.arguments)  # type: ignore[arg-type]
    assert len(site.ran(1)) == 1


def test_a_worker_that_dies_is_followed_by_one_that_does_not_run_it_again(
    site: InjectSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.clock.advance(35 * MINUTE)
    site.sweep()
    job = site.queue.take()[0]
    with monkeypatch.context() as dying:
        dying.setattr(site.engine, "on_run", dies_after(site.shell.run))
        with pytest.raises(KeyboardInterrupt):
            site.services.injects.carry_out(*job.arguments)  # type: ignore[arg-type]
    site.services.injects.carry_out(*job.arguments)  # type: ignore[arg-type]
    assert site.state("note").state == FiringState.FIRING, "the dead worker's claim still stands"
    site.clock.advance(timedelta(seconds=31))
    site.sweep()
    site.work()
    assert site.is_fired("note")
    assert len(site.ran(1)) == 1


def test_a_claim_is_renewed_for_as_long_as_the_command_takes(
    site: InjectSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "_CLAIM_LASTS", timedelta(seconds=1))
    site.clock.advance(35 * MINUTE)
    site.sweep()
    job = next(job for job in site.queue.take() if site.team().id in job.arguments)

    def unclaimed() -> bool:
        with site.services.database.reading() as session:
            found = InjectRepository(session).left_alone(site.clock.now())
        return (site.exercise.id, site.team().id) in found

    def takes_long(host: HostKey, command: tuple[str, ...]) -> RunResult | None:
        site.clock.advance(MINUTE)
        assert unclaimed()
        until(lambda: not unclaimed(), what="the claim to be renewed", within=SOON)
        site.services.injects.carry_out(*job.arguments)  # type: ignore[arg-type]
        return site.shell.run(host, command)

    monkeypatch.setattr(site.engine, "on_run", takes_long)
    site.services.injects.carry_out(*job.arguments)  # type: ignore[arg-type]
    assert site.is_fired("note")
    assert len(site.ran(1)) == 1


def test_when_nobody_saw_the_end_a_person_decides(site: InjectSite) -> None:
    site.clock.advance(35 * MINUTE)
    site.sweep()
    firing = site.services.injects
    marker_taken = [(site.host(n), f"/run/cyberpoligon/inject-{i}-1") for n, i in ids(site)]
    site.shell.exits.update(dict.fromkeys(marker_taken))
    site.work()
    assert site.state("note").state == FiringState.FAILED
    assert "begun before" in site.state("note").detail
    assert site.task("contain").state == "locked"
    firing.fire(site.exercise.id, "note", team="team-1")
    site.work()
    assert site.is_fired("note")
    assert len(site.ran(1)) == 1
    firing.skip(site.exercise.id, "note", team="team-2")
    assert [site.task("contain", n).state for n in (1, 2)] == ["open", "open"]


def test_a_command_that_hangs_is_named_with_what_it_said(site: InjectSite) -> None:
    site.answer_run("drop-note", exit_code=124, output="connecting…\n")
    site.pass_time(35)
    assert site.state("note").state == FiringState.FAILED
    assert site.state("note").detail == ("it did not end within 60 s and was ended. connecting…")
    assert ("inject.failed", "note") in site.acts()
    site.pass_time(30)
    assert "press" not in site.fired(), "what comes after it waits for a decision"


def test_a_command_that_prints_megabytes_is_named(site: InjectSite) -> None:
    site.answer_run("drop-note", output="x" * 64 * 1024)
    site.pass_time(35)
    assert site.is_fired("note")
    assert "more than 64 KiB" in site.state("note").detail


def test_a_host_that_is_gone_fails_the_inject_with_the_reason(site: InjectSite) -> None:
    site.engine.end_host(site.host(1))
    site.pass_time(35)
    assert site.state("note", 1).state == FiringState.FAILED
    assert "does not run" in site.state("note", 1).detail
    assert site.is_fired("note", 2)


def test_an_engine_that_is_away_delays_it(site: InjectSite) -> None:
    site.engine.fail("run", *[EngineUnavailableError("away")] * 2)
    site.pass_time(35)
    assert site.state("note").state == FiringState.FIRING
    site.pass_time(0.1)
    assert site.is_fired("note")
    assert len(site.ran()) == 1


def ids(site: InjectSite) -> list[tuple[int, str]]:
    known = site.services.injects._going_out._turns.look([site.exercise])
    found = []
    for number, team in enumerate(site.exercise.teams, start=1):
        record = known[team.id].latest("note")
        assert record is not None
        found.append((number, record.id))
    return found


def dies_after(run: object) -> object:
    def run_and_die(*arguments: object) -> None:
        run(*arguments)  # type: ignore[operator]
        raise KeyboardInterrupt

    return run_and_die


# Conditions


def test_a_condition_fires_when_the_check_has_passed_long_enough(site: InjectSite) -> None:
    site.engine.answer(["is-dead"])
    wave = []
    for _ in range(20):
        site.clock.advance(timedelta(seconds=30))
        site.services.scoring.sweep()
        for job in site.queue.take():
            exercise, team, check, number = job.arguments
            site.services.scoring.run_check(exercise, team, check, int(number))  # type: ignore[arg-type]
        site.sweep()
        site.work()
        wave.append(site.is_fired("wave"))
    assert site.ran().count(("rotate",)) == 1
    first = wave.index(True)
    assert 6 * 2 <= first <= 6 * 2 + 2, "a minute of hold, five of passing, and a round at most"


def test_a_tip_comes_to_whom_the_task_is_still_open_and_costs_what_it_says(
    site: InjectSite,
) -> None:
    answer(site, "door", "north", number=2)
    site.pass_time(60)
    assert ("tip" in site.fired(1), "tip" in site.fired(2)) == (True, False)
    told = answer(site, "door", "north", number=1)
    assert told == 15_000
    assert site.task("door", 1).milli_points == 15_000
    assert site.task("door", 2).milli_points == 20_000
    assert answer(site, "door", "north", number=1) == 15_000, "solved already"


def test_a_cost_never_takes_a_task_below_zero(tmp_path: Path) -> None:
    story = "  tip: {when: {task: who, open_at: 2m}, message: {text: It was me.}, cost: 5}\n"
    story += "  more: {when: {task: who, open_at: 3m}, script: Tell them., cost: 3}\n"
    story += "  note: {at: 1m, script: Note.}\n"
    with inject_site(tmp_path, story) as site:
        for _ in range(3):
            site.pass_time(1)
        assert answer(site, "who", "me") == 0
        assert site.task("who").milli_points == 0


def test_a_cost_of_a_solved_task_is_booked_at_once(site: InjectSite) -> None:
    answer(site, "door", "north")
    site.services.injects.fire(site.exercise.id, "tip", team="team-1")
    assert site.task("door").milli_points == 15_000


def answer(site: InjectSite, task: str, value: str, *, number: int = 1) -> int:
    outcome = site.services.scoring.answer(
        site.exercise,
        site.team(number),
        site.member(number),
        task=task,
        value=value,
        client_key=f"{task}-{site.clock.now()}-{len(site.queue.jobs)}-{number}",
    )
    return outcome.milli_points


def test_a_hundred_exercises_without_injects_are_not_looked_into(
    site: InjectSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.services.exercises.end(site.exercise.id)
    assert site.exercise.phase is Phase.ENDED
    looked: list[object] = []
    monkeypatch.setattr(site.services.injects._going_out._turns, "look", looked.append)
    site.sweep()
    assert looked == []
