"""The checker of a service was defective: said by the interface, on the page and by command."""

import re
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from api.cli import correcting
from api.cli.main import app
from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from orchestrator.ports import RunResult
from tests.fakes.api_site import PASSWORD, ApiSite, api_site
from tests.fakes.duel_site import give_services, play

REASON = "Our checker asked for the old page."


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        give_services(site)
        site.services.users.add("ivo", role=Role.INSTRUCTOR, password=PASSWORD)
        monkeypatch.setattr(correcting, "services_ready", lambda: nullcontext(site.services))
        yield site


def played(site: ApiSite) -> tuple[Exercise, dict[str, str]]:
    """Play a round, and one in which checkers find every service down; return when that was."""
    exercise = site.launch()
    play(site)
    site.clock.advance(timedelta(minutes=3))
    site.engine.on_visit = lambda *_: RunResult(exit_code=2, output="")
    since = site.clock.now() + timedelta(seconds=1)
    play(site)
    site.clock.advance(timedelta(minutes=3))
    play(site)
    return exercise, {"since": _told(since), "until": _told(since + timedelta(minutes=2))}


def _told(at: datetime) -> str:
    """Return a time as a browser sends it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def call(
    site: ApiSite, who: str, exercise: Exercise, path: str, body: Mapping[str, object] | None = None
) -> httpx.Response:
    url = f"/api/v1/exercises/{exercise.name}/{path}"
    method = "GET" if body is None else "POST"
    return site.web.request(method, url, json=body, headers=site.bearer(who))


def amendment(window: Mapping[str, str], **what: str | None) -> dict[str, object]:
    in_utc = {name: f"{text}Z" for name, text in window.items()}
    return {"amendment": {"kind": "defective", **what, **in_utc}, "reason": REASON}


def poligon(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["score", *arguments])


def test_two_instructors_say_it_by_the_interface_and_teams_read_why(site: ApiSite) -> None:
    exercise, window = played(site)
    sent = amendment(window, service="locker")
    proposed = call(site, "ina", exercise, "corrections", sent).json()
    assert proposed["amendment"]["service"] == "locker"
    here = f"corrections/{proposed['id']}"
    seen = call(site, "ivo", exercise, f"{here}/preview").json()
    assert [(t["before"], t["after"]) for t in seen["teams"]] == [(2.828, 4.242)] * 2
    assert seen["teams"][0]["tasks"][0]["task"] == "attack defence"
    approved = call(site, "ivo", exercise, f"{here}/approve", {"digest": seen["digest"]})
    assert approved.json()["state"] == "approved"
    trainee = exercise.teams[0].members[0].name
    (told,) = call(site, trainee, exercise, "teams/team-1/corrections").json()
    assert (told["reason"], told["tasks"]) == (REASON, {"attack defence": 1.414})
    board = call(site, trainee, exercise, "services").json()
    services = board["teams"][0]["services"]
    assert [services[name]["verdict"] for name in ("locker", "slots")] == ["infra_error", "down"]
    assert board["teams"][0]["points"] == 4.242


def test_it_is_said_on_the_page_and_teams_read_why_on_theirs(site: ApiSite) -> None:
    exercise, window = played(site)
    here = f"/exercises/{exercise.name}/corrections"
    shown = site.page("ina", here).text
    assert "The checker of a service was defective" in shown
    ids = re.findall(r' id="([^"]+)"', shown)
    assert len(ids) == len(set(ids))
    form = {"kind": "defective", "service": "locker", "reason": REASON, **window}
    preview = site.form("ina", here, form).headers["location"].rsplit("/", 1)[1]
    looked = site.page("ivo", f"{here}/{preview}").text
    assert "defective service locker" in looked
    assert "2.828 → 4.242" in looked
    digest = re.search(r'name="digest" value="(\w+)"', looked)
    assert digest is not None
    approved = site.form("ivo", f"{here}/{preview}/approve", {"digest": digest[1]})
    assert approved.status_code == 303
    read = site.page(exercise.teams[0].members[0].name, here).text
    assert REASON in read
    assert "Attack and defence: +1.414 points" in read


def test_it_is_said_by_command(site: ApiSite) -> None:
    exercise, window = played(site)
    says = ("propose", exercise.name, "defective", "--reason", REASON, "--by", "ina")
    times = ("--since", window["since"], "--until", window["until"])
    proposed = poligon(*says, *times, "--service", "locker")
    assert proposed.exit_code == 0, proposed.output
    assert "defective service locker" in proposed.stdout
    assert "attack defence 2.828 → 4.242" in proposed.stdout
    for wrong, told in (
        (("--service", "lockers"), "no service 'lockers'"),
        (("--service", "locker", "--check", "shut"), "name a check or a service"),
        ((), "name a check or a service"),
    ):
        refused = poligon(*says, *times, *wrong)
        assert refused.exit_code == 2
        assert told in refused.stderr
    backwards = ("--since", window["until"], "--until", window["since"], "--service", "locker")
    assert "until comes after since" in poligon(*says, *backwards).stderr


def test_what_is_no_defect_of_a_checker_is_refused(site: ApiSite) -> None:
    exercise, window = played(site)
    backwards = {"since": window["until"], "until": window["since"]}
    empty = {"since": window["since"], "until": window["since"]}
    for sent, told in (
        (amendment(window, service="lockers"), "no service 'lockers'"),
        (amendment(window, service="locker", check="shut"), "name a check or a service"),
        (amendment(window), "name a check or a service"),
        (amendment(window, service=None, check=None), "name a check or a service"),
        (amendment(backwards, service="locker"), "until comes after since"),
        (amendment(empty, service="locker"), "until comes after since"),
    ):
        refused = call(site, "ina", exercise, "corrections", sent)
        assert refused.status_code == 422
        assert told in refused.text
    assert call(site, "ina", exercise, "corrections").json() == []


def test_what_rounds_move_is_never_taken_from_whoever_proposes(site: ApiSite) -> None:
    exercise, window = played(site)
    sent = {**amendment(window, service="locker"), "rounds": {"0123456789ab": 1_000_000}}
    proposed = call(site, "ina", exercise, "corrections", sent).json()
    seen = call(site, "ivo", exercise, f"corrections/{proposed['id']}/preview").json()
    assert [t["after"] for t in seen["teams"]] == [4.242] * 2
