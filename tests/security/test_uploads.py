"""Attacks by and on what teams hand in, and on whoever marks it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import PASSWORD, ApiSite, api_site

DESK = """\
language: 1
scenario: {id: desk, version: 1.0.0, title: The desk, kind: tabletop, duration: 1h}
roles: {envoy: {side: blue}}
tasks:
  note: {title: A note, ask: Write., submit: {files: [md, html], max: 1m}, rubric: note, points: 4}
rubrics: {note: {criteria: {facts: {levels: {0: none, 1: all}}}}}
"""
SCRIPT = b"<html><script>alert(document.cookie)</script></html>"


@dataclass(kw_only=True)
class Desk:
    site: ApiSite
    exercise: Exercise

    def member(self, team: int = 1) -> str:
        return self.exercise.teams[team - 1].members[0].name

    def call(self, who: str, method: str, path: str, content: bytes = b"") -> httpx.Response:
        url = f"/api/v1/exercises/{self.exercise.name}{path}"
        headers = self.site.bearer(who) if who else {}
        return self.site.web.request(method, url, content=content, headers=headers)

    def hand_in(self, name: str, content: bytes = SCRIPT) -> str:
        taken = self.call(self.member(), "POST", f"/tasks/note/deliveries?file={name}", content)
        assert taken.status_code == 201, taken.text
        return str(taken.json()["id"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    folder = tmp_path_factory.mktemp("desk")
    with api_site(folder) as site:
        (folder / "scenarios" / "desk").mkdir()
        (folder / "scenarios" / "desk" / "scenario.yaml").write_text(DESK)
        for name in ("anna", "elsewhere"):
            site.services.users.add(name, role=Role.ASSESSOR, password=PASSWORD)
        yield site


def launched(site: ApiSite, assessor: str) -> Desk:
    wanted = {"scenario": "desk", "teams": 2}
    made = site.web.post("/api/v1/exercises", json=wanted, headers=site.bearer("ina"))
    site.work()
    exercises = site.services.exercises
    exercise = exercises.start(exercises.get(made.json()["name"]).id)
    site.services.marking.appoint(exercise, site.user(assessor))
    return Desk(site=site, exercise=exercise)


@pytest.fixture(scope="module")
def desk(site: ApiSite) -> Desk:
    launched(site, "elsewhere")
    return launched(site, "anna")


@pytest.mark.parametrize(
    "name", ["..%2F..%2F..%2Fx.md", "%2Fetc%2Fcron.d%2Fx.md", "x%00.md", "-rf.md", "x%0Ay.md"]
)
def test_a_name_that_climbs_leads_nowhere(desk: Desk, tmp_path: Path, name: str) -> None:
    before = set(tmp_path.parent.rglob("x*.md"))
    delivery = desk.hand_in(name)
    uploads = desk.site.services.settings.uploads()
    for path in uploads.rglob("*"):
        assert path.is_dir() or (len(path.name) == 64 and path.name.isalnum())
    assert set(tmp_path.parent.rglob("x*.md")) == before
    found = desk.call("anna", "GET", f"/deliveries/{delivery}")
    assert found.headers["content-disposition"].startswith('attachment; filename="team-1-note-')


def test_a_page_that_was_handed_in_never_runs_here(desk: Desk) -> None:
    delivery = desk.hand_in("x.html")
    for base in ("/api/v1", ""):
        path = f"{base}/exercises/{desk.exercise.name}/deliveries/{delivery}"
        found = desk.site.page("sara", path, desk.site.bearer("sara"))
        assert found.content == SCRIPT
        assert found.headers["content-type"] == "application/octet-stream"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["content-disposition"].startswith("attachment")
    page = desk.site.page("anna", f"/exercises/{desk.exercise.name}/marking/note/team-1")
    assert "&lt;script&gt;alert" in page.text
    assert "<script>alert" not in page.text


def test_a_file_is_nobodys_but_its_teams_its_staffs_and_its_assessors(desk: Desk) -> None:
    delivery = desk.hand_in("x.md")
    found = {
        who: desk.call(who, "GET", f"/deliveries/{delivery}").status_code
        for who in ("", desk.member(), desk.member(2), "sara", "ina", "anna", "elsewhere")
    }
    assert found == {
        "": 401,
        desk.member(): 200,
        desk.member(2): 404,
        "sara": 200,
        "ina": 200,
        "anna": 200,
        "elsewhere": 404,
    }
    static = desk.site.page("", f"/static/%2e%2e/uploads/{delivery}")
    assert static.status_code == 404


def test_a_blind_assessor_learns_no_names_from_anything_they_may_ask(desk: Desk) -> None:
    desk.hand_in("x.md")
    name = desk.exercise.name
    described = desk.site.web.get("/api/v1/openapi.json").json()["paths"]
    asked = 0
    for path, methods in described.items():
        if "get" not in methods or "{name}" not in path or "{delivery}" in path:
            continue
        url = path.replace("{name}", name).replace("{team}", "team-1").replace("{task}", "note")
        for old in ("{message}", "{number}", "{session}", "{user}"):
            url = url.replace(old, "1")
        told = desk.site.web.get(url, headers=desk.site.bearer("anna"))
        asked += 1
        assert told.status_code in {200, 403, 404}, (url, told.text)
        for team in desk.exercise.teams:
            assert not [m.name for m in team.members if m.name in told.text], url
    assert asked > 10


def test_an_assessor_changes_no_mark_of_another_and_none_that_is_handed_in(desk: Desk) -> None:
    other = launched(desk.site, "anna")
    other.hand_in("x.md")
    other.site.services.exercises.end(other.exercise.id)

    def mark(who: str, level: int) -> int:
        body = {"marks": {"facts": {"level": level, "reason": "x"}}, "hand_in": True}
        url = f"/api/v1/exercises/{other.exercise.name}/marking/note/team-1"
        return other.site.web.put(url, json=body, headers=other.site.bearer(who)).status_code

    assert mark("elsewhere", 1) == 404
    assert mark(other.member(), 1) == 403
    assert mark("anna", 1) == 204
    assert mark("anna", 0) == 409
    assert other.site.services.scoring.board(other.exercise).rows[0].milli_points == 4000
