"""Reading what is kept of sessions, over HTTP and on the command line."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import recordings
from api.cli.main import app
from orchestrator.access import Access
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import ApiSite, api_site
from tests.fakes.session_book import CAST, recorded_session

SESSION = "7k2m9x4c1q0a"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def exercise(site: ApiSite) -> Exercise:
    file = site.services.settings.scenarios / "house" / "scenario.yaml"
    told = "record: {terminal: true}\n    networks: {office: {}}\n    accounts"
    scenario = file.read_text()
    assert "networks: {office: {}}\n    accounts" in scenario
    file.write_text(scenario.replace("networks: {office: {}}\n    accounts", told, 1))
    exercise = site.launch()
    recorded_session(site.services, exercise, SESSION)
    return exercise


def test_staff_read_who_did_what_and_play_the_terminal(site: ApiSite, exercise: Exercise) -> None:
    asked = site.bearer("sara")
    (found,) = site.web.get(f"/api/v1/exercises/{exercise.name}/sessions", headers=asked).json()
    assert (found["id"], found["team"], found["host"]) == (SESSION, "team-1", "desk")
    details = site.web.get(f"/api/v1/sessions/{SESSION}", headers=asked).json()
    assert [command["line"] for command in details["commands"]] == ["id"]
    cast = site.web.get(f"/api/v1/sessions/{SESSION}/cast", headers=asked)
    assert (cast.content, cast.headers["content-type"]) == (CAST, "application/x-asciicast")


def test_sessions_are_listed_by_what_is_asked_for_and_page_by_page(
    site: ApiSite, exercise: Exercise
) -> None:
    asked = site.bearer("ina")
    there = f"/api/v1/exercises/{exercise.name}/sessions"
    assert site.web.get(f"{there}?team=team-2", headers=asked).json() == []
    assert site.web.get(f"{there}?host=safe", headers=asked).json() == []
    first = site.web.get(f"{there}?limit=1&team=team-1", headers=asked)
    assert first.links["next"]["url"].endswith(f"before={SESSION}")
    assert site.web.get(first.links["next"]["url"], headers=asked).json() == []


@pytest.mark.parametrize("odd", ["a%00b", "..%2Fx", "x" * 100])
def test_ids_that_cannot_be_are_refused(site: ApiSite, exercise: Exercise, odd: str) -> None:
    asked = site.bearer("ina")
    there = f"/api/v1/exercises/{exercise.name}/sessions"
    for url in (f"{there}?team={odd}", f"{there}?before={odd}", f"/api/v1/sessions/{odd}/cast"):
        assert site.web.get(url, headers=asked).status_code in {404, 422}


def test_a_changed_recording_is_told_and_not_handed_out(site: ApiSite) -> None:
    file = recorded_session(site.services, site.launch(), "changed")
    file.write_bytes(CAST.replace(b"hello", b"jello"))
    answer = site.web.get("/api/v1/sessions/changed/cast", headers=site.bearer("ina"))
    assert (answer.status_code, answer.json()["code"]) == (409, "recording.changed")
    assert "SHA-256" in answer.json()["detail"]


def test_the_command_line_lists_sessions_and_saves_a_recording(
    site: ApiSite, exercise: Exercise, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "services_ready", lambda: nullcontext(site.services))
    run = CliRunner().invoke
    listed = run(app, ["exercise", "sessions", exercise.name, "--user", "nobody", "--json"])
    assert json.loads(listed.stdout) == []
    listed = run(app, ["exercise", "sessions", exercise.name, "--json"])
    assert SESSION in [found["id"] for found in json.loads(listed.stdout)]
    assert SESSION in run(app, ["exercise", "sessions", exercise.name]).stdout
    target = tmp_path / "desk.cast"
    saved = run(app, ["exercise", "recording", SESSION, "-o", str(target)])
    assert (saved.exit_code, target.read_bytes()) == (0, CAST)
    missing = run(app, ["exercise", "recording", "nothing", "-o", str(target)])
    assert missing.exit_code == 3


def test_trainees_are_told_before_they_enter(site: ApiSite, exercise: Exercise) -> None:
    who = exercise.teams[0].members[0].name
    asked = site.web.get(
        f"/api/v1/exercises/{exercise.name}/access", headers=site.bearer(who)
    ).json()
    assert [(told["host"], told["notice"]) for told in asked["recorded"]] == [
        ("desk", "Terminals and what commands show are recorded.")
    ]
    page = site.page(who, f"/exercises/{exercise.name}").text
    assert "Terminals and what commands show are recorded." in page
    entry = Access(site.services.users, site.services.exercises).enter(who)
    assert entry.greeting.startswith("Terminals and what commands show are recorded.\r\nThe house")
    assert entry.record.terminal
    assert not entry.record.commands
