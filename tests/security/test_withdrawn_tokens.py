"""A token that was withdrawn: at once where that was done, and within a second elsewhere."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from api.auth import COOKIE
from core.users.service import Users
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import PASSWORD, ApiSite, api_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def exercise(site: ApiSite) -> Exercise:
    return site.launch(teams=1)


def told(site: ApiSite, exercise: Exercise, token: str) -> set[int]:
    """Return what the interface, its boards and a page answer to who has the token."""
    bearer = {"Authorization": f"Bearer {token}"}
    cookie = {"Cookie": f"{COOKIE}={token}"}
    board = f"/api/v1/exercises/{exercise.name}/board"
    asked = [
        *(site.web.get("/api/v1/me", headers=bearer) for _ in range(2)),
        *(site.web.get(board, headers=bearer) for _ in range(2)),
        *(site.web.get("/exercises", headers=cookie) for _ in range(2)),
        site.web.post(
            f"/api/v1/exercises/{exercise.name}/answers",
            json={"task": "who", "value": "nobody"},
            headers=bearer,
        ),
    ]
    return {answer.status_code for answer in asked}


@pytest.mark.parametrize("how", ["logout", "page", "password", "code"])
def test_a_withdrawn_token_opens_nothing_from_then_on(
    site: ApiSite, exercise: Exercise, how: str
) -> None:
    name = exercise.teams[0].members[0].name
    token = site.services.users.issue_token(site.user(name))
    assert told(site, exercise, token) == {200}
    here = {"Sec-Fetch-Site": "same-origin"}
    if how == "logout":
        bearer = {"Authorization": f"Bearer {token}"}
        assert site.web.post("/api/v1/logout", headers=bearer).status_code == 204
    elif how == "page":
        left = site.web.post("/logout", headers={"Cookie": f"{COOKIE}={token}", **here})
        assert left.status_code == 303
    elif how == "password":
        site.services.users.set_password(name, PASSWORD)
    else:
        code, _ = site.services.users.codes.issue(name)
        sent = {"name": name, "code": code, "password": PASSWORD, "again": PASSWORD}
        assert site.web.post("/login/password", data=sent, headers=here).status_code == 303
    assert told(site, exercise, token) == {401, 303}


def test_a_token_that_another_process_withdrew_opens_nothing_after_a_second(
    site: ApiSite, exercise: Exercise
) -> None:
    name = exercise.teams[0].members[0].name
    token = site.services.users.issue_token(site.user(name))
    assert told(site, exercise, token) == {200}
    Users(site.services.database, site.clock).set_password(name, PASSWORD)
    site.clock.advance(timedelta(seconds=1))
    assert told(site, exercise, token) == {401, 303}
