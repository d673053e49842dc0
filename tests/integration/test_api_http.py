"""The interface as its clients meet it, over a whole site on SQLite."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from httpx import Response
from structlog.testing import capture_logs

from api.outlook import disk_warning, expiry_warning
from api.rehearsal.notes import Notes
from core.db import CommitUnconfirmedError
from core.scenario.load import load
from orchestrator.domain.engine_facts import Space
from orchestrator.domain.phases import Phase
from tests.fakes.api_site import KEY, PASSWORD, ApiSite, api_site

PROBLEM = "application/problem+json"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


def is_problem(answer: Response, status: int, code: str) -> bool:
    shape = answer.json()
    return (
        answer.status_code == status == shape["status"]
        and answer.headers["content-type"] == PROBLEM
        and shape["code"] == code
        and shape["request_id"] == answer.headers["x-request-id"]
        and {"type", "title", "detail"} <= shape.keys()
    )


def launched(site: ApiSite, **headers: str) -> Response:
    return site.web.post(
        "/api/v1/exercises",
        json={"scenario": "house", "teams": 2},
        headers={**site.bearer("ina"), **headers},
    )


# Session


def test_a_login_gives_a_token_that_works_until_logout(site: ApiSite) -> None:
    answer = site.web.post("/api/v1/login", json={"name": "ina", "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert answer.json()["user"] == {"name": "ina", "display_name": "", "role": "instructor"}
    assert site.web.get("/api/v1/me", headers=bearer).json()["name"] == "ina"
    assert site.web.post("/api/v1/logout", headers=bearer).status_code == 204
    assert is_problem(site.web.get("/api/v1/me", headers=bearer), 401, "login.required")


def test_a_wrong_password_does_not_tell_whether_the_name_exists(site: ApiSite) -> None:
    answers = [
        site.web.post("/api/v1/login", json={"name": name, "password": "wrong"})
        for name in ("ina", "nobody")
    ]
    assert all(is_problem(answer, 401, "login.refused") for answer in answers)
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert answers[0].headers["www-authenticate"] == "Bearer"


def test_a_key_is_added_once_however_often_it_is_sent(site: ApiSite) -> None:
    first, again = (
        site.web.put("/api/v1/me/keys", json={"public_key": KEY}, headers=site.bearer("ina"))
        for _ in range(2)
    )
    assert len(first.json()["fingerprints"]) == 1
    read = site.web.get("/api/v1/me/keys", headers=site.bearer("ina"))
    assert first.json() == again.json() == read.json()


def test_what_is_no_key_is_refused_with_what_to_paste(site: ApiSite) -> None:
    answer = site.web.put(
        "/api/v1/me/keys", json={"public_key": "ssh-rsa !!"}, headers=site.bearer("ina")
    )
    assert is_problem(answer, 422, "user.key_invalid")
    assert ".pub" in answer.json()["hint"]


# Launch and moves


def test_the_catalogue_lists_broken_scenarios_with_what_is_wrong(site: ApiSite) -> None:
    house, torn = site.web.get("/api/v1/scenarios", headers=site.bearer("ina")).json()
    assert (house["id"], house["hosts"], house["tasks"], house["problems"]) == ("house", 1, 5, [])
    assert torn["title"] is None
    assert any("torn/scenario.yaml:2:" in problem for problem in torn["problems"])


def test_whether_a_scenario_was_rehearsed_is_told_before_and_at_a_launch(site: ApiSite) -> None:
    house = site.web.get("/api/v1/scenarios", headers=site.bearer("ina")).json()[0]
    assert house["rehearsal"] is None
    assert "it was never rehearsed here" in site.page("ina", "/exercises").text
    doubt = "nobody knows whether this scenario works: it was never rehearsed here"
    assert launched(site).json()["warnings"] == [doubt]
    loaded = load(site.services.settings.scenarios / "house")
    now = site.clock.now()
    site.services.rehearsals.keep(Notes(say=print).rehearsal(loaded, now))
    house = site.web.get("/api/v1/scenarios", headers=site.bearer("ina")).json()[0]
    assert (house["rehearsal"]["passed"], house["rehearsal"]["findings"]) == (True, [])
    assert "rehearsed" not in site.page("ina", "/exercises").text
    assert launched(site).json()["warnings"] == []


def test_launching_a_broken_scenario_tells_every_problem(site: ApiSite) -> None:
    answer = site.web.post(
        "/api/v1/exercises", json={"scenario": "torn", "teams": 1}, headers=site.bearer("ina")
    )
    assert is_problem(answer, 422, "scenario.invalid")
    assert len(answer.json()["errors"]) > 1


def test_launching_more_than_the_sites_policy_permits_is_refused(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("policy: 1\nquota: {teams: 1}\n")
    with api_site(tmp_path, policy=policy) as site:
        refused = launched(site)
        assert is_problem(refused, 403, "policy.refused")
        assert refused.json()["detail"].startswith("2 teams need `teams: 2`")


def test_an_exercise_goes_from_launch_to_removal(site: ApiSite) -> None:
    made = launched(site)
    name = made.json()["name"]
    assert (made.status_code, made.headers["location"]) == (201, f"/api/v1/exercises/{name}")
    site.work()
    phases = []
    for move in ("start", "pause", "resume", "end", "destroy"):
        answer = site.web.post(f"/api/v1/exercises/{name}/{move}", headers=site.bearer("ina"))
        phases.append(answer.json()["phase"])
    site.work()
    assert phases == ["running", "paused", "running", "ended", "closed"]
    teams = site.web.get(f"/api/v1/exercises/{name}/teams", headers=site.bearer("ina")).json()
    assert [team["world"] for team in teams] == ["removed", "removed"]


def test_the_offered_moves_are_those_that_are_carried_out(site: ApiSite) -> None:
    name = launched(site).json()["name"]
    site.work()
    for wanted in ("pause", "resume", "end"):
        answer = site.web.post(f"/api/v1/exercises/{name}/{wanted}", headers=site.bearer("ina"))
        assert is_problem(answer, 409, "exercise.illegal_move")
    shown = site.web.get(f"/api/v1/exercises/{name}", headers=site.bearer("ina")).json()
    assert shown["moves"] == ["start", "keep", "destroy"]


def test_teams_may_be_named_and_have_members(site: ApiSite) -> None:
    teams = [{"name": "North", "members": ["sara"]}, {"name": "South"}]
    answer = site.web.post(
        "/api/v1/exercises", json={"scenario": "house", "teams": teams}, headers=site.bearer("ina")
    )
    north, south = answer.json()["teams"]
    assert (north["slug"], north["members"]) == ("north", ["sara"])
    assert south["members"][0].startswith("south-")


@pytest.mark.parametrize("teams", [0, -1, 1001, [], [{"name": ""}], [{"name": " "}], "two", None])
def test_teams_that_cannot_be_are_refused(site: ApiSite, teams: object) -> None:
    answer = site.web.post(
        "/api/v1/exercises", json={"scenario": "house", "teams": teams}, headers=site.bearer("ina")
    )
    assert is_problem(answer, 422, "request.invalid")
    assert site.services.exercises.recent() == ()


def test_logins_are_told_once_and_not_kept_by_anybody(site: ApiSite) -> None:
    exercise = site.launch()
    path = f"/api/v1/exercises/{exercise.name}/logins"
    headers = {**site.bearer("ina"), "Idempotency-Key": "k"}
    first, second = (site.web.post(path, headers=headers) for _ in range(2))
    assert first.headers["cache-control"] == "no-store"
    assert first.json() != second.json()
    login = second.json()[0]
    answer = site.web.post(
        "/api/v1/login", json={"name": login["user"], "password": login["password"]}
    )
    assert answer.status_code == 200


def test_the_list_comes_in_pages_that_lead_to_one_another(site: ApiSite) -> None:
    names: list[str] = []
    for _ in range(3):
        names.insert(0, site.launch(teams=1, started=False).name)
        site.clock.advance(timedelta(seconds=1))
    path, headers = "/api/v1/exercises?limit=2", site.bearer("ina")
    first = site.web.get(path, headers=headers)
    assert [one["name"] for one in first.json()] == names[:2]
    second = site.web.get(first.links["next"]["url"], headers=headers)
    assert [one["name"] for one in second.json()] == names[2:]
    assert second.links == {}
    unknown = site.web.get("/api/v1/exercises?before=no-such", headers=headers)
    assert is_problem(unknown, 404, "exercise.unknown")


# Idempotency


def test_a_write_that_the_database_did_not_confirm_is_not_done_again_at_once(
    site: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = site.services.exercises.launch

    def launch_unconfirmed(*given: Any, **named: Any) -> NoReturn:  # noqa: ANN401  # as it is
        launch(*given, **named)
        raise CommitUnconfirmedError("the database went away")

    with monkeypatch.context() as broken:
        broken.setattr(site.services.exercises, "launch", launch_unconfirmed)
        answer = launched(site, **{"Idempotency-Key": "one"})
        assert is_problem(answer, 503, "database.commit_unconfirmed")
    assert is_problem(launched(site, **{"Idempotency-Key": "one"}), 409, "idempotency.under_way")
    assert len(site.services.exercises.recent()) == 1


def test_the_same_launch_sent_twice_is_one_launch(site: ApiSite) -> None:
    first, second = (launched(site, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert len(site.services.exercises.recent()) == 1


def test_a_key_is_its_users_own(site: ApiSite) -> None:
    launched(site, **{"Idempotency-Key": "one"})
    answer = site.web.post(
        "/api/v1/exercises",
        json={"scenario": "house", "teams": 2},
        headers={**site.bearer("root"), "Idempotency-Key": "one"},
    )
    assert answer.status_code == 201
    assert len(site.services.exercises.recent()) == 2


def test_a_key_with_another_write_is_refused(site: ApiSite) -> None:
    launched(site, **{"Idempotency-Key": "one"})
    answer = site.web.post(
        "/api/v1/exercises",
        json={"scenario": "house", "teams": 3},
        headers={**site.bearer("ina"), "Idempotency-Key": "one"},
    )
    assert is_problem(answer, 409, "idempotency.other_request")


def test_a_write_that_failed_gives_its_key_back(site: ApiSite) -> None:
    exercise = site.launch(started=False)
    headers = {**site.bearer("ina"), "Idempotency-Key": "one"}
    path = f"/api/v1/exercises/{exercise.name}/pause"
    assert site.web.post(path, headers=headers).status_code == 409
    site.services.exercises.start(exercise.id)
    assert site.web.post(path, headers=headers).json()["phase"] == Phase.PAUSED


@pytest.mark.parametrize("key", ["", "x" * 101])
def test_a_key_that_cannot_be_is_refused(site: ApiSite, key: str) -> None:
    answer = launched(site, **{"Idempotency-Key": key})
    assert answer.status_code == 422
    assert site.services.exercises.recent() == ()


# Play and results


def test_an_answer_is_judged_and_counts_once(site: ApiSite) -> None:
    exercise = site.launch()
    trainee = f"team-1-{exercise.name[-3:]}"
    path = f"/api/v1/exercises/{exercise.name}/answers"
    right = site.answer_of(exercise, "team-1", "thief")
    sent = [{"task": "who", "value": value} for value in ("nobody", right, right)]
    told = [site.web.post(path, json=body, headers=site.bearer(trainee)).json() for body in sent]
    assert [outcome["verdict"] for outcome in told] == ["wrong", "correct", "already"]
    assert told[0]["attempts_left"] == 2
    board = site.web.get(
        f"/api/v1/exercises/{exercise.name}/board", headers=site.bearer(trainee)
    ).json()
    assert [(row["team"], row["points"]) for row in board["rows"]] == [
        ("team-1", 20),
        ("team-2", 0),
    ]


def test_an_answer_sent_again_with_its_key_is_judged_once(site: ApiSite) -> None:
    exercise = site.launch()
    headers = {**site.bearer(f"team-1-{exercise.name[-3:]}"), "Idempotency-Key": "one"}
    path = f"/api/v1/exercises/{exercise.name}/answers"
    body = {"task": "who", "value": "nobody"}
    first, again = (site.web.post(path, json=body, headers=headers) for _ in range(2))
    other = site.web.post(path, json={**body, "value": "me"}, headers=headers)
    assert first.json() == again.json()
    assert first.json()["attempts_left"] == 2
    assert is_problem(other, 409, "answer.key_reused")


def test_a_paused_exercise_takes_no_answer_and_says_why(site: ApiSite) -> None:
    exercise = site.launch()
    site.services.exercises.pause(exercise.id)
    answer = site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": "who", "value": "nobody"},
        headers=site.bearer(f"team-1-{exercise.name[-3:]}"),
    )
    assert is_problem(answer, 409, "exercise.not_now")
    assert "paused" in answer.json()["detail"]


def test_another_teams_flag_is_a_signal_and_no_point(site: ApiSite) -> None:
    exercise = site.launch()
    stolen = site.answer_of(exercise, "team-2", "mark")
    trainee = f"team-1-{exercise.name[-3:]}"
    answer = site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": "mark", "value": stolen},
        headers=site.bearer(trainee),
    )
    assert answer.json()["verdict"] == "wrong"
    signals = site.web.get(
        f"/api/v1/exercises/{exercise.name}/signals", headers=site.bearer("ina")
    ).json()
    assert [(s["team"], s["user"], s["owner"], s["value"]) for s in signals] == [
        ("team-1", trainee, "team-2", "mark")
    ]


def test_staff_name_the_team_whose_tasks_they_read(site: ApiSite) -> None:
    path = f"/api/v1/exercises/{site.launch().name}/tasks"
    of = {
        query: site.web.get(f"{path}{query}", headers=site.bearer("sara"))
        for query in ("?team=team-2", "", "?team=team-9")
    }
    assert [task["task"] for task in of["?team=team-2"].json()] == [
        "who",
        "mark",
        "shut",
        "way",
        "kept",
    ]
    assert of["?team=team-2"].json()[3]["options"] == [
        {"value": "door", "text": "By the door"},
        {"value": "window", "text": "By a window of Team 2"},
    ]
    assert is_problem(of[""], 422, "team.none")
    assert is_problem(of["?team=team-9"], 404, "team.unknown")


def test_a_hint_is_taken_for_the_team_and_shown_to_it_alone(site: ApiSite) -> None:
    exercise = site.launch()
    trainee = exercise.teams[0].members[0].name
    path = f"/api/v1/exercises/{exercise.name}/tasks"
    mine = site.bearer(trainee)
    before = site.web.get(path, headers=mine).json()[0]["hints"]
    assert [(h["hint"], h["cost"], h["opens_seconds"], h["text"]) for h in before] == [
        (1, 3, 0, None),
        (2, 0, 1200, None),
    ]
    taken, again = (
        site.web.post(f"{path}/who/hints", json={"hint": 1}, headers=mine).json() for _ in range(2)
    )
    assert (taken["text"], taken["taken_by"]) == ("Look in the log, Team 1.", trainee)
    assert again == taken
    assert site.web.get(path, headers=mine).json()[0]["hints"][0] == taken
    theirs = site.web.get(f"{path}?team=team-2", headers=site.bearer("ina")).json()[0]["hints"]
    assert [hint["text"] for hint in theirs] == [None, None]
    assert is_problem(
        site.web.post(f"{path}/who/hints", json={"hint": 2}, headers=mine), 409, "hint.not_now"
    )
    assert is_problem(
        site.web.post(f"{path}/who/hints", json={"hint": 3}, headers=mine), 404, "hint.unknown"
    )
    assert is_problem(
        site.web.post(f"{path}/shut/hints", json={"hint": 1}, headers=mine), 404, "hint.unknown"
    )
    right = site.answer_of(exercise, "team-1", "thief")
    told = site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": "who", "value": right},
        headers=mine,
    ).json()
    assert (told["verdict"], told["points"]) == ("correct", 17)
    record = site.web.get(
        f"/api/v1/exercises/{exercise.name}/record", headers=site.bearer("sara")
    ).json()
    (hint,) = record["teams"][0]["tasks"][0]["hints"]
    assert (hint["hint"], hint["cost"]) == (1, 3)


def test_the_board_is_sent_again_only_when_it_changed(site: ApiSite) -> None:
    exercise = site.launch()
    path = f"/api/v1/exercises/{exercise.name}/board"
    first = site.web.get(path, headers=site.bearer("sara"))
    known = {**site.bearer("sara"), "If-None-Match": first.headers["etag"]}
    assert site.web.get(path, headers=known).status_code == 304
    site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": "who", "value": site.answer_of(exercise, "team-1", "thief")},
        headers=site.bearer(f"team-1-{exercise.name[-3:]}"),
    )
    assert site.web.get(path, headers=known).status_code == 200


def test_a_frozen_board_shows_teams_nothing_new_and_staff_all(site: ApiSite) -> None:
    file = site.services.settings.scenarios / "house" / "scenario.yaml"
    file.write_text(f"{file.read_text()}end: {{freeze: 1s}}\n")
    exercise = site.launch()
    trainee = f"team-1-{exercise.name[-3:]}"
    path = f"/api/v1/exercises/{exercise.name}/board"

    def board(reader: str) -> dict[str, Any]:
        return dict(site.web.get(path, headers=site.bearer(reader)).json())

    assert board(trainee)["frozen_seconds"] is None
    site.clock.advance(timedelta(seconds=2))
    assert board(trainee)["frozen_seconds"] == 1
    site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": "who", "value": site.answer_of(exercise, "team-1", "thief")},
        headers=site.bearer(trainee),
    )
    assert board(trainee)["rows"][0]["points"] == 0
    seen_by_staff = board("sara")
    assert (seen_by_staff["frozen_seconds"], seen_by_staff["rows"][0]["points"]) == (None, 20)
    page = site.page(trainee, f"/exercises/{exercise.name}").text
    assert "The standings stand still since 0:00:01" in page


def test_the_record_comes_as_json_and_as_csv(site: ApiSite) -> None:
    path = f"/api/v1/exercises/{site.launch().name}/record"
    as_json = site.web.get(path, headers=site.bearer("sara"))
    by_accept = site.web.get(path, headers={**site.bearer("sara"), "Accept": "text/csv"})
    by_query = site.web.get(f"{path}?format=csv", headers=site.bearer("sara"))
    assert [team["team"] for team in as_json.json()["teams"]] == ["team-1", "team-2"]
    assert by_accept.text == by_query.text
    assert by_query.text.startswith("exercise,scenario,")
    assert by_query.headers["content-disposition"].endswith('-record.csv"')


# The edge


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "http.not_found"),
        ("DELETE", "/api/v1/me", 405, "http.method_not_allowed"),
        ("GET", "/api/v1/exercises/none-such", 404, "exercise.unknown"),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    site: ApiSite, method: str, path: str, status: int, code: str
) -> None:
    assert is_problem(site.web.request(method, path, headers=site.bearer("ina")), status, code)


def test_a_request_id_comes_back_and_one_that_is_no_id_does_not(site: ApiSite) -> None:
    kept = site.web.get("/healthz", headers={"X-Request-ID": "mine-1"})
    made = site.web.get("/healthz", headers={"X-Request-ID": "not mine; or is it"})
    assert kept.headers["x-request-id"] == "mine-1"
    assert made.headers["x-request-id"] not in {"", "not mine; or is it"}


def test_a_mistake_of_ours_tells_only_how_to_report_it(
    site: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(type(site.services.exercises), "recent", crash)
    with capture_logs() as logged:
        answer = site.web.get("/api/v1/exercises", headers=site.bearer("ina"))
    assert is_problem(answer, 500, "bug")
    assert [line["event"] for line in logged if line["log_level"] == "error"] == ["request.crashed"]
    assert "secret detail" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_interface_describes_every_answer_that_it_gives(site: ApiSite) -> None:
    described = site.web.get("/api/v1/openapi.json").json()
    assert "Problem" in described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["tags"], (method, path)
            assert operation["description"] or operation["summary"], (method, path)


def test_readiness_follows_the_database(site: ApiSite, tmp_path: Path) -> None:
    assert site.web.get("/readyz").json() == {"status": "ok"}
    site.services.database.close()
    (tmp_path / "home" / "poligon.db").rename(tmp_path / "gone")
    (tmp_path / "home" / "poligon.db").mkdir()
    assert is_problem(site.web.get("/readyz"), 503, "database.unavailable")


# What those who run exercises are told of worlds


def test_what_the_self_test_found_is_for_those_who_run_exercises(site: ApiSite) -> None:
    exercise = site.launch(teams=2)
    path = f"/api/v1/exercises/{exercise.name}"
    shown = site.web.get(path, headers=site.bearer("ina")).json()
    for team in shown["teams"]:
        assert team["isolation"]["verdict"] == "holds"
        assert team["isolation"]["host"] == "desk"
        assert {found["question"] for found in team["isolation"]["findings"]} >= {"engine host"}
    trainee = exercise.teams[0].members[0].name
    (own,) = site.web.get(path, headers=site.bearer(trainee)).json()["teams"]
    assert own["isolation"] is None
    page = site.page("ina", f"/exercises/{exercise.name}")
    assert "<li>engine host holds: no address of the engine" in page.text


def test_an_exercise_that_nobody_touches_says_when_it_goes_and_may_be_kept(site: ApiSite) -> None:
    exercise = site.launch(teams=1, started=False)
    path = f"/api/v1/exercises/{exercise.name}"
    before = site.web.get(path, headers=site.bearer("ina")).json()["expires_at"]
    site.clock.advance(timedelta(days=2, hours=19))
    site.tokens.clear()  # which are good for 12 hours
    warned = expiry_warning(site.services, site.services.exercises.get(exercise.id))
    assert "its machines are removed at 2026-11-26 12:00 UTC" in warned
    kept = site.web.post(f"{path}/keep", headers=site.bearer("ina")).json()
    assert kept["expires_at"] > before
    assert expiry_warning(site.services, site.services.exercises.get(exercise.id)) == ""
    trainee = exercise.teams[0].members[0].name
    assert site.web.get(path, headers=site.bearer(trainee)).json()["expires_at"] is None


def test_a_full_disk_of_the_engine_is_shown_and_no_launch_is_taken(site: ApiSite) -> None:
    exercise = site.launch(teams=1)
    assert disk_warning(site.services, exercise) == ""
    site.services.exercises.shortages.tell_disk(
        [exercise], Space(free=0, total=2**30), site.engine.written
    )
    assert "almost full" in disk_warning(site.services, exercise)
    assert is_problem(launched(site), 503, "engine.full")
    page = site.page("ina", f"/exercises/{exercise.name}").text
    assert "The engine&#39;s disk is almost full" in page
    assert "engine.disk_full" in page
    path = f"/api/v1/exercises/{exercise.name}"
    shown = site.web.get(path, headers=site.bearer("ina")).json()
    assert shown["warnings"] == [disk_warning(site.services, exercise)]
    trainee = exercise.teams[0].members[0].name
    assert site.web.get(path, headers=site.bearer(trainee)).json()["warnings"] == []
