"""Worlds are made and removed, whatever is killed, lost, doubled or away meanwhile."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from sqlalchemy import event

from core.jobs import Job
from core.scenario.load import load
from core.users.model import User
from orchestrator.access import Access
from orchestrator.claims import CLAIM_LASTS
from orchestrator.domain.backoff import MOST_TRIES
from orchestrator.domain.phases import IllegalMoveError, Phase, WorldPhase
from orchestrator.doorkeeper import EntryRefusedError
from orchestrator.ports import EngineRefusedError, EngineUnavailableError
from orchestrator.repository import ExerciseRepository
from orchestrator.service import (
    JOB_PATIENCE,
    PREPARE,
    RAISE_WORLD,
    ExerciseUnknownError,
    TeamsInvalidError,
    TeamSpec,
)
from tests.fakes.fake_engine import FakeHost
from tests.unit.orchestrator.conftest import SCENARIO, Site


def worlds(site: Site, name: str) -> list[str]:
    return [team.world.value for team in site.exercises.get(name).teams]


def sweep_later(site: Site, after: timedelta = JOB_PATIENCE) -> None:
    site.clock.advance(after)
    site.worker.sweep()
    site.work()


def test_a_launch_ends_with_every_world_ready(site: Site) -> None:
    exercise = site.launch(teams=3)
    assert exercise.phase is Phase.PROVISIONING
    site.work()
    ready = site.now(exercise)
    assert ready.phase is Phase.READY
    assert {team.world for team in ready.teams} == {WorldPhase.READY}
    assert len(site.engine.hosts) == 6
    assert len(site.engine.networks) == 6
    assert site.engine.protected


def test_every_team_has_its_own_addresses_and_values(site: Site) -> None:
    exercise = site.launch(teams=3)
    site.work()
    subnets = list(site.engine.networks.values())
    assert len(set(subnets)) == 6
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a is not b)
    facts = [site.exercises.facts(exercise, team) for team in site.now(exercise).teams]
    assert len({fact.values["note"] for fact in facts}) == 3
    notes = [
        h.files["/root/note"].content for k, h in site.engine.hosts.items() if k.host == "mail"
    ]
    assert sorted(notes) == sorted(
        f"{f.values['note']} {f.addresses['desk']['dmz']}".encode() for f in facts
    )


def test_a_free_address_and_a_line_of_a_list_reach_the_hosts(site: Site) -> None:
    more = "stray: {type: ip-in-network, network: dmz}, city: {type: text, from: cities.txt}"
    text = SCENARIO.replace("values: {", f"values: {{{more}, ")
    text = text.replace("{{ values.note }}", "{{ values.stray }} {{ values.city }}")
    (site.scenario.folder / "cities.txt").write_text("Tuzla\nOhrid\n")
    (site.scenario.folder / "scenario.yaml").write_text(text)
    site.scenario = load(site.scenario.folder)
    exercise = site.launch(teams=1)
    site.work()
    (team,) = site.now(exercise).teams
    facts = site.exercises.facts(exercise, team)
    (mail,) = (host for key, host in site.engine.hosts.items() if key.host == "mail")
    stray, city, desk = mail.files["/root/note"].content.decode().split()
    assert city in {"Tuzla", "Ohrid"}
    assert IPv4Address(stray) in facts.subnets["dmz"]
    assert stray not in {str(a) for ips in facts.addresses.values() for a in ips.values()}
    assert desk == str(facts.addresses["desk"]["dmz"])
    site.exercises.destroy(exercise.id)
    site.work()
    assert site.exercises.facts(exercise, team) == facts, "all can be read when nothing stands"


def test_what_the_host_routes_is_left_out(site: Site) -> None:
    site.engine.routed.add(IPv4Network("10.213.0.0/25"))
    site.launch(teams=2)
    site.work()
    assert all(n.subnet_of(IPv4Network("10.213.0.128/25")) for n in site.engine.networks.values())


def test_a_job_that_was_lost_is_sent_again_by_the_sweep(site: Site) -> None:
    exercise = site.launch()
    assert site.queue.take() == [Job(PREPARE, (exercise.id,))]
    site.worker.sweep()
    assert site.queue.jobs == [], "it may still be on its way"
    sweep_later(site)
    assert site.now(exercise).phase is Phase.READY


def test_waiting_jobs_do_not_pile_up(site: Site) -> None:
    site.launch()
    site.queue.take()
    site.clock.advance(JOB_PATIENCE)
    for _ in range(5):
        site.worker.sweep()
    assert len(site.queue.jobs) == 1


def test_a_job_that_comes_twice_does_nothing_the_second_time(site: Site) -> None:
    exercise = site.launch()
    jobs = []
    while sent := site.queue.take():
        jobs += sent
        for job in sent:
            site.do(job)
    before = dict(site.engine.hosts)
    for job in jobs:
        site.do(job)
    assert site.engine.hosts == before
    assert site.now(exercise).phase is Phase.READY


class KilledError(BaseException):
    """What a test throws where a worker is killed: nothing of ours catches it."""


def test_a_claim_of_the_dead_does_not_outlast_a_clock_that_is_set_back(site: Site) -> None:
    exercise = site.launch(teams=1)
    with site.worker._claims.exercise(exercise.id):  # and it dies with it
        site.queue.take()
        site.clock.advance(timedelta(hours=-1))
        other = site.new_worker()
        other.sweep()
        for job in site.queue.take():
            site.do(job, other)
        site.work()
    assert site.now(exercise).phase is Phase.READY


def test_a_sweep_writes_nothing_while_nothing_is_due(site: Site) -> None:
    site.launch()
    site.work()
    begun: list[object] = []
    event.listen(site.database.engine, "begin", begun.append)  # readers have an engine of their own
    site.worker.sweep()
    assert begun == []
    site.launch()
    assert begun


def test_a_worker_that_dies_half_way_is_followed_by_another(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = site.launch(teams=1)
    site.do(site.queue.take()[0])
    (job,) = site.queue.take()
    release = site.worker._claims._release
    monkeypatch.setattr(site.worker._claims, "_release", lambda *_: None)

    def killed(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(site.engine, "raise_host", killed)
        site.do(job)
    monkeypatch.setattr(site.worker._claims, "_release", release)
    assert worlds(site, exercise.name) == ["building"]
    assert len(site.engine.networks) == 2

    other = site.new_worker()
    site.do(job, other)
    assert worlds(site, exercise.name) == ["building"], "the claim of the dead still holds"
    site.clock.advance(CLAIM_LASTS + timedelta(seconds=1))
    other.sweep()
    site.work()
    assert site.now(exercise).phase is Phase.READY
    assert len(site.engine.networks) == 2
    assert len(site.engine.hosts) == 2


def test_two_workers_never_build_one_world_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.launch(teams=1)
    site.do(site.queue.take()[0])
    (job,) = site.queue.take()
    other = site.new_worker()
    calls = []
    raise_network = site.engine.raise_network

    def raise_network_while_another_tries(*arguments: object) -> None:
        calls.append(arguments)
        site.do(job, other)
        raise_network(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(site.engine, "raise_network", raise_network_while_another_tries)
    site.do(job)
    assert len(calls) == 2, "each network once, by the first worker"


def test_an_engine_that_is_away_is_told_and_waited_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise EngineUnavailableError("the engine does not answer", hint="Start it")

    exercise = site.launch()
    with monkeypatch.context() as patch:
        for method in ("require_image", "raise_network", "raise_host", "protect_host"):
            patch.setattr(site.engine, method, away)
        site.work()
        waiting = site.now(exercise)
        assert waiting.phase is Phase.PROVISIONING
        problem = waiting.teams[0].problem
        assert problem is not None
        assert problem.message == "the engine does not answer"
        assert problem.next_command == "poligon doctor"
    sweep_later(site)
    assert site.now(exercise).phase is Phase.READY
    assert site.now(exercise).teams[0].problem is None


def test_an_engine_that_goes_away_half_way_is_found_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise EngineUnavailableError("the engine went away")

    exercise = site.launch()
    with monkeypatch.context() as patch:
        patch.setattr(site.engine, "raise_host", away)
        site.work()
        assert set(worlds(site, exercise.name)) == {"building"}
    sweep_later(site)
    assert site.now(exercise).phase is Phase.READY


def test_a_host_that_does_not_become_ready_makes_a_degraded_world(site: Site) -> None:
    site.engine.answer(["true"], exit_code=1, output="no shell here")
    exercise = site.launch(teams=1)
    site.work()
    degraded = site.now(exercise)
    assert degraded.phase is Phase.DEGRADED
    problem = degraded.teams[0].problem
    assert problem is not None
    assert (problem.stage, problem.host, problem.output) == ("readiness", "desk", "no shell here")
    assert problem.next_command == f"poligon exercise retry {exercise.name}"


def test_a_host_that_ends_before_it_is_ready_makes_a_degraded_world_and_is_named(
    site: Site,
) -> None:
    def end_the_desk(host: FakeHost) -> None:
        if host.plan.host == "desk":
            host.running, host.exit_code = False, 3

    site.engine.on_start = end_the_desk
    exercise = site.launch(teams=1)
    site.work()
    degraded = site.now(exercise)
    assert degraded.phase is Phase.DEGRADED
    problem = degraded.teams[0].problem
    assert problem is not None
    assert problem.message == "the own process of desk ended with code 3, before it was ready"
    assert degraded.teams[0].in_doubt


def test_hosts_that_wait_for_one_that_is_not_ready_are_named(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "waiting" / "harbour"
    folder.mkdir(parents=True)
    text = SCENARIO.replace("  mail:\n", "  mail:\n    needs: [desk]\n")
    (folder / "scenario.yaml").write_text(text)
    site.engine.answer(["true"], exit_code=1)
    exercise = replace(site, scenario=load(folder)).launch(teams=1)
    site.work()
    problem = site.now(exercise).teams[0].problem
    assert problem is not None
    assert problem.message.endswith("not started, because they need it: mail")
    assert [key.host for key in site.engine.hosts] == ["desk"]


def test_an_unknown_image_fails_every_world_with_one_sentence(site: Site) -> None:
    site.engine.images.clear()
    exercise = site.launch()
    site.work()
    failed = site.now(exercise)
    assert failed.phase is Phase.FAILED
    assert {team.problem.stage for team in failed.teams if team.problem} == {"images"}
    assert "debian:bookworm-slim" in str(failed.teams[0].problem)
    assert site.engine.hosts == {}


def test_an_exhausted_pool_fails_every_world_and_holds_no_address(site: Site) -> None:
    exercise = site.launch(teams=20)
    site.work()
    failed = site.now(exercise)
    assert failed.phase is Phase.FAILED
    problem = failed.teams[0].problem
    assert problem is not None
    assert "40 networks are needed" in problem.message
    assert problem.stage == "addresses"
    site.exercises.destroy(exercise.id)
    site.work()
    smaller = site.launch(teams=2)
    site.work()
    assert site.now(smaller).phase is Phase.READY


def test_a_subnet_that_turns_out_to_be_taken_is_replaced(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = site.launch(teams=1)
    # Routed only after it was looked: nobody can know before the network is made.
    room = site.engine.protect_host()
    monkeypatch.setattr(site.engine, "protect_host", lambda: room)
    site.engine.routed.add(IPv4Network("10.213.0.0/28"))
    site.work()
    assert site.now(exercise).phase is Phase.READY
    assert IPv4Network("10.213.0.0/28") not in site.engine.networks.values()
    assert len(site.engine.networks) == 2


def test_what_the_engine_refuses_is_tried_again_and_then_works(site: Site) -> None:
    site.engine.fail("raise_host", EngineRefusedError("no space left on device"))
    exercise = site.launch(teams=1)
    site.work()
    waiting = site.now(exercise).teams[0]
    assert waiting.world is WorldPhase.BUILDING
    assert waiting.problem is not None
    assert waiting.problem.message == "no space left on device; tried again in 1 s"
    site.worker.sweep()
    assert site.queue.jobs == [], "it rests"
    sweep_later(site, timedelta(seconds=1))
    assert site.now(exercise).phase is Phase.READY


@pytest.mark.parametrize("method", ["raise_host", "require_image"])
def test_what_the_engine_keeps_refusing_fails_after_a_bounded_number_of_tries(
    site: Site, method: str
) -> None:
    site.engine.fail(method, *[EngineRefusedError("no space left on device")] * 50)
    exercise = site.launch(teams=1)
    site.work()
    for _ in range(MOST_TRIES - 1):
        assert site.now(exercise).phase is Phase.PROVISIONING
        sweep_later(site, timedelta(seconds=9))
    failed = site.now(exercise)
    assert failed.phase is Phase.FAILED
    assert failed.teams[0].problem is not None
    assert failed.teams[0].problem.message == "no space left on device"
    assert site.engine.calls.count(method) <= 2 * MOST_TRIES


def test_a_retry_that_somebody_types_has_all_its_tries_again(site: Site) -> None:
    site.engine.fail("require_image", *[EngineRefusedError("no space left")] * MOST_TRIES)
    exercise = site.launch(teams=1)
    site.work()
    for _ in range(MOST_TRIES):
        sweep_later(site, timedelta(seconds=9))
    assert site.now(exercise).phase is Phase.FAILED
    site.engine.fail("require_image", EngineRefusedError("no space left"))
    site.exercises.retry(exercise.id)
    site.work()
    sweep_later(site, timedelta(seconds=9))
    assert site.now(exercise).phase is Phase.READY


def test_what_the_author_did_wrong_is_not_tried_again(site: Site) -> None:
    site.engine.images.clear()
    exercise = site.launch(teams=1)
    site.work()
    assert site.now(exercise).phase is Phase.FAILED
    assert site.engine.calls.count("require_image") == 1


def test_a_retry_builds_what_failed_and_only_that(site: Site) -> None:
    site.engine.images.clear()
    exercise = site.launch()
    site.work()
    site.engine.images.add("debian:bookworm-slim")
    site.exercises.retry(exercise.id)
    site.work()
    assert site.now(exercise).phase is Phase.READY
    made = list(site.engine.hosts.values())
    assert site.exercises.retry(exercise.id).phase is Phase.READY
    site.work()
    assert list(site.engine.hosts.values()) == made


def test_a_degraded_world_is_built_again_while_the_others_play(site: Site) -> None:
    site.engine.answer(["true"], exit_code=1)
    exercise = site.launch(teams=1)
    site.work()
    site.exercises.start(exercise.id)
    site.engine.answer(["true"], exit_code=0)
    assert site.exercises.retry(exercise.id).phase is Phase.RUNNING
    site.work()
    assert worlds(site, exercise.name) == ["ready"]
    assert site.now(exercise).phase is Phase.RUNNING


def test_destroying_an_ended_exercise_leaves_nothing_and_gives_addresses_back(site: Site) -> None:
    exercise = site.launch()
    site.work()
    for move in (site.exercises.start, site.exercises.end, site.exercises.destroy):
        move(exercise.id)
    assert site.now(exercise).phase is Phase.CLOSED
    site.work()
    assert worlds(site, exercise.name) == ["removed", "removed"]
    assert (site.engine.hosts, site.engine.networks) == ({}, {})
    with site.database.reading() as session:
        assert ExerciseRepository(session).held_subnets() == ()


def test_a_lost_removal_is_sent_again(site: Site) -> None:
    exercise = site.launch()
    site.work()
    site.exercises.destroy(exercise.id)
    site.queue.take()
    sweep_later(site)
    assert worlds(site, exercise.name) == ["removed", "removed"]
    assert site.engine.hosts == {}


def test_cancelling_while_worlds_are_built_removes_what_stands(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    exercise = site.launch(teams=1)
    site.do(site.queue.take()[0])
    (job,) = site.queue.take()
    raise_network = site.engine.raise_network

    def cancelled_meanwhile(*arguments: object) -> None:
        raise_network(*arguments)  # type: ignore[arg-type]
        site.exercises.destroy(exercise.id)

    with monkeypatch.context() as patch:
        patch.setattr(site.engine, "raise_network", cancelled_meanwhile)
        site.do(job)
    assert site.engine.hosts == {}, "hosts are not begun for a cancelled exercise"
    sweep_later(site)
    assert worlds(site, exercise.name) == ["removed"]
    assert site.engine.networks == {}


def test_cancelling_a_build_leaves_a_running_exercise_of_the_same_scenario_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = site.launch(teams=1)
    site.work()
    site.exercises.start(running.id)
    before, subnets = dict(site.engine.hosts), dict(site.engine.networks)
    building = site.launch(teams=1)
    site.do(site.queue.take()[0])
    (job,) = site.queue.take()
    raise_host = site.engine.raise_host

    def cancelled_meanwhile(*arguments: object) -> None:
        raise_host(*arguments)  # type: ignore[arg-type]
        if site.now(building).phase is Phase.PROVISIONING:
            site.exercises.destroy(building.id)

    with monkeypatch.context() as patch:
        patch.setattr(site.engine, "raise_host", cancelled_meanwhile)
        site.do(job)
    site.work()
    sweep_later(site)
    assert worlds(site, building.name) == ["removed"]
    assert (site.engine.hosts, site.engine.networks) == (before, subnets)
    assert all(host.running for host in before.values())
    assert site.now(running).phase is Phase.RUNNING
    assert site.now(running).teams[0].world is WorldPhase.READY


def test_a_running_exercise_is_not_destroyed(site: Site) -> None:
    exercise = site.launch()
    site.work()
    site.exercises.start(exercise.id)
    with pytest.raises(IllegalMoveError, match="it cannot become cancelled"):
        site.exercises.destroy(exercise.id)
    assert len(site.engine.hosts) == 4


def test_the_clock_runs_from_start_and_stands_in_a_pause(site: Site) -> None:
    exercise = site.launch()
    site.work()
    minutes = timedelta(minutes=10)
    for move in (site.exercises.start, site.exercises.pause, site.exercises.resume):
        move(exercise.id)
        site.clock.advance(minutes)
    assert site.exercises.end(exercise.id).elapsed(site.clock.now()) == 2 * minutes


def test_starting_twice_is_refused_and_starts_once(site: Site) -> None:
    exercise = site.launch()
    site.work()
    site.exercises.start(exercise.id)
    with pytest.raises(IllegalMoveError):
        site.exercises.start(exercise.id)
    site.exercises.pause(exercise.id)
    with pytest.raises(IllegalMoveError):
        site.exercises.start(exercise.id)
    assert len(site.now(exercise).clock) == 2


@pytest.mark.parametrize(
    "names", [[], ["North", "north!"], ["A"] * 2], ids=["none", "alike", "same"]
)
def test_teams_that_cannot_be_are_refused_before_anything_is_stored(
    site: Site, names: list[str]
) -> None:
    with pytest.raises(TeamsInvalidError):
        site.exercises.launch(site.scenario, teams=[TeamSpec(name=n) for n in names], by=None)
    assert site.exercises.recent() == ()


def test_an_unknown_exercise_says_how_to_see_the_known_ones(site: Site) -> None:
    with pytest.raises(ExerciseUnknownError, match="poligon exercise list"):
        site.exercises.get("nothing")


def trainee(site: Site, name: str) -> User:
    return site.users.named(name)


def test_a_trainee_sees_their_own_exercises_and_no_other(site: Site) -> None:
    mine, other = site.launch(), site.launch()
    login = mine.teams[0].members[0].name
    assert site.exercises.visible_to(trainee(site, login), mine.name).id == mine.id
    with pytest.raises(ExerciseUnknownError):
        site.exercises.visible_to(trainee(site, login), other.name)


def test_logins_fit_and_are_made_anew_each_time(site: Site) -> None:
    exercise = site.launch()
    first = site.exercises.issue_logins(exercise.id)
    assert [login.team for login in first] == ["team-1", "team-2"]
    assert site.users.password_fits(first[0].user, first[0].password)
    second = site.exercises.issue_logins(exercise.id)
    assert not site.users.password_fits(first[0].user, first[0].password)
    assert site.users.password_fits(second[0].user, second[0].password)


def test_a_trainee_enters_only_while_it_runs_and_is_told_why_not(site: Site) -> None:
    access = Access(site.users, site.exercises)
    exercise = site.launch()
    login = exercise.teams[1].members[0].name

    def refusal() -> str:
        with pytest.raises(EntryRefusedError) as refused:
            access.enter(login)
        return refused.value.message

    assert "still being built" in refusal()
    site.work()
    assert "not started yet" in refusal()
    site.exercises.start(exercise.id)
    entry = access.enter(login)
    assert (entry.host.world.team, entry.host.host, entry.account) == ("team-2", "desk", "ana")
    assert not access.why_leave(login, entry)
    site.exercises.pause(exercise.id)
    assert access.why_leave(login, entry)
    assert "paused" in refusal()
    site.exercises.resume(exercise.id)
    site.exercises.end(exercise.id)
    assert "ended" in refusal()


@pytest.mark.parametrize("host", ["mail", "elsewhere", "../desk", "desk.desk"])
def test_a_trainee_enters_no_host_that_the_role_does_not(site: Site, host: str) -> None:
    access = Access(site.users, site.exercises)
    exercise = site.launch(teams=1)
    site.work()
    site.exercises.start(exercise.id)
    login = exercise.teams[0].members[0].name
    assert access.enter(f"{login}.desk").host.host == "desk"
    with pytest.raises(EntryRefusedError, match="Open to you: desk"):
        access.enter(f"{login}.{host}")


def test_an_outsider_is_in_no_exercise(site: Site) -> None:
    access = Access(site.users, site.exercises)
    with pytest.raises(EntryRefusedError, match="no such user"):
        access.enter("eva")


def test_a_doubled_raise_after_removal_brings_nothing_back(site: Site) -> None:
    exercise = site.launch(teams=1)
    site.work()
    site.exercises.destroy(exercise.id)
    site.work()
    site.do(Job(RAISE_WORLD, (exercise.id, exercise.teams[0].id)))
    site.do(Job(PREPARE, (exercise.id,)))
    assert site.engine.hosts == {}
