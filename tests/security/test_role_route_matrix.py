"""Who may call what: every route, every role, and what others find there."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic import SecretStr

from api.app import create_app
from api.web import pages
from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from scoring.boards.repository import BoardRepository
from scoring.corrections.tables import CorrectionRow, DisputeRow
from scoring.tables import ImprovementRow
from tests.fakes.api_site import KEY, PASSWORD, ApiSite, api_site
from tests.fakes.served import served
from tests.fakes.session_book import recorded_session

ROLES = ("stranger", "outsider", "trainee", "assessor", "staff", "instructor", "admin")
EVERYBODY = set(ROLES)
LOGGED_IN = EVERYBODY - {"stranger"}
INSIDE = LOGGED_IN - {"outsider", "assessor"}
OBSERVERS = {"staff", "instructor", "admin"}
INSTRUCTORS = {"instructor", "admin"}
MARKERS = {"assessor", *OBSERVERS}  # the assessor is appointed

TOKEN = "m2k8r0v9tq4c7x1a5b3d6e8f0g"  # of a public board
VOID: dict[str, object] = {"amendment": {"kind": "void", "task": "mark"}, "reason": "Why."}
SESSION = "7k2m9x4c1q0a"  # of a trainee of team-1, recorded
DELIVERIES: dict[str, str] = {}  # exercise → a file of team-1 in it
REPORT = """\
  report: {title: The report, ask: Write., submit: {files: [md]}, rubric: report, points: 3}
