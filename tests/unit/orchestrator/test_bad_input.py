"""What cannot be, or only looks so, is carried out or named in one sentence."""

import re
from datetime import timedelta
from ipaddress import IPv4Network

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import PoligonError
from core.scenario.load import load
from orchestrator.domain.backoff import MOST_TRIES
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase, WorldPhase
from orchestrator.ports import EngineExhaustedError, EngineTooOldError
from orchestrator.service import TeamsInvalidError, TeamSpec
from tests.fakes.fake_engine import BASE_IMAGE
from tests.unit.orchestrator.conftest import Site

SLUG = re.compile(r"[a-z][a-z0-9-]{0,39}")


def launch(site: Site, *names: str) -> Exercise:
    teams = [TeamSpec(name=name) for name in names]
    return site.exercises.launch(site.scenario, teams=teams, by=None)


def problem(site: Site, exercise: Exercise) -> str:
    """Return the one problem that all teams have."""
    problems = {team.problem for team in site.now(exercise).teams}
    assert len(problems) == 1
    (only,) = problems
    assert only is not None
    assert only.next_command
    assert "\n" not in only.message
    return only.message


def test_two_exercises_at_once_with_the_same_team_names_stay_apart(site: Site) -> None:
    first, second = launch(site, "North", "South"), launch(site, "North", "South")
    site.work()
    assert {site.now(e).phase for e in (first, second)} == {Phase.READY}
    assert len(site.engine.hosts) == 8
    subnets = list(site.engine.networks.values())
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a is not b)
    logins = [m.name for e in (first, second) for t in site.now(e).teams for m in t.members]
    assert len(set(logins)) == 4
    site.exercises.destroy(first.id)
    site.work()
    assert {key.world.exercise for key in site.engine.hosts} == {second.id}
    assert site.now(second).phase is Phase.READY


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(st.text(st.characters(exclude_categories=()), max_size=120), min_size=1, max_size=2)
)
def test_names_of_any_characters_are_taken_or_refused_by_name(site: Site, names: list[str]) -> None:
    try:
        exercise = launch(site, *names)
    except TeamsInvalidError:
        unreadable = [n for n in names if not n.strip() or len(n) > 100 or not n.isprintable()]
        assert unreadable or len(names) > 1
        return
    for team, name in zip(exercise.teams, names, strict=True):
        assert SLUG.fullmatch(team.slug)
        assert site.now(exercise).teams[team.number - 1].name == name
    site.exercises.destroy(exercise.id)
    site.queue.take()


@pytest.mark.parametrize(
    "name",
    [
        "Тим Север",
        "Ekipa Čačak & Šabac",
        "Équipe «\u00a0Nord\u00a0»",
        "O'Brien; DROP TABLE teams;--",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "🛡️ blue",
        "-" * 100,
        "a" * 100,
        "0" * 100,
    ],
)
def test_a_readable_name_becomes_a_world(site: Site, name: str) -> None:
    exercise = launch(site, name)
    site.work()
    ready = site.now(exercise)
    assert ready.phase is Phase.READY
    assert ready.teams[0].name == name
    assert SLUG.fullmatch(ready.teams[0].slug)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x00b", "\ud800", "a" * 101, "\u202eevil"])
def test_a_name_that_nobody_can_read_is_refused(site: Site, name: str) -> None:
    with pytest.raises(TeamsInvalidError, match="is no name of a team"):
        launch(site, name)
    assert site.exercises.recent() == ()


def test_a_pool_that_is_too_small_is_named(site: Site) -> None:
    exercise = site.launch(teams=40)
    site.work()
    assert site.now(exercise).phase is Phase.FAILED
    assert "80 networks are needed and the address pool has room for" in problem(site, exercise)


def test_a_subnet_that_the_host_uses_is_passed_over(site: Site) -> None:
    site.engine.routed.add(IPv4Network("10.213.0.0/26"))
    exercise = site.launch(teams=1)
    site.work()
    assert site.now(exercise).phase is Phase.READY
    assert not any(
        subnet.overlaps(IPv4Network("10.213.0.0/26")) for subnet in site.engine.networks.values()
    )


def test_an_image_of_another_architecture_is_named(site: Site) -> None:
    site.engine.foreign_images.add(BASE_IMAGE)
    exercise = site.launch()
    site.work()
    assert site.now(exercise).phase is Phase.FAILED
    assert problem(site, exercise) == f"the image {BASE_IMAGE} is for arm64"


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("require_image", EngineTooOldError("the Docker Engine speaks API 1.40")),
        ("raise_host", EngineExhaustedError("the engine's host is full: no memory")),
    ],
)
def test_what_the_engine_cannot_is_named_and_may_be_retried(
    site: Site, method: str, error: PoligonError
) -> None:
    exercise = site.launch(teams=1)
    site.engine.fail(method, *[error] * 10 * MOST_TRIES)
    site.work()
    while site.now(exercise).phase is Phase.PROVISIONING:
        assert problem(site, exercise).startswith(f"{error.message}; tried again in")
        site.clock.advance(timedelta(seconds=40))
        site.worker.sweep()
        site.work()
    assert site.now(exercise).phase is Phase.FAILED
    assert problem(site, exercise) == error.message
    site.engine._failures.clear()
    site.exercises.retry(exercise.id)
    site.work()
    assert site.now(exercise).phase is Phase.READY


@pytest.mark.parametrize("after", ["launch", "prepare"])
def test_a_scenario_that_changes_meanwhile_changes_nothing_of_the_exercise(
    site: Site, after: str
) -> None:
    exercise = site.launch(teams=1)
    if after == "prepare":
        site.do(site.queue.take()[0])
    file = site.scenario.folder / "scenario.yaml"
    file.write_text(file.read_text().replace("/root/note", "/root/changed"))
    changed = load(site.scenario.folder)
    assert changed.digest != exercise.scenario_digest
    site.work()
    assert site.now(exercise).teams[0].world is WorldPhase.READY
    assert site.now(exercise).scenario_digest == exercise.scenario_digest
    files = {path for key, h in site.engine.hosts.items() if key.host == "mail" for path in h.files}
    assert "/root/note" in files
    assert "/root/changed" not in files
