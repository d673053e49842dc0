"""What teams ask of checks, and maintenance: over the interface, on the pages, by command."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import ApiSite, api_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


@pytest.fixture
def exercise(site: ApiSite) -> Exercise:
    return site.launch()


def trainee(exercise: Exercise) -> str:
    return exercise.teams[0].members[0].name


def press(site: ApiSite, exercise: Exercise, who: str, path: str, **form: str) -> httpx.Response:
    return site.form(who, f"/exercises/{exercise.name}/{path}", form)


def seen(site: ApiSite, exercise: Exercise, who: str) -> str:
    return site.page(who, f"/exercises/{exercise.name}").text


def answer_questions(site: ApiSite) -> None:
    for job in site.queue.take():
        assert job.name == "scoring.ask"
        site.services.scoring.asking.answer(*job.arguments)  # type: ignore[arg-type]


def test_a_trainee_asks_on_the_page_and_sees_the_answer_there(
    site: ApiSite, exercise: Exercise
) -> None:
    who = trainee(exercise)
    assert "Does it hold now?" in seen(site, exercise, who)
    assert press(site, exercise, who, "tasks/shut/questions").status_code == 303
    assert "somebody is looking" in seen(site, exercise, who)
    answer_questions(site)
    page = seen(site, exercise, who)
    assert "this is not scored" in page
    assert ">fails</span>" in page
    again = press(site, exercise, who, "tasks/shut/questions")
    assert (again.status_code, "Ask again in 30 s" in again.text) == (409, True)


def test_a_client_asks_and_reads_the_answer(site: ApiSite, exercise: Exercise) -> None:
    who, base = site.bearer(trainee(exercise)), f"/api/v1/exercises/{exercise.name}"
    asked = site.web.post(f"{base}/tasks/shut/questions", headers=who)
    assert (asked.status_code, asked.json()["answered_at"]) == (200, None)
    answer_questions(site)
    [told] = site.web.get(f"{base}/questions", headers=who).json()
    assert told["answer"] == [{"check": "shut", "holds": "no", "output": ""}]
    assert site.web.post(f"{base}/tasks/who/questions", headers=who).status_code == 422


def test_maintenance_is_declared_on_the_page_and_teams_are_told(
    site: ApiSite, exercise: Exercise
) -> None:
    form = {"minutes": "5", "reason": "the uplink is replaced"}
    assert press(site, exercise, "ina", "maintenance", **form).status_code == 303
    assert "the uplink is replaced" in seen(site, exercise, "ina")
    assert "The uplink is replaced" in seen(site, exercise, trainee(exercise))
    [window] = site.web.get(
        f"/api/v1/exercises/{exercise.name}/maintenance", headers=site.bearer("sara")
    ).json()
    assert (window["team"], window["check"]) == (None, None)


def test_maintenance_can_be_declared_as_long_as_checks_may_run(
    site: ApiSite, exercise: Exercise
) -> None:
    form = {"minutes": "5", "reason": "the uplink is replaced"}
    assert press(site, exercise, "ina", "maintenance", **form).status_code == 303
    assert "Declare</button>" in seen(site, exercise, "ina")
    site.services.exercises.end(exercise.id)
    page = seen(site, exercise, "ina")
    assert "Declare</button>" not in page
    assert "the uplink is replaced" in page


def test_maintenance_of_another_check_or_time_is_refused_with_a_sentence(
    site: ApiSite, exercise: Exercise
) -> None:
    def declare(**sent: object) -> httpx.Response:
        return site.web.post(
            f"/api/v1/exercises/{exercise.name}/maintenance",
            json={"minutes": 5, "reason": "x", **sent},
            headers=site.bearer("ina"),
        )

    assert declare(check="door").json()["code"] == "check.unknown"
    assert declare(start="2020-01-01T00:00:00Z").json()["code"] == "maintenance.invalid"
    assert declare(start="2027-01-01T00:00:00").status_code == 422
    assert declare(team="team-9").json()["code"] == "team.unknown"
    assert declare(check="shut", team="team-2").status_code == 200
