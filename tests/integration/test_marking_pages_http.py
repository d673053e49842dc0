"""Handing in and marking by the forms of the pages, and what an upload may not do."""

import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import PASSWORD, ApiSite, api_site
from tests.integration.test_tabletop_http import TABLE

REPORT = b"# <b>What</b> happened\n"


@dataclass(kw_only=True)
class Desk:
    """A running tabletop of two teams, its pages, and Anna who marks alone."""

    site: ApiSite
    exercise: Exercise

    @property
    def trainee(self) -> str:
        return self.exercise.teams[0].members[0].name

    def get(self, who: str, path: str) -> httpx.Response:
        return self.site.page(who, f"/exercises/{self.exercise.name}{path}")

    def post(
        self,
        who: str,
        path: str,
        data: Mapping[str, str],
        file: tuple[str, bytes] | None = None,
    ) -> httpx.Response:
        return self.site.form(who, f"/exercises/{self.exercise.name}{path}", data, file=file)

    def hand_in(self, name: str, content: bytes, key: str = "k") -> httpx.Response:
        return self.post(
            self.trainee, "/tasks/note/deliveries", {"client_key": key}, (name, content)
        )

    def revisions(self) -> list[str]:
        path = f"/api/v1/exercises/{self.exercise.name}/deliveries"
        (offer,) = self.site.web.get(path, headers=self.site.bearer(self.trainee)).json()
        return [revision["name"] for revision in offer["revisions"]]

    def files(self) -> list[Path]:
        folder = self.site.services.settings.uploads()
        return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    folder = tmp_path_factory.mktemp("desk")
    with api_site(folder) as site:
        (folder / "scenarios" / "table").mkdir()
        (folder / "scenarios" / "table" / "scenario.yaml").write_text(TABLE)
        site.services.users.add("anna", role=Role.ASSESSOR, password=PASSWORD)
        yield site


@pytest.fixture
def desk(site: ApiSite) -> Desk:
    wanted = {"scenario": "table", "teams": 2}
    made = site.web.post("/api/v1/exercises", json=wanted, headers=site.bearer("ina"))
    site.work()
    exercises = site.services.exercises
    exercise = exercises.start(exercises.get(made.json()["name"]).id)
    site.services.marking.appoint(exercise, site.user("anna"))
    site.clock.advance(timedelta(minutes=6))  # beyond what uploads are counted for
    site.services.injects.sweep()
    return Desk(site=site, exercise=exercise)


def test_a_file_is_handed_in_by_a_form_and_marked_by_another(desk: Desk) -> None:
    assert "Nothing is handed in yet." in desk.get(desk.trainee, "").text
    assert desk.hand_in("Report of Ana.md", REPORT).status_code == 303
    assert desk.hand_in("Report of Ana.md", REPORT).status_code == 303  # sent again
    page = desk.get(desk.trainee, "").text
    assert page.count("Report of Ana.md") == 1
    desk.site.services.exercises.end(desk.exercise.id)
    case = desk.get("anna", "/marking/note/team-1").text
    assert "&lt;b&gt;What&lt;/b&gt; happened" in case
    assert "note-1.md" in case
    assert "Report of Ana" not in case
    lacking = desk.post("anna", "/marking/note/team-1", {"level-facts": "1", "act": "hand_in"})
    assert lacking.status_code == 422
    assert "A level or a reason is missing: facts." in lacking.text
    assert 'value="1" checked' in lacking.text
    draft = {"level-facts": "0", "reason-facts": "all\r\nof it", "act": "keep"}
    assert desk.post("anna", "/marking/note/team-1", draft).status_code == 303
    assert "all\nof it</textarea>" in desk.get("anna", "/marking/note/team-1").text
    done = {"level-facts": "1", "reason-facts": "=all", "act": "hand_in"}
    assert desk.post("anna", "/marking/note/team-1", done).status_code == 303
    press = {"place": "call", "level-tone": "1", "reason-tone": "short", "act": "hand_in"}
    assert desk.post("anna", "/marking/note/team-1", press).status_code == 303
    assert "Marked: 40 of 40 points" in desk.get(desk.trainee, "").text
    assert "=all" not in desk.get(desk.trainee, "").text
    assert desk.post("ina", "/tasks/note/release", {}).status_code == 303
    assert "=all" in desk.get(desk.trainee, "").text
    exported = desk.get("sara", "/marks.csv")
    assert "'=all" in exported.text
    assert exported.headers["content-disposition"].startswith("attachment")


