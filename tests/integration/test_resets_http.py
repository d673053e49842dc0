"""Resets as instructors and trainees ask for them: over the interface and on their pages."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.exercise import Exercise
from orchestrator.domain.world import HostKey, WorldKey
from tests.fakes.api_site import ApiSite, api_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


@pytest.fixture
def exercise(site: ApiSite) -> Exercise:
    return site.launch()


def desk(site: ApiSite, exercise: Exercise, team: str = "team-1") -> object:
    world = WorldKey(exercise=exercise.id, team=team)
    return site.engine.hosts[HostKey(world=world, host="desk")]


def trainee(exercise: Exercise) -> str:
    return exercise.teams[0].members[0].name


def ask(site: ApiSite, exercise: Exercise, who: str, team: str = "team-1") -> httpx.Response:
    return site.web.post(
        f"/api/v1/exercises/{exercise.name}/teams/{team}/reset",
        json={"host": "desk"},
        headers=site.bearer(who),
    )


def seen(site: ApiSite, exercise: Exercise, who: str) -> str:
    return site.page(who, f"/exercises/{exercise.name}").text


def press(site: ApiSite, exercise: Exercise, who: str, **form: str) -> httpx.Response:
    return site.form(who, f"/exercises/{exercise.name}/reset", {"team": "team-1", **form})


def test_an_instructor_sees_what_is_reset_and_then_that_it_is_done(
    site: ApiSite, exercise: Exercise
) -> None:
    before = desk(site, exercise)
    answer = ask(site, exercise, "ina").json()
    assert answer["world"] == "degraded"
    assert answer["problem"]["message"] == "desk is being made anew: ina asked for it"
    assert answer["problem"]["since"]
    site.work()
    assert desk(site, exercise) is not before
    here = f"/api/v1/exercises/{exercise.name}"
    shown = site.web.get(here, headers=site.bearer("ina")).json()
    assert [team["world"] for team in shown["teams"]] == ["ready", "ready"]
    assert shown["causes"] == []


def test_a_trainee_is_told_when_the_resets_are_used_up(site: ApiSite, exercise: Exercise) -> None:
    for _ in range(2):
        assert ask(site, exercise, trainee(exercise)).json()["problem"] is None
        site.work()
    refused = ask(site, exercise, trainee(exercise))
    assert (refused.status_code, refused.json()["code"]) == (409, "reset.used_up")
    assert refused.json()["hint"] == "Ask an instructor"


def test_the_instructors_page_resets_a_machine_or_all_of_a_team(
    site: ApiSite, exercise: Exercise
) -> None:
    assert 'action="/exercises/' + exercise.name + '/reset"' in seen(site, exercise, "ina")
    for form in ({"host": "desk"}, {"host": ""}):
        before, other = desk(site, exercise), desk(site, exercise, "team-2")
        assert press(site, exercise, "ina", **form).status_code == 303
        site.work()
        assert desk(site, exercise) is not before
        assert desk(site, exercise, "team-2") is other


def test_a_trainees_page_offers_what_is_left(site: ApiSite, exercise: Exercise) -> None:
    who = trainee(exercise)
    assert "2 resets left" in seen(site, exercise, who)
    assert press(site, exercise, who, host="desk").status_code == 303
    again = press(site, exercise, who, host="desk")
    assert again.status_code == 409
    assert "being made anew already" in again.text
    site.work()
    assert "1 reset left" in seen(site, exercise, who)
    press(site, exercise, who, host="desk")
    site.work()
    page = seen(site, exercise, who)
    assert "0 resets left" in page
    assert f'action="/exercises/{exercise.name}/reset"' not in page


def test_what_is_wrong_is_told_once_with_its_teams(site: ApiSite) -> None:
    site.engine.images.clear()
    broken = site.launch(started=False)
    here = f"/api/v1/exercises/{broken.name}"
    (cause,) = site.web.get(here, headers=site.bearer("ina")).json()["causes"]
    assert cause["teams"] == ["team-1", "team-2"]
    assert "debian:bookworm-slim" in cause["message"]
    assert "2 teams: the engine has no image" in seen(site, broken, "ina")
    mine = site.web.get(here, headers=site.bearer(trainee(broken))).json()
    assert mine["causes"] == []


def solve(site: ApiSite, exercise: Exercise) -> None:
    """Let team 1 solve `who`, for 20 points."""
    team = exercise.teams[0]
    thief = site.services.exercises.facts(exercise, team).values["thief"]
    sent = site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": "who", "value": str(thief)},
        headers=site.bearer(trainee(exercise)) | {"Idempotency-Key": "the-thief"},
    )
    assert sent.json()["verdict"] == "correct", sent.text


def points(site: ApiSite, exercise: Exercise) -> dict[str, float]:
    here = f"/api/v1/exercises/{exercise.name}/board"
    rows = site.web.get(here, headers=site.bearer("ina")).json()["rows"]
    return {row["team"]: row["points"] for row in rows}


def reset(site: ApiSite, exercise: Exercise, who: str) -> None:
    assert ask(site, exercise, who).status_code == 200
    site.work()


def test_a_teams_own_reset_costs_what_the_scenario_says_and_never_more_than_it_has(
    site: ApiSite, exercise: Exercise
) -> None:
    solve(site, exercise)
    reset(site, exercise, "ina")
    assert points(site, exercise) == {"team-1": 20, "team-2": 0}, "an instructor's is free"
    reset(site, exercise, trainee(exercise))
    assert points(site, exercise) == {"team-1": 5, "team-2": 0}
    reset(site, exercise, trainee(exercise))
    assert points(site, exercise) == {"team-1": 0, "team-2": 0}


def test_a_reset_before_its_task_is_solved_is_paid_with_the_solve(
    site: ApiSite, exercise: Exercise
) -> None:
    reset(site, exercise, trainee(exercise))
    assert points(site, exercise)["team-1"] == 0
    solve(site, exercise)
    assert points(site, exercise)["team-1"] == 5


def test_a_refused_reset_costs_nothing(site: ApiSite, exercise: Exercise) -> None:
    solve(site, exercise)
    assert ask(site, exercise, trainee(exercise)).status_code == 200
    assert ask(site, exercise, trainee(exercise)).status_code == 409
    assert points(site, exercise)["team-1"] == 5


def test_a_trainee_is_told_the_price_before_asking(site: ApiSite, exercise: Exercise) -> None:
    assert "It costs 15 points of “The thief”" in seen(site, exercise, trainee(exercise))
    here = f"/api/v1/exercises/{exercise.name}/access"
    (offer,) = site.web.get(here, headers=site.bearer(trainee(exercise))).json()["resets"]
    assert offer == {
        "host": "desk",
        "title": "desk",
        "left": 2,
        "cost": {"task": "who", "points": 15},
    }
    assert site.web.get(here, headers=site.bearer("ina")).json()["resets"] == []
