"""Networks that all worlds of an exercise share, from the first launch to the last removal."""

from ipaddress import IPv4Network

import pytest

from core.jobs import Job
from core.scenario.load import load
from orchestrator.domain.isolation import Question, Verdict
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.ports import EngineUnavailableError, UnknownImageError
from orchestrator.service import JOB_PATIENCE, REMOVE_WORLD
from tests.unit.orchestrator.conftest import SCENARIO, Site


@pytest.fixture
def arena(site: Site) -> Site:
    """Lend the site with a scenario whose mail hosts meet in one network."""
    text = SCENARIO.replace("dmz: {size: /29}}", "dmz: {size: /29}, arena: {shared: true}}")
    text = text.replace("{dmz: {alias: mail.harbour.test}}", "{dmz: {}, arena: {}}")
    (site.scenario.folder / "scenario.yaml").write_text(text)
    site.scenario = load(site.scenario.folder)
    return site


@pytest.fixture
def ring(site: Site) -> Site:
    """Lend the site with a scenario whose hosts are on the shared network and on no other."""
    text = SCENARIO.replace("{office: {size: /28}, dmz: {size: /29}}", "{arena: {shared: true}}")
    text = text.replace("{office: {}, dmz: {}}", "{arena: {}}").replace("ips.dmz", "ips.arena")
    text = text.replace("{dmz: {alias: mail.harbour.test}}", "{arena: {}}")
    (site.scenario.folder / "scenario.yaml").write_text(text)
    site.scenario = load(site.scenario.folder)
    return site


def shared(site: Site) -> list[IPv4Network]:
    return [subnet for (_, name), subnet in site.engine.networks.items() if name == "arena"]


def test_every_world_meets_the_others_on_one_network(arena: Site) -> None:
    exercise = arena.launch(teams=3)
    arena.work()
    assert arena.now(exercise).phase is Phase.READY
    (subnet,) = shared(arena)
    facts = [arena.exercises.facts(exercise, team) for team in arena.now(exercise).teams]
    assert {fact.subnets["arena"] for fact in facts} == {subnet}
    assert len({fact.addresses["mail"]["arena"] for fact in facts}) == 3


def test_teams_that_share_all_their_networks_get_ready(ring: Site) -> None:
    exercise = ring.launch(teams=2)
    ring.work()
    assert ring.now(exercise).phase is Phase.READY
    for team in ring.now(exercise).teams:
        assert team.isolation is not None
        asked = {finding.question: finding for finding in team.isolation.findings}
        assert asked[Question.TEAMS].says == "no other team's host stood on a network of its own"
        assert asked.pop(Question.TEAMS).verdict is Verdict.UNTESTED
        assert asked[Question.HOST].verdict is Verdict.HOLDS


def test_they_are_asked_against_the_hosts_of_other_exercises(ring: Site) -> None:
    ring.launch(teams=2)
    ring.work()
    second = ring.launch(teams=2)
    ring.work()
    for team in ring.now(second).teams:
        assert team.isolation is not None
        verdicts = {finding.question: finding.verdict for finding in team.isolation.findings}
        assert verdicts[Question.TEAMS] is Verdict.HOLDS


def test_two_exercises_share_nothing(arena: Site) -> None:
    for _ in range(2):
        arena.launch(teams=1)
    arena.work()
    first, second = shared(arena)
    assert not first.overlaps(second)


def test_it_goes_with_the_last_world_and_its_addresses_are_free_again(arena: Site) -> None:
    exercise = arena.launch(teams=2)
    arena.work()
    (subnet,) = shared(arena)
    arena.exercises.destroy(exercise.id)
    first, last = arena.queue.take()
    arena.do(first)
    assert shared(arena) == [subnet], "the other team's world is there still"
    arena.do(last)
    assert arena.engine.networks == {}
    arena.launch(teams=2)
    arena.work()
    assert shared(arena) == [subnet]


def test_one_whose_removal_was_interrupted_is_removed_by_the_sweep(arena: Site) -> None:
    exercise = arena.launch(teams=1)
    arena.work()
    arena.exercises.destroy(exercise.id)
    arena.engine.fail("remove_exercise", EngineUnavailableError("away"))
    arena.work()
    assert arena.now(exercise).teams[0].world is WorldPhase.REMOVED
    assert len(shared(arena)) == 1
    for _ in range(2):
        arena.clock.advance(JOB_PATIENCE)
        arena.worker.sweep()
        arena.work()
    assert shared(arena) == []
    arena.clock.advance(JOB_PATIENCE)
    arena.worker.sweep()
    assert arena.queue.jobs == [], "and then nothing is due"


def test_one_that_is_taken_moves_and_the_teams_own_networks_stay(arena: Site) -> None:
    exercise = arena.launch(teams=1)
    team = exercise.teams[0]
    arena.do(arena.queue.take()[0])
    before = arena.exercises.facts(exercise, team).subnets
    arena.engine.routed.add(before["arena"])
    arena.work()
    after = arena.exercises.facts(exercise, team).subnets
    assert arena.now(exercise).phase is Phase.READY
    assert not after["arena"].overlaps(before["arena"])
    assert (after["office"], after["dmz"]) == (before["office"], before["dmz"])


def test_a_world_raised_again_stays_on_it(arena: Site) -> None:
    exercise = arena.launch(teams=2)
    arena.engine.fail("raise_host", UnknownImageError("no"))
    arena.work()
    before = shared(arena)
    arena.exercises.retry(exercise.id)
    arena.work()
    assert arena.now(exercise).phase is Phase.READY
    assert shared(arena) == before


def test_a_removal_that_comes_twice_leaves_the_others_alone(arena: Site) -> None:
    exercise = arena.launch(teams=2)
    arena.work()
    arena.exercises.destroy(exercise.id)
    first, _ = arena.queue.take()
    arena.do(first)
    arena.do(Job(REMOVE_WORLD, first.arguments))
    assert len(shared(arena)) == 1


def test_checkers_of_services_there_are_built_with_the_other_images(arena: Site) -> None:
    folder = arena.scenario.folder
    (folder / "checkers").mkdir()
    (folder / "checkers" / "Dockerfile").write_text("FROM debian:bookworm-slim\n")
    services = """\
rounds: {every: 3m}
services:
  post: {host: mail, network: arena, port: 25, checker: {build: {context: checkers}, run: [ask]}}
"""
    with (folder / "scenario.yaml").open("a") as file:
        file.write(services)
    arena.scenario = load(folder)
    exercise = arena.launch(teams=2)
    arena.work()
    assert arena.now(exercise).phase is Phase.READY
    assert [name for name in arena.engine.images if "-checker:" in name]
