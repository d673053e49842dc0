"""Rosters, roles, codes and SSH settings, through the interface and the pages."""

import io
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.access import public_key_file
from api.auth import COOKIE
from api.ssh_config import hosts_of, ssh_config
from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import KEY, ApiSite, api_site

pytestmark = [pytest.mark.enable_socket]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as site:
        for name in ("ana", "ben", "cem", "dea"):
            site.services.users.add(name, role=Role.TRAINEE)
        public_key_file(site.services.settings).write_text(KEY)
        yield site


@pytest.fixture(scope="module")
def exercise(site: ApiSite) -> Exercise:
    return site.launch(teams=1)


def sent(site: ApiSite, method: str, path: str, body: object, *, by: str = "ina") -> httpx.Response:
    return site.web.request(method, f"/api/v1{path}", json=body, headers=site.bearer(by))


def test_a_launch_says_who_plays_whom_and_gives_codes_to_those_without_a_way_in(
    site: ApiSite,
) -> None:
    teams = [{"name": "North", "members": ["ana", {"name": "ben", "role": "analyst"}]}]
    launched = sent(site, "POST", "/exercises", {"scenario": "house", "teams": teams})
    assert launched.status_code == 201
    shown = launched.json()
    assert shown["teams"][0]["roles"] == {"ana": "analyst", "ben": "analyst"}
    logins = sent(site, "POST", f"/exercises/{shown['name']}/logins", None).json()
    assert [(login["user"], login["password"]) for login in logins] == [("ana", ""), ("ben", "")]
    assert site.services.users.codes.fits("ana", logins[0]["code"])
    assert logins[0]["command"].endswith("ana@range.test")
    assert logins[0]["known_hosts"].startswith("[range.test]:")
    assert logins[0]["fingerprint"].startswith("SHA256:")


def test_a_launch_with_a_wrong_role_is_refused_with_the_roles(site: ApiSite) -> None:
    teams = [{"name": "North", "members": [{"name": "cem", "role": "boss"}]}]
    refused = sent(site, "POST", "/exercises", {"scenario": "house", "teams": teams})
    assert refused.status_code == 422
    assert refused.json()["code"] == "exercise.role_unknown"
    assert "Its roles are analyst" in refused.json()["hint"]


def test_a_role_is_changed_by_instructors_and_must_be_one(
    site: ApiSite, exercise: Exercise
) -> None:
    user = exercise.teams[0].members[0].name
    there = f"/exercises/{exercise.name}/members/{user}/role"
    assert sent(site, "PUT", there, {"role": "analyst"}).json() == {
        "user": user,
        "role": "analyst",
    }
    assert sent(site, "PUT", there, {"role": "boss"}).json()["code"] == "exercise.role_unknown"
    nobody = there.replace(user, "nobody")
    assert sent(site, "PUT", nobody, {"role": "analyst"}).status_code == 404


def test_instructors_make_codes_for_trainees_and_administrators_for_everybody(
    site: ApiSite,
) -> None:
    made = sent(site, "POST", "/users/dea/code", {"hours": 2})
    assert made.status_code == 201
    assert site.services.users.codes.fits("dea", made.json()["code"])
    taken = sent(site, "POST", "/users/root/code", {})
    assert (taken.status_code, taken.json()["code"]) == (403, "code.forbidden")
    assert sent(site, "POST", "/users/ina/code", {}).status_code == 403
    assert sent(site, "POST", "/users/ina/code", {}, by="root").status_code == 201
    assert sent(site, "POST", "/users/nobody/code", {}).status_code == 404