def test_a_refusal_is_told_at_the_task_and_nothing_stays(desk: Desk) -> None:
    kept = len(desk.files())
    tries = {
        "is of another type than odt or md": ("x.exe", b"a"),
        "is no odt by its content": ("x.odt", b"a"),
        "is empty": ("x.md", b""),
        "has more than 1048576 bytes": ("x.md", b"a" * (3 * 2**20)),
    }
    for why, (name, content) in tries.items():
        refused = desk.hand_in(name, content)
        assert refused.status_code == 422, refused.text
        assert why in refused.text
        assert refused.text.index('id="task-note"') < refused.text.index(why)
    nothing = desk.post(desk.trainee, "/tasks/note/deliveries", {"client_key": "k"}, ("", b""))
    assert "No file was chosen." in nothing.text
    garbled = desk.site.web.post(
        f"/exercises/{desk.exercise.name}/tasks/note/deliveries",
        content=b"--x\r\nContent-",
        headers={
            "Origin": desk.site.url,
            "Content-Type": "multipart/form-data; boundary=y",
            **desk.site.cookie(desk.trainee),
        },
    )
    assert garbled.status_code == 422
    assert (desk.revisions(), len(desk.files())) == ([], kept)


def test_what_is_larger_than_any_task_takes_is_refused_by_its_declared_length(desk: Desk) -> None:
    path = f"/api/v1/exercises/{desk.exercise.name}/tasks/note/deliveries?file=x.md"
    url = urlsplit(desk.site.url)
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=60) as connection:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {url.netloc}\r\n"
            f"Authorization: Bearer {desk.site.token(desk.trainee)}\r\n"
            f"Content-Length: {101 * 2**20}\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_a_stranger_and_the_staff_send_no_file(desk: Desk) -> None:
    path = f"/api/v1/exercises/{desk.exercise.name}/tasks/note/deliveries?file=x.md"
    for headers, status in (({}, 401), (desk.site.bearer("sara"), 403)):
        refused = desk.site.web.post(path, content=b"a" * 2**20, headers=headers)
        assert refused.status_code == status


def test_who_sends_too_many_waits_and_others_do_not(desk: Desk) -> None:
    codes = [desk.hand_in("x.exe", b"a").status_code for _ in range(21)]
    assert codes == [422] * 20 + [429]
    other = desk.exercise.teams[1].members[0].name
    path = f"/api/v1/exercises/{desk.exercise.name}/tasks/note/deliveries?file=x.md"
    taken = desk.site.web.post(path, content=REPORT, headers=desk.site.bearer(other))
    assert taken.status_code == 201, taken.text
    desk.site.clock.advance(timedelta(minutes=6))
    assert desk.hand_in("x.md", REPORT).status_code == 303


def test_a_team_looks_at_itself_and_at_no_other(desk: Desk) -> None:
    assert desk.hand_in("x.md", REPORT).status_code == 303
    own = desk.post(desk.trainee, "/tasks/note/own-marks", {"level-facts": "1", "level-tone": ""})
    assert own.status_code == 303
    assert 'value="1" selected' in desk.get(desk.trainee, "").text
    found = desk.site.web.get(
        f"/api/v1/exercises/{desk.exercise.name}/deliveries", headers=desk.site.bearer(desk.trainee)
    ).json()
    delivery = found[0]["revisions"][0]["id"]
    other = desk.exercise.teams[1].members[0].name
    assert desk.get(desk.trainee, f"/deliveries/{delivery}").content == REPORT
    assert desk.get(other, f"/deliveries/{delivery}").status_code == 404
    assert desk.get(other, "/marking/note/team-1").status_code == 403


def test_instructors_appoint_by_name_and_learn_who_cannot(desk: Desk) -> None:
    assert desk.post("ina", "/assessors", {"assessor": "sara"}).status_code == 303
    assert "sara" in desk.get("ina", "/marking").text
    refused = desk.post("ina", "/assessors", {"assessor": desk.trainee})
    assert refused.status_code == 403
    assert "is a trainee." in refused.text
    assert desk.post("ina", "/assessors/dismiss", {"assessor": "sara"}).status_code == 303
    assert desk.site.services.marks.assessors(desk.exercise) == ("anna",)