rubrics: {report: {criteria: {facts: {levels: {0: none, 1: all}}}}}
"""
CORRECTION = "c0rrect10n00"
DISPUTE = "d1spute00000"
LINE = "1mpr0vement0"
PLANNED: dict[str, object] = {"area": "Logs", "action": "Training"}

# Route → who is let through. One that is not listed fails a test below.
EXERCISE = "/api/v1/exercises/{name}"
CASE = f"{EXERCISE}/marking/{{task}}/{{team}}"
CASE_PAGE = "/exercises/{name}/marking/{task}/{team}"
INTERFACE: dict[tuple[str, str], set[str]] = {
    ("GET", "/healthz"): EVERYBODY,
    ("GET", "/readyz"): EVERYBODY,
    ("GET", "/metrics"): {"admin"},
    ("POST", "/api/v1/login"): EVERYBODY,
    ("POST", "/api/v1/logout"): LOGGED_IN,
    ("GET", "/api/v1/me"): LOGGED_IN,
    ("GET", "/api/v1/me/keys"): LOGGED_IN,
    ("PUT", "/api/v1/me/keys"): LOGGED_IN,
    ("GET", "/api/v1/scenarios"): INSTRUCTORS,
    ("GET", "/api/v1/exercises"): LOGGED_IN,
    ("POST", "/api/v1/exercises"): INSTRUCTORS,
    ("GET", EXERCISE): INSIDE,
    ("GET", f"{EXERCISE}/teams"): INSIDE,
    ("GET", f"{EXERCISE}/tasks"): INSIDE,
    ("GET", f"{EXERCISE}/access"): INSIDE,
    ("GET", f"{EXERCISE}/board"): INSIDE,
    ("GET", f"{EXERCISE}/board/live"): INSIDE,
    ("GET", "/api/v1/boards/{token}"): EVERYBODY,
    ("GET", "/api/v1/boards/{token}/live"): EVERYBODY,
    ("GET", f"{EXERCISE}/public-board"): INSTRUCTORS,
    ("PUT", f"{EXERCISE}/public-board"): INSTRUCTORS,
    ("DELETE", f"{EXERCISE}/public-board"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/answers"): {"trainee"},
    ("POST", f"{EXERCISE}/tasks/{{task}}/hints"): {"trainee"},
    ("POST", f"{EXERCISE}/feed"): set(),  # a signature lets in, and nobody's token
    ("POST", f"{EXERCISE}/tasks/{{task}}/questions"): {"trainee"},
    ("GET", f"{EXERCISE}/questions"): {"trainee"},
    ("POST", f"{EXERCISE}/maintenance"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/maintenance"): OBSERVERS,
    ("POST", f"{EXERCISE}/captures"): {"trainee"},
    ("GET", f"{EXERCISE}/services"): INSIDE,
    ("GET", f"{EXERCISE}/record"): OBSERVERS,
    ("GET", f"{EXERCISE}/signals"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/logins"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/start"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/pause"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/resume"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/end"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/keep"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/destroy"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/retry"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/extend"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/teams/{{team}}/pause"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/teams/{{team}}/resume"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/events"): OBSERVERS,
    # The house lets its trainees reset the desk; whatever else they ask for is refused below.
    ("POST", f"{EXERCISE}/teams/{{team}}/reset"): {"trainee", *INSTRUCTORS},
    ("GET", f"{EXERCISE}/sessions"): OBSERVERS,
    ("GET", "/api/v1/sessions/{session}"): OBSERVERS,
    ("GET", "/api/v1/sessions/{session}/cast"): OBSERVERS,
    ("GET", f"{EXERCISE}/terminals"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/terminals/{{session}}/end"): INSTRUCTORS,
    ("PUT", f"{EXERCISE}/members/{{user}}/role"): INSTRUCTORS,
    ("POST", "/api/v1/users/{user}/code"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/injects"): OBSERVERS,
    ("POST", f"{EXERCISE}/injects/shift"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/injects/{{inject}}/fire"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/injects/{{inject}}/hold"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/injects/{{inject}}/release"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/injects/{{inject}}/skip"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/messages"): INSIDE,
    ("GET", f"{EXERCISE}/messages/{{message}}/files/{{number}}"): INSIDE,
    ("POST", f"{EXERCISE}/messages/{{message}}/reply"): {"trainee"},
    ("GET", f"{EXERCISE}/deliveries"): INSIDE,
    ("POST", f"{EXERCISE}/tasks/{{task}}/deliveries"): {"trainee"},
    ("GET", f"{EXERCISE}/deliveries/{{delivery}}"): INSIDE | MARKERS,
    ("GET", "/api/v1/marking"): MARKERS,
    ("GET", f"{EXERCISE}/assessors"): OBSERVERS,
    ("PUT", f"{EXERCISE}/assessors/{{user}}"): INSTRUCTORS,
    ("DELETE", f"{EXERCISE}/assessors/{{user}}"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/marking"): OBSERVERS,
    ("GET", f"{EXERCISE}/results"): INSIDE,
    ("POST", f"{EXERCISE}/tasks/{{task}}/release"): INSTRUCTORS,
    ("PUT", f"{EXERCISE}/tasks/{{task}}/own-marks"): {"trainee"},
    ("GET", f"{CASE}"): MARKERS,
    # The assessor is, and the others are not: they were not appointed.
    ("PUT", f"{CASE}"): {"assessor"},
    ("PUT", f"{CASE}/moderation"): INSTRUCTORS,
    ("POST", f"{CASE}/again"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/corrections"): OBSERVERS,
    ("POST", f"{EXERCISE}/corrections"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/corrections/{{correction}}/preview"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/corrections/{{correction}}/approve"): INSTRUCTORS,
    ("POST", f"{EXERCISE}/corrections/{{correction}}/{{refusal}}"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/teams/{{team}}/corrections"): INSIDE,
    ("GET", f"{EXERCISE}/disputes"): INSIDE,
    ("POST", f"{EXERCISE}/disputes"): {"trainee"},
    ("POST", f"{EXERCISE}/disputes/{{dispute}}/answer"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/report"): OBSERVERS,
    ("GET", f"{EXERCISE}/timeline"): OBSERVERS,
    ("GET", f"{EXERCISE}/handout"): INSIDE,
    ("GET", f"{EXERCISE}/integrity"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/stuck"): INSTRUCTORS,
    ("GET", f"{EXERCISE}/improvements"): OBSERVERS,
    ("POST", f"{EXERCISE}/improvements"): OBSERVERS,
    ("PUT", f"{EXERCISE}/improvements/{{line}}"): OBSERVERS,
    ("DELETE", f"{EXERCISE}/improvements/{{line}}"): OBSERVERS,
    ("PUT", f"{EXERCISE}/survey"): {"trainee"},
    ("GET", f"{EXERCISE}/survey"): OBSERVERS,
}
PAGES: dict[tuple[str, str], set[str]] = {
    ("GET", "/"): LOGGED_IN,
    ("GET", "/login"): EVERYBODY,
    ("POST", "/login"): EVERYBODY,
    ("POST", "/login/password"): EVERYBODY,
    ("POST", "/logout"): EVERYBODY,
    ("POST", "/me/keys"): LOGGED_IN,
    ("GET", "/exercises"): LOGGED_IN,
    ("POST", "/exercises"): INSTRUCTORS,
    ("GET", "/exercises/{name}"): INSIDE,
    ("GET", "/exercises/{name}/board"): INSIDE,
    ("GET", "/exercises/{name}/board/live"): INSIDE,
    ("GET", "/exercises/{name}/criterion"): INSIDE,
    ("GET", "/board/{token}"): EVERYBODY,
    ("GET", "/board/{token}/live"): EVERYBODY,
    ("POST", "/exercises/{name}/public-board"): INSTRUCTORS,
    ("GET", "/exercises/{name}/record.{form}"): OBSERVERS,
    ("POST", "/exercises/{name}/logins"): INSTRUCTORS,
    ("GET", "/exercises/{name}/ssh-config.zip"): {"trainee"},
    ("POST", "/exercises/{name}/answers"): {"trainee"},
    ("POST", "/exercises/{name}/tasks/{task}/hints"): {"trainee"},
    ("POST", "/exercises/{name}/tasks/{task}/questions"): {"trainee"},
    ("POST", "/exercises/{name}/maintenance"): INSTRUCTORS,
    ("POST", "/exercises/{name}/captures"): {"trainee"},
    ("POST", "/exercises/{name}/extend"): INSTRUCTORS,
    ("POST", "/exercises/{name}/teams/{team}/{clock_move}"): INSTRUCTORS,
    ("POST", "/exercises/{name}/reset"): {"trainee", *INSTRUCTORS},
    ("POST", "/exercises/{name}/injects/shift"): INSTRUCTORS,
    ("POST", "/exercises/{name}/injects/{inject}/{act}"): INSTRUCTORS,
    ("GET", "/exercises/{name}/messages/{message}/files/{number}"): INSIDE,
    ("POST", "/exercises/{name}/messages/{message}/reply"): {"trainee"},
    ("GET", "/exercises/{name}/corrections"): INSIDE,
    ("POST", "/exercises/{name}/corrections"): INSTRUCTORS,
    ("GET", "/exercises/{name}/corrections/{correction}"): INSTRUCTORS,
    ("POST", "/exercises/{name}/corrections/{correction}/{act}"): INSTRUCTORS,
    ("POST", "/exercises/{name}/disputes"): {"trainee"},
    ("POST", "/exercises/{name}/disputes/{dispute}/answer"): INSTRUCTORS,
    ("POST", "/exercises/{name}/{move}"): INSTRUCTORS,
    ("GET", "/terminal"): LOGGED_IN,
    ("GET", "/exercises/{name}/terminals"): INSTRUCTORS,
    ("GET", "/exercises/{name}/terminals/{session}"): INSTRUCTORS,
    ("POST", "/exercises/{name}/terminals/{session}/join"): INSTRUCTORS,
    ("POST", "/exercises/{name}/terminals/{session}/say"): INSTRUCTORS,
    ("POST", "/exercises/{name}/terminals/{session}/end"): INSTRUCTORS,
    ("GET", "/exercises/{name}/recordings"): OBSERVERS,
    ("GET", "/recordings/{session}"): OBSERVERS,
    ("GET", "/recordings/{session}/cast"): OBSERVERS,
    ("POST", "/exercises/{name}/tasks/{task}/deliveries"): {"trainee"},
    ("GET", "/exercises/{name}/deliveries/{delivery}"): INSIDE | MARKERS,
    ("GET", "/marking"): MARKERS,
    ("GET", "/exercises/{name}/marking"): OBSERVERS,
    ("GET", "/exercises/{name}/marks.csv"): OBSERVERS,
    ("POST", "/exercises/{name}/assessors"): INSTRUCTORS,
    ("POST", "/exercises/{name}/assessors/dismiss"): INSTRUCTORS,
    ("POST", "/exercises/{name}/tasks/{task}/release"): INSTRUCTORS,
    ("POST", "/exercises/{name}/tasks/{task}/own-marks"): {"trainee"},
    ("GET", CASE_PAGE): MARKERS,
    ("POST", CASE_PAGE): {"assessor"},
    ("POST", f"{CASE_PAGE}/moderation"): INSTRUCTORS,
    ("POST", f"{CASE_PAGE}/again"): INSTRUCTORS,
    ("GET", "/exercises/{name}/after-action"): OBSERVERS,
    ("GET", "/exercises/{name}/report.{form}"): OBSERVERS,
    ("GET", "/exercises/{name}/handout.{form}"): INSIDE,
    ("POST", "/exercises/{name}/improvements"): OBSERVERS,
    ("POST", "/exercises/{name}/improvements/{line}/done"): OBSERVERS,
    ("POST", "/exercises/{name}/improvements/{line}/remove"): OBSERVERS,
    ("GET", "/exercises/{name}/survey"): {"trainee"},
    ("POST", "/exercises/{name}/survey"): {"trainee"},
}
BODIES: dict[str, dict[str, object]] = {
    "/api/v1/login": {"name": "ina", "password": PASSWORD},
    "/api/v1/me/keys": {"public_key": KEY},
    "/api/v1/exercises": {"scenario": "house", "teams": 1},
    f"{EXERCISE}/answers": {"task": "who", "value": "x"},
    f"{EXERCISE}/tasks/{{task}}/hints": {"hint": 1},
    f"{EXERCISE}/public-board": {"anonymous": True},
    "/exercises/{name}/public-board": {"act": "open"},
    f"{EXERCISE}/maintenance": {"minutes": 5, "reason": "a switch"},
    "/exercises/{name}/maintenance": {"minutes": "5", "reason": "a switch"},
    # The house has no services: whoever may call this is told so.
    f"{EXERCISE}/captures": {"flags": ["x"]},
    f"{EXERCISE}/extend": {"minutes": 5},
    f"{EXERCISE}/tasks/{{task}}/own-marks": {"marks": {}},
    CASE: {"marks": {}},
    f"{CASE}/moderation": {"marks": {}},
    f"{CASE}/again": {"reason": "why not"},
    "/exercises/{name}/assessors": {"assessor": "zora"},
    "/exercises/{name}/assessors/dismiss": {"assessor": "zora"},
    f"{CASE_PAGE}/again": {"reason": "why not"},
    f"{EXERCISE}/teams/{{team}}/reset": {"host": "desk"},
    "/exercises/{name}/reset": {"team": "team-1", "host": "desk"},
    f"{EXERCISE}/members/{{user}}/role": {"role": "analyst"},
    "/api/v1/users/{user}/code": {"hours": 1},
    f"{EXERCISE}/injects/shift": {"minutes": 5},
    f"{EXERCISE}/injects/{{inject}}/fire": {},
    f"{EXERCISE}/injects/{{inject}}/hold": {},
    f"{EXERCISE}/injects/{{inject}}/release": {},
    f"{EXERCISE}/injects/{{inject}}/skip": {},
    f"{EXERCISE}/messages/{{message}}/reply": {"text": "Nothing yet."},
    f"{EXERCISE}/corrections": VOID,
    f"{EXERCISE}/corrections/{{correction}}/approve": {"digest": "0" * 64},
    f"{EXERCISE}/corrections/{{correction}}/{{refusal}}": {"note": "No."},
    f"{EXERCISE}/disputes": {"task": "mark", "text": "We had it."},
    f"{EXERCISE}/disputes/{{dispute}}/answer": {"text": "You had not."},
    "/exercises/{name}/corrections": {"kind": "void", "task": "mark", "reason": "Why."},
    "/exercises/{name}/corrections/{correction}/{act}": {"digest": "0" * 64},
    "/exercises/{name}/disputes": {"task": "mark", "text": "We had it."},
    "/exercises/{name}/disputes/{dispute}/answer": {"text": "You had not."},
    f"{EXERCISE}/improvements": PLANNED,
    f"{EXERCISE}/improvements/{{line}}": PLANNED,
    f"{EXERCISE}/survey": {"ratings": {}},
    "/exercises/{name}/improvements": PLANNED,
    f"{EXERCISE}/terminals/{{session}}/end": {"sentence": "Lunch"},
    "/exercises/{name}/terminals/{session}/join": {"reason": "to help"},
    "/exercises/{name}/terminals/{session}/say": {"sentence": "Hello"},
    "/exercises/{name}/terminals/{session}/end": {"sentence": "Lunch"},
    "/login": {"name": "ina", "password": PASSWORD},
    # Two that differ, or the answer would be that the code is wrong.
    "/login/password": {"name": "ina", "code": "x", "password": "one", "again": "two"},
    "/me/keys": {"public_key": KEY},
    "/exercises": {"scenario": "house", "teams": "1"},
    "/exercises/{name}/extend": {"minutes": "5"},
    "/exercises/{name}/answers": {"task": "who", "value": "x", "client_key": "k"},
    "/exercises/{name}/tasks/{task}/hints": {"hint": "1"},
    "/exercises/{name}/captures": {"flags": "x"},
    "/exercises/{name}/injects/shift": {"minutes": "5"},
    "/exercises/{name}/injects/{inject}/{act}": {"team": ""},
    "/exercises/{name}/messages/{message}/reply": {"text": "Nothing yet.", "client_key": "r"},
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(autouse=True)
def _fresh_tokens(site: ApiSite) -> None:
    """Forget tokens: some of the calls here withdraw them."""
    site.tokens.clear()


@pytest.fixture(scope="module")
def exercise(site: ApiSite) -> Exercise:
    house = site.services.settings.scenarios / "house" / "scenario.yaml"
    house.write_text(house.read_text() + REPORT)
    exercise = site.launch()
    site.services.injects.fire(exercise.id, "call")
    recorded_session(site.services, exercise, SESSION)
    # Of another exercise: the calls here withdraw the link of this one.
    other = site.launch(teams=1)
    with site.services.database.transaction() as transaction:
        BoardRepository(transaction.session).open_public_board(
            other.id, token=TOKEN, anonymous=False, at=site.clock.now()
        )
    assessor = site.services.users.add("anna", role=Role.ASSESSOR, password=PASSWORD)
    site.services.marking.appoint(exercise, assessor)
    site.services.users.add("zora", role=Role.STAFF)
    trainee = exercise.teams[0].members[0].name
    path = f"/api/v1/exercises/{exercise.name}/tasks/report/deliveries?file=a.md"
    sent = site.web.post(path, content=b"a", headers=site.bearer(trainee))
    DELIVERIES[exercise.name] = sent.json()["id"]
    _proposed_and_disputed(site, exercise)
    return exercise


def _proposed_and_disputed(site: ApiSite, exercise: Exercise) -> None:
    now, mine = site.clock.now(), {"exercise_id": exercise.id}
    with site.services.database.transaction() as transaction:
        transaction.session.add(
            CorrectionRow(
                **mine,
                id=CORRECTION,
                body=VOID["amendment"],
                reason="Why.",
                state="proposed",
                proposed_by=site.services.users.named("root").id,
                proposed_at=now,
            )
        )
        transaction.session.add(
            DisputeRow(
                **mine,
                id=DISPUTE,
                team_id=exercise.teams[0].id,
                task="who",
                text="We had it.",
                opened_by=exercise.teams[0].members[0].user,
                opened_at=now,
            )
        )


@pytest.fixture(autouse=True)
def _a_line_of_the_plan(site: ApiSite, exercise: Exercise) -> None:
    """Put it back: some of the calls here remove it."""
    now = site.clock.now()
    with site.services.database.transaction() as transaction:
        transaction.session.merge(
            ImprovementRow(
                id=LINE,
                exercise_id=exercise.id,
                area="Logs",
                action="Training",
                owner="",
                made_at=now,
                changed_at=now,
            )
        )


@pytest.fixture(scope="module")
def people(site: ApiSite, exercise: Exercise) -> dict[str, str]:
    """Return role → somebody in it; the outsider is a trainee of another exercise."""
    other = site.launch(teams=1)
    return {
        "outsider": other.teams[0].members[0].name,
        "trainee": exercise.teams[0].members[0].name,
        "assessor": "anna",
        "staff": "sara",
        "instructor": "ina",
        "admin": "root",
    }


def routes_of(router: FastAPI | APIRouter) -> list[tuple[str, str]]:
    """Return (method, path without its router's prefix) of every route, nested ones too."""
    found: list[tuple[str, str]] = []
    for route in router.routes:
        if isinstance(route, APIRoute):
            found += [(method, route.path) for method in route.methods or ()]
        elif (nested := getattr(route, "original_router", None)) is not None:
            found += routes_of(nested)
    return found


def filled(path: str, exercise: Exercise) -> str:
    path = path.replace("{name}", exercise.name).replace("{team}", "team-1")
    path = path.replace("/assessors/{user}", "/assessors/zora")
    path = path.replace("{delivery}", DELIVERIES[exercise.name])
    path = path.replace("{task}/hints", "who/hints").replace("{task}", "report")
    path = path.replace("{user}", exercise.teams[0].members[0].name)
    path = path.replace("{correction}/{act}", "{correction}/approve").replace("{refusal}", "reject")
    path = path.replace("{correction}", CORRECTION).replace("{dispute}", DISPUTE)
    path = path.replace("{inject}", "call").replace("{act}", "fire").replace("{message}", "1")
    path = path.replace("{session}", SESSION).replace("{line}", LINE).replace("{token}", TOKEN)
    path = path.replace("report.{form}", "report.html")
    path = path.replace("handout.{form}", "handout.html?team=team-1")
    path = path.replace("{number}", "1").replace("{clock_move}", "pause")
    return path.replace("{form}", "csv").replace("{move}", "retry")


def told_no(answer: httpx.Response) -> bool:
    to_login = answer.status_code == 303 and answer.headers["location"].startswith("/login")
    return to_login or answer.status_code in {401, 403, 404}


def test_every_route_of_the_application_is_in_the_matrix(site: ApiSite) -> None:
    app = create_app(site.services)
    described = {
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    }
    assert len(described) > 20
    assert described == INTERFACE.keys()
    assert set(routes_of(pages.router)) == PAGES.keys()
    # Nothing is served that is neither described nor a page.
    assert len(routes_of(app)) == len(INTERFACE) + len(PAGES)


@pytest.mark.parametrize(("route", "role"), list(product(INTERFACE, ROLES)))
def test_the_interface_lets_through_whom_the_matrix_names(
    site: ApiSite,
    exercise: Exercise,
    people: dict[str, str],
    route: tuple[str, str],
    role: str,
) -> None:
    method, path = route
    query = "?team=team-1" if path.endswith(("/tasks", "/handout")) else ""
    headers = {} if role == "stranger" else site.bearer(people[role])
    answer = site.web.request(
        method, filled(path, exercise) + query, json=BODIES.get(path), headers=headers
    )
    assert told_no(answer) != (role in INTERFACE[route]), answer.text
    if role == "stranger" and role not in INTERFACE[route]:
        assert answer.status_code == 401


@pytest.mark.parametrize(("route", "role"), list(product(PAGES, ROLES)))
def test_the_pages_let_through_whom_the_matrix_names(
    site: ApiSite,
    exercise: Exercise,
    people: dict[str, str],
    route: tuple[str, str],
    role: str,
) -> None:
    method, path = route
    answer = site.web.request(
        method,
        filled(path, exercise),
        data=BODIES.get(path) if method == "POST" else None,
        headers={"Origin": site.url, **site.cookie("" if role == "stranger" else people[role])},
    )
    if path == "/logout":
        assert answer.headers["location"] == "/login"
        return
    assert told_no(answer) != (role in PAGES[route]), answer.text


@pytest.mark.parametrize(
    ("token", "status"), [("for-prometheus", 200), ("for-prometheu", 401), ("", 401)]
)
def test_the_collector_of_metrics_reads_them_and_nothing_else(
    site: ApiSite, token: str, status: int
) -> None:
    settings = site.services.settings.model_copy(
        update={"metrics_token": SecretStr("for-prometheus")}
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with (
        served(create_app(replace(site.services, settings=settings))) as url,
        httpx.Client(base_url=url, headers=headers, verify=False, timeout=60) as web,
    ):
        assert web.get("/metrics").status_code == status
        assert web.get("/api/v1/me").status_code == 401


# What a trainee cannot reach


@pytest.mark.parametrize("path", ["", "/teams", "/tasks", "/board", "/access"])
def test_an_exercise_of_others_is_unknown_and_not_forbidden(
    site: ApiSite, exercise: Exercise, people: dict[str, str], path: str
) -> None:
    there = f"/api/v1/exercises/{exercise.name}{path}"
    nowhere = f"/api/v1/exercises/no-such-thing{path}"
    answers = [
        site.web.get(url, headers=site.bearer(people["outsider"])) for url in (there, nowhere)
    ]
    assert [answer.json()["code"] for answer in answers] == ["exercise.unknown"] * 2


@pytest.mark.parametrize(
    ("team", "body", "status", "code"),
    [
        ("team-2", {"host": "desk"}, 404, "team.unknown"),
        ("team-99", {"host": "desk"}, 404, "team.unknown"),
        ("team-1", {}, 403, "reset.not_allowed"),
        ("team-1", {"host": "safe"}, 403, "reset.not_allowed"),
        ("team-1", {"host": "../desk"}, 403, "reset.not_allowed"),
    ],
)
def test_a_trainee_resets_nothing_but_what_the_scenario_lets_their_role(
    site: ApiSite,
    exercise: Exercise,
    people: dict[str, str],
    team: str,
    body: dict[str, str],
    status: int,
    code: str,
) -> None:
    answer = site.web.post(
        f"/api/v1/exercises/{exercise.name}/teams/{team}/reset",
        json=body,
        headers=site.bearer(people["trainee"]),
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_another_team_is_unknown_to_a_trainee(
    site: ApiSite, exercise: Exercise, people: dict[str, str]
) -> None:
    path = f"/api/v1/exercises/{exercise.name}/tasks?team="
    answers = [
        site.web.get(f"{path}{team}", headers=site.bearer(people["trainee"]))
        for team in ("team-2", "team-99", "team-1")
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 200]


@pytest.mark.parametrize("path", ["", "/teams", "/board"])
def test_a_trainee_learns_no_name_and_no_problem_of_another_team(
    site: ApiSite, exercise: Exercise, people: dict[str, str], path: str
) -> None:
    answer = site.web.get(
        f"/api/v1/exercises/{exercise.name}{path}", headers=site.bearer(people["trainee"])
    )
    assert exercise.teams[1].members[0].name not in answer.text
    assert '"problem":{' not in answer.text


def test_a_trainees_page_holds_nothing_of_another_team_but_its_points(
    site: ApiSite, exercise: Exercise, people: dict[str, str]
) -> None:
    page = site.page(people["trainee"], f"/exercises/{exercise.name}")
    secrets = [exercise.teams[1].members[0].name]
    secrets += [
        site.answer_of(exercise, team, v)
        for team in ("team-1", "team-2")
        for v in ("thief", "mark")
    ]
    assert not [secret for secret in secrets if secret in page.text]


# Browsers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1.evil.test"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize("path", sorted({p for m, p in PAGES if m == "POST"}))
def test_a_form_of_another_site_changes_nothing(
    site: ApiSite, exercise: Exercise, path: str, headers: dict[str, str]
) -> None:
    answer = site.web.post(
        filled(path, exercise), data=BODIES.get(path), headers={**headers, **site.cookie("ina")}
    )
    assert answer.status_code == 403
    assert site.web.get("/api/v1/me", headers=site.bearer("ina")).status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: ApiSite) -> None:
    form = {"name": "ina", "password": PASSWORD}
    plain = site.form("", "/login", form)
    behind_tls = site.web.post(
        "/login", data=form, headers={"Origin": site.url, "X-Forwarded-Proto": "https"}
    )
    kept = plain.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= set(re.split(r";\s*", kept))
    assert "secure" not in kept
    assert "secure" in behind_tls.headers["set-cookie"].lower()


def test_a_cookie_is_no_key_to_the_interface_and_a_bearer_none_to_the_pages(site: ApiSite) -> None:
    by_cookie = site.page("ina", "/api/v1/me")
    by_bearer = site.page("", "/exercises", site.bearer("ina"))
    assert (by_cookie.status_code, by_bearer.status_code) == (401, 303)


@pytest.mark.parametrize("path", ["/login", "/nothing", "/static/poligon.css", "/api/v1/me"])
def test_every_answer_carries_the_strict_policy(site: ApiSite, path: str) -> None:
    policy = site.page("", path).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    "target", ["https://evil.test/", "//evil.test/", "/\\evil.test", "evil.test", "/a\nb", ""]
)
def test_a_login_leads_to_no_other_site(site: ApiSite, target: str) -> None:
    form = {"name": "ina", "password": PASSWORD, "next": target}
    answer = site.form("", "/login", form)
    assert answer.headers["location"] == "/"


def test_what_people_type_is_shown_as_text(site: ApiSite) -> None:
    form = {"name": "<script>alert(1)</script>", "password": '"><img src=x>'}
    page = site.form("", "/login", form)
    assert "<script>alert" not in page.text
    assert "<img" not in page.text


# Guessing


def test_forty_people_behind_one_address_all_get_in_though_each_mistypes(tmp_path: Path) -> None:
    with api_site(tmp_path) as site:
        names = [f"u{number}" for number in range(40)]
        for name in names:
            site.services.users.add(name, role=site.user("sara").role, password=PASSWORD)
        for word, expected in (("wrong", 401), ("wrong", 401), (PASSWORD, 200)):
            answers = {
                site.web.post("/api/v1/login", json={"name": name, "password": word}).status_code
                for name in names
            }
            assert answers == {expected}


def test_guessing_one_password_is_stopped_and_nobody_else_with_it(tmp_path: Path) -> None:
    with api_site(tmp_path) as site:
        wrong = {"name": "ina", "password": "wrong"}
        seen = [site.web.post("/api/v1/login", json=wrong) for _ in range(11)]
        assert [answer.status_code for answer in seen] == [401] * 10 + [429]
        assert int(seen[-1].headers["retry-after"]) > 0
        right = {"name": "ina", "password": PASSWORD}
        other = {"name": "sara", "password": PASSWORD}
        assert site.web.post("/api/v1/login", json=right).status_code == 429
        assert site.web.post("/api/v1/login", json=other).status_code == 200


def test_guessing_a_code_is_stopped_where_a_password_is_chosen_too(tmp_path: Path) -> None:
    with api_site(tmp_path) as site:
        form = {"name": "ina", "code": "aaaa", "password": PASSWORD * 2, "again": PASSWORD * 2}
        seen = [site.form("", "/login/password", form) for _ in range(11)]
        assert [answer.status_code for answer in seen] == [401] * 10 + [429]
        nobody = form | {"name": "nobody"}
        unknown = site.form("", "/login/password", nobody)
        assert (unknown.status_code, "code is wrong" in unknown.text) == (401, True)


# Hostile bodies

DEEP = "[" * 50_000 + "]" * 50_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"\xff\xfe", 422),
        (b"null", 422),
        (b"[]", 422),
        (b'{"name": 1, "password": []}', 422),
        (b'{"name": "ina"}', 422),
        (b'{"name": "' + b"a" * 100_000 + b'", "password": "x"}', 422),
        (b'{"name": "\\ud800", "password": "x"}', 422),
        (b'{"name": "a\\u0000b", "password": "x"}', 401),
        (DEEP.encode(), 400),
        (b"x" * 300_000, 413),
    ],
)
def test_a_hostile_body_is_answered_with_a_problem(site: ApiSite, body: bytes, status: int) -> None:
    answer = site.web.post(
        "/api/v1/login", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == status == answer.json()["status"]
    assert len(answer.content) < 10_000


def test_a_body_that_hides_its_size_is_stopped_at_the_limit(site: ApiSite) -> None:
    answer = site.web.post("/api/v1/login", content=(b"x" * 65_536 for _ in range(8)))
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


@pytest.mark.parametrize("name", ["../house", "house/../torn", "/etc", ".", "", "house\x00"])
def test_a_scenarios_name_leads_nowhere_else(site: ApiSite, name: str) -> None:
    answer = site.web.post(
        "/api/v1/exercises", json={"scenario": name, "teams": 1}, headers=site.bearer("ina")
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "scenario.unknown")
