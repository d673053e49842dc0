"""Answers over HTTP: what is told before, what is refused, and whom a limit meets."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import Response

from core.scenario.load import load
from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from orchestrator.service import TeamSpec
from tests.fakes.api_site import SCENARIO, ApiSite, api_site

TASKS = """\
  when:
    ask: How many?
    answer: {number: 240}
    points: 10
    attempts: 4
    cooldown: 30s
    wrong_cost: 2
    late: [{after: 10m, share: 50%}]
    hints: [{text: Count., cost: 1, charge: at-once}]
"""
# Writes that take no key. PUT and DELETE leave the same however often they come.
SAME_AGAIN = {
    "/login",
    "/logout",
    "/exercises/{name}/tasks/{task}/hints",
    "/exercises/{name}/terminals/{session}/end",
    "/exercises/{name}/tasks/{task}/release",
    "/exercises/{name}/captures",  # a flag counts once for a team
    "/exercises/{name}/feed",  # an event has a name of its own
}
REFUSED_AGAIN = {
    "/exercises/{name}/tasks/{task}/questions",  # once in 30 seconds
    "/exercises/{name}/marking/{task}/{team}/again",  # not before somebody marks
}
NEW_SECRETS = {"/users/{user}/code", "/exercises/{name}/logins"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


@pytest.fixture
def exercise(site: ApiSite) -> Exercise:
    folder = site.services.settings.scenarios / "house"
    (folder / "scenario.yaml").write_text(SCENARIO + TASKS)
    return site.launch()


def trainee(exercise: Exercise) -> str:
    return exercise.teams[0].members[0].name


def send(site: ApiSite, exercise: Exercise, value: str, *, task: str = "when") -> Response:
    return site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": task, "value": value},
        headers=site.bearer(trainee(exercise)),
    )


def shown(site: ApiSite, exercise: Exercise) -> str:
    page = site.page(trainee(exercise), f"/exercises/{exercise.name}").text
    return page[page.index('id="task-when"') :]


def test_what_an_answer_is_worth_and_costs_is_told_before_it_is_sent(
    site: ApiSite, exercise: Exercise
) -> None:
    tasks = site.web.get(
        f"/api/v1/exercises/{exercise.name}/tasks", headers=site.bearer(trainee(exercise))
    ).json()
    (task,) = [task for task in tasks if task["task"] == "when"]
    assert (task["attempts_left"], task["hints"][0]["at_once"]) == (4, True)
    assert task["terms"] == {
        "points": 10,
        "form": "a number",
        "late": [{"from_seconds": 600, "points": 5}],
        "wrong_cost": 2,
        "cooldown_seconds": 30,
        "next_seconds": None,
    }
    page = shown(site, exercise)
    for told in (
        "4 attempts left",
        "from 0:10:00 on gives 5",
        "a wrong answer costs 2 points",
        "0:00:30 to wait after a wrong answer",
        "a number",
        "It costs 1 points at once",
    ):
        assert told in page


def test_a_team_is_told_when_it_may_answer_again_and_what_form_is_asked_for(
    site: ApiSite, exercise: Exercise
) -> None:
    form = send(site, exercise, "10.0.0.1").json()
    assert (form["verdict"], form["attempts_left"]) == ("wrong_form", 4)
    assert form["hint"] == "That looks like an IP address; a number is asked for."
    assert send(site, exercise, "7").json()["verdict"] == "wrong"
    early = send(site, exercise, "240")
    assert (early.status_code, early.json()["code"]) == (429, "answer.too_soon")
    assert early.headers["retry-after"] == "30"
    assert "The next answer is taken from 0:00:30 on." in shown(site, exercise)


def test_a_million_letters_are_refused_unread_and_cost_nothing(
    site: ApiSite, exercise: Exercise
) -> None:
    for letters, status in ((1_000_000, 413), (200_000, 422), (5000, 422)):
        assert send(site, exercise, "x" * letters).status_code == status
    assert send(site, exercise, "7").json()["attempts_left"] == 3


def test_who_sends_more_than_a_minute_takes_is_told_when_to_go_on(
    site: ApiSite, exercise: Exercise
) -> None:
    most = site.services.settings.answers_per_person
    told = [send(site, exercise, "no", task="mark").status_code for _ in range(most + 1)]
    assert told == [200] * most + [429]
    refused = send(site, exercise, "no", task="mark")
    assert (refused.json()["code"], refused.headers["retry-after"]) == ("answer.too_many", "60")


def test_forty_people_behind_one_address_do_not_slow_each_other_down(site: ApiSite) -> None:
    names = [f"person-{number}" for number in range(40)]
    for name in names:
        site.services.users.add(name, role=Role.TRAINEE)
    specs = [TeamSpec(name=f"Team {n}", members=tuple(names[n * 5 : n * 5 + 5])) for n in range(8)]
    loaded = load(site.services.settings.scenarios / "house")
    made = site.services.exercises.launch(loaded, teams=specs, by=None)
    site.work()
    exercise = site.services.exercises.start(made.id)
    told = [
        site.web.post(
            f"/api/v1/exercises/{exercise.name}/answers",
            json={"task": "mark", "value": "no"},
            headers=site.bearer(name),
        ).status_code
        for _ in range(3)
        for name in names
    ]
    assert told == [200] * 120


def test_every_write_of_the_interface_may_be_sent_twice(site: ApiSite) -> None:
    described = site.web.get("/api/v1/openapi.json").json()["paths"]
    without = set()
    for path, methods in described.items():
        names = {p["name"].lower() for p in methods.get("post", {}).get("parameters", ())}
        if "post" in methods and "idempotency-key" not in names:
            without.add(path.removeprefix("/api/v1"))
    assert without == SAME_AGAIN | REFUSED_AGAIN | NEW_SECRETS