def test_a_code_lets_in_at_the_page_once_and_asks_for_a_password(site: ApiSite) -> None:
    def post(path: str, **form: str) -> httpx.Response:
        return site.form("", path, {"name": "dea", **form})

    users = site.services.users
    code, _ = users.codes.issue("dea")
    asked = post("/login", password=code, next="/terminal")
    assert (asked.status_code, COOKIE in asked.cookies) == (200, False)
    assert "Choose a password" in asked.text
    chosen = {"code": code, "next": "/terminal"}
    short = post("/login/password", **chosen, password="short", again="short")
    assert (short.status_code, "at least 10 characters" in short.text) == (422, True)
    unlike = post("/login/password", **chosen, password="long enough", again="Long enough")
    assert (unlike.status_code, "not the same" in unlike.text) == (422, True)
    assert users.codes.fits("dea", code)
    let_in = post("/login/password", **chosen, password="long enough", again="long enough")
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/terminal")
    assert users.of_token(let_in.cookies[COOKIE]) == users.named("dea")
    assert users.password_fits("dea", "long enough")
    used = post("/login/password", **chosen, password="another one", again="another one")
    assert (used.status_code, "was used" in used.text) == (401, True)
    assert users.password_fits("dea", "long enough")


def test_the_form_takes_a_roster_and_shows_what_is_wrong_with_it(site: ApiSite) -> None:
    def post(roster: str) -> httpx.Response:
        sent = {"scenario": "house", "teams": "1", "roster": roster}
        return site.form("ina", "/exercises", sent)

    wrong = post("North,cem\ndea\n")
    assert wrong.status_code == 422
    assert " 2 of the roster" in wrong.text
    assert "North,cem\ndea" in wrong.text
    right = post("North,cem,analyst\nSouth,dea\n")
    assert right.status_code == 303
    name = right.headers["location"].rpartition("/")[2]
    launched = site.services.exercises.get(name)
    assert [(t.slug, [m.name for m in t.members]) for t in launched.teams] == [
        ("north", ["cem"]),
        ("south", ["dea"]),
    ]


def test_the_sheet_of_logins_has_the_servers_key(site: ApiSite, exercise: Exercise) -> None:
    sheet = site.form("ina", f"/exercises/{exercise.name}/logins")
    assert "SHA256:" in sheet.text
    assert "[range.test]:2222 ssh-ed25519" in sheet.text


def test_a_trainee_downloads_their_own_settings_which_openssh_reads(
    site: ApiSite, exercise: Exercise, tmp_path: Path
) -> None:
    user = exercise.teams[0].members[0].name
    page = site.page(user, f"/exercises/{exercise.name}")
    assert "ssh-config.zip" in page.text
    packed = site.page(user, f"/exercises/{exercise.name}/ssh-config.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as file:
        assert file.namelist() == [f"{exercise.name}/config", f"{exercise.name}/known_hosts"]
        file.extractall(tmp_path)
    assert KEY.split()[1] in (tmp_path / exercise.name / "known_hosts").read_text()
    for host in ("desk", f"desk.{exercise.name}"):
        said = options(tmp_path / exercise.name / "config", host)
        assert said["user"] == f"{user}.desk"
        assert (said["hostname"], said["port"]) == ("range.test", "2222")
        assert said["stricthostkeychecking"] == "true"
        assert said["serveraliveinterval"] == "15"
        assert said["userknownhostsfile"].endswith(f".ssh/{exercise.name}/known_hosts")


def test_settings_of_a_role_without_hosts_can_be_read(site: ApiSite, tmp_path: Path) -> None:
    text = ssh_config(site.services.settings, "x-abc", "ana", (), known_hosts="/k")
    (tmp_path / "config").write_text(text)
    assert options(tmp_path / "config", "desk")["user"] != "ana.desk"


def test_the_host_where_one_lands_comes_first(site: ApiSite, exercise: Exercise) -> None:
    assert hosts_of(site.services, exercise, exercise.teams[0].members[0]) == ("desk",)


def options(config: Path, host: str) -> dict[str, str]:
    """Return what OpenSSH makes of a configuration for a host."""
    said = subprocess.run(["ssh", "-G", "-F", config, host], check=True, capture_output=True)
    pairs = (line.partition(" ") for line in said.stdout.decode().splitlines())
    return {name: value for name, _, value in pairs}
