"""Injects, messages and replies over HTTP, as programs and browsers use them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import DOOR, ApiSite, api_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


@pytest.fixture
def exercise(site: ApiSite) -> Exercise:
    return site.launch()


def trainee(exercise: Exercise, number: int = 1) -> str:
    return exercise.teams[number - 1].members[0].name


def post(
    site: ApiSite, exercise: Exercise, who: str, path: str, body: object, key: str = ""
) -> httpx.Response:
    headers = site.bearer(who) | ({"Idempotency-Key": key} if key else {})
    url = f"/api/v1/exercises/{exercise.name}/{path}"
    return site.web.post(url, json=body, headers=headers)


def get(site: ApiSite, exercise: Exercise, who: str, path: str) -> list[dict[str, object]]:
    url = f"/api/v1/exercises/{exercise.name}/{path}"
    answer = site.web.get(url, headers=site.bearer(who))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()
    return found


def form(
    site: ApiSite, exercise: Exercise, who: str, path: str, data: dict[str, str]
) -> httpx.Response:
    return site.form(who, f"/exercises/{exercise.name}/{path}", data)


def test_an_instructor_fires_a_team_reads_replies_and_the_instructor_reads_that(
    site: ApiSite, exercise: Exercise
) -> None:
    site.clock.advance(timedelta(minutes=3))
    fired = post(site, exercise, "ina", "injects/call/fire", {"team": "team-1", "reason": "now"})
    assert (fired.status_code, fired.json()) == (200, {"teams": ["team-1"]})
    (message,) = get(site, exercise, trainee(exercise), "messages")
    assert message["text"] == "What do I tell my insurance, Team 1?"
    assert (message["elapsed_seconds"], message["reply_until_seconds"]) == (180, 780)
    assert "inject" not in message, "what it is called may tell what is to come"
    assert get(site, exercise, trainee(exercise, 2), "messages") == []
    path = f"messages/{message['id']}/reply"
    answers = [
        post(site, exercise, trainee(exercise), path, {"text": "Nothing."}, "k") for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [204, 204]
    site.services.injects.sweep()
    (seen,) = get(site, exercise, "sara", "messages?team=team-1")
    assert seen["expectation"] == "met"
    assert [reply["text"] for reply in seen["replies"]] == ["Nothing."]  # type: ignore[attr-defined]
    (inject,) = get(site, exercise, "sara", "injects")
    states = [team["state"] for team in inject["teams"]]  # type: ignore[attr-defined]
    assert states == ["fired", "planned"]


def test_the_same_act_with_the_same_key_is_done_once(site: ApiSite, exercise: Exercise) -> None:
    body = {"minutes": 5}
    for _ in range(3):
        assert post(site, exercise, "ina", "injects/shift", body, "one").status_code == 200
    events = get(site, exercise, "ina", "events")
    assert [e["act"] for e in events].count("injects.shifted") == 2, "once for each of two teams"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("injects/cal/fire", {}, 404, "inject.unknown"),
        ("injects/call/release", {}, 409, "inject.state"),
        ("injects/call/fire", {"team": "team-9"}, 404, "team.unknown"),
        ("injects/shift", {"minutes": 0}, 422, "inject.shift_invalid"),
        ("injects/shift", {"minutes": 99999}, 422, "request.invalid"),
        ("injects/call/fire", {"reasn": "x"}, 422, "request.invalid"),
    ],
)
def test_what_cannot_be_is_a_problem(
    site: ApiSite, exercise: Exercise, path: str, body: dict[str, object], status: int, code: str
) -> None:
    answer = post(site, exercise, "ina", path, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_reply_to_nothing_and_one_that_is_empty_are_problems(
    site: ApiSite, exercise: Exercise
) -> None:
    site.services.injects.fire(exercise.id, "call")
    (message,) = get(site, exercise, trainee(exercise), "messages")
    who = trainee(exercise)
    unknown = post(site, exercise, who, "messages/999/reply", {"text": "x"})
    assert unknown.json()["code"] == "message.unknown"
    empty = post(site, exercise, who, f"messages/{message['id']}/reply", {"text": " "})
    assert (empty.status_code, empty.json()["code"]) == (422, "reply.invalid")
    other = post(
        site, exercise, trainee(exercise, 2), f"messages/{message['id']}/reply", {"text": "x"}
    )
    assert other.status_code == 404


# Files of messages


def opened(site: ApiSite, who: str, path: str) -> tuple[httpx.Response, httpx.Response]:
    """Return a file as somebody gets it from the interface, and on a page."""
    return (
        site.web.get(f"/api/v1{path}", headers=site.bearer(who)),
        site.page(who, path),
    )


def test_files_of_a_message_are_listed_and_handed_out_to_its_team_and_to_observers(
    site: ApiSite, exercise: Exercise
) -> None:
    site.services.injects.fire(exercise.id, "call")
    (message,) = get(site, exercise, trainee(exercise), "messages")
    assert message["files"] == [
        {"number": 1, "name": "door.html", "size": len(DOOR)},
        {"number": 2, "name": "the insurer's “letter” ü.txt", "size": None},
    ]
    path = f"/exercises/{exercise.name}/messages/{message['id']}/files"
    for who in (trainee(exercise), "sara", "ina"):
        for answer in opened(site, who, f"{path}/1"):
            assert (answer.status_code, answer.content) == (200, DOOR)
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"] == 'attachment; filename="door.html"'
            assert answer.headers["x-content-type-options"] == "nosniff"
        for answer in opened(site, who, f"{path}/2"):
            assert answer.text == "To Team 1"
            assert answer.headers["content-disposition"] == (
                'attachment; filename="the insurer_s _letter_ u.txt";'
                " filename*=UTF-8''the%20insurer%27s%20%E2%80%9Cletter%E2%80%9D%20%C3%BC.txt"
            )


def test_files_of_another_teams_message_are_as_unknown_as_those_of_none(
    site: ApiSite, exercise: Exercise
) -> None:
    site.services.injects.fire(exercise.id, "call")
    (message,) = get(site, exercise, trainee(exercise, 2), "messages")
    here = f"/exercises/{exercise.name}/messages"
    codes = {
        f"{here}/{message['id']}/files/1": "message.unknown",
        f"{here}/999/files/1": "message.unknown",
        f"{here}/{int(str(message['id'])) - 1}/files/3": "message.file_unknown",
    }
    for path, code in codes.items():
        from_interface, on_page = opened(site, trainee(exercise), path)
        assert (from_interface.status_code, from_interface.json()["code"]) == (404, code)
        assert on_page.status_code == 404


def test_the_page_links_the_files(site: ApiSite, exercise: Exercise) -> None:
    site.services.injects.fire(exercise.id, "call", team="team-1")
    (message,) = get(site, exercise, trainee(exercise), "messages")
    path = f"/exercises/{exercise.name}/messages/{message['id']}/files"
    for who in (trainee(exercise), "ina"):
        page = site.page(who, f"/exercises/{exercise.name}")
        for number in (1, 2):
            assert f'href="{path}/{number}"' in page.text


# Pages


def test_the_forms_of_the_pages_do_the_same(site: ApiSite, exercise: Exercise) -> None:
    held = form(site, exercise, "ina", "injects/call/hold", {"team": "team-2"})
    assert held.headers["location"] == f"/exercises/{exercise.name}#inject-call"
    form(site, exercise, "ina", "injects/call/fire", {"team": "team-1", "reason": "go"})
    moved = form(site, exercise, "ina", "injects/shift", {"minutes": "-3", "team": ""})
    assert moved.headers["location"] == f"/exercises/{exercise.name}#injects"
    (message,) = get(site, exercise, trainee(exercise), "messages")
    data = {"text": "One.\r\nTwo.", "client_key": "k"}
    path = f"messages/{message['id']}/reply"
    replied = form(site, exercise, trainee(exercise), path, data)
    assert replied.headers["location"] == f"/exercises/{exercise.name}#messages"
    (seen,) = get(site, exercise, "ina", "messages")
    assert [reply["text"] for reply in seen["replies"]] == ["One.\nTwo."]  # type: ignore[attr-defined]


def test_a_refused_form_says_why_on_the_page(site: ApiSite, exercise: Exercise) -> None:
    refused = form(site, exercise, "ina", "injects/call/release", {})
    assert refused.status_code == 409
    assert "Call is not held." in refused.text
    site.services.injects.fire(exercise.id, "call")
    (message,) = get(site, exercise, trainee(exercise), "messages")
    site.services.exercises.pause(exercise.id)
    data = {"text": "Hello?", "client_key": "k"}
    late = form(site, exercise, trainee(exercise), f"messages/{message['id']}/reply", data)
    assert late.status_code == 409
    assert "The exercise is paused" in late.text


def test_a_reply_is_shown_as_text(site: ApiSite, exercise: Exercise) -> None:
    site.services.injects.fire(exercise.id, "call")
    (message,) = get(site, exercise, trainee(exercise), "messages")
    body = {"text": "<script>alert(1)</script>"}
    post(site, exercise, trainee(exercise), f"messages/{message['id']}/reply", body)
    for who in ("ina", trainee(exercise)):
        page = site.page(who, f"/exercises/{exercise.name}")
        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert(1)" not in page.text
