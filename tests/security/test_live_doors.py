"""Who may open which WebSocket, and from which pages.

No gateway runs: who is let through is told that it is away, everybody else something earlier.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import product

import pytest
from fastapi.routing import APIWebSocketRoute
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from api.live import terminal as live
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import ApiSite, api_site

ROLES = ("stranger", "trainee", "staff", "instructor", "admin")
LOGGED_IN = set(ROLES) - {"stranger"}
INSTRUCTORS = {"instructor", "admin"}
DOORS = {
    "/live/terminal": LOGGED_IN,
    "/live/watch/{exercise}/{session}": INSTRUCTORS,
    "/live/join/{exercise}/{session}": INSTRUCTORS,
}
AWAY = "gateway.away"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def exercise(site: ApiSite) -> Exercise:
    return site.launch()


@pytest.fixture(scope="module")
def people(exercise: Exercise) -> dict[str, str]:
    trainee = exercise.teams[0].members[0].name
    return {"trainee": trainee, "staff": "sara", "instructor": "ina", "admin": "root"}


def knock(
    site: ApiSite, path: str, *, name: str = "", origin: str | None = None
) -> ClientConnection:
    """Open a WebSocket as a page does; without `origin` one of the site's own pages."""
    return connect(
        site.url.replace("http", "ws") + path,
        additional_headers={
            **site.cookie(name),
            **({"Origin": origin} if origin is not None else {}),
        },
        open_timeout=60,
    )


def refusal(page: ClientConnection) -> tuple[str, int | None]:
    """Return what the last frame refuses with, and the close code."""
    told = json.loads(page.recv(timeout=60))
    with suppress(ConnectionClosed):
        page.recv(timeout=60)
    return told["code"], page.close_code


def filled(path: str, exercise: Exercise) -> str:
    path = path.replace("{exercise}", exercise.name).replace("{session}", "7k2m9x4c1q0a")
    return f"{path}?reason=to+help" if "join" in path else path


def test_every_websocket_is_in_the_table() -> None:
    routes = {route.path for route in live.router.routes if isinstance(route, APIWebSocketRoute)}
    assert routes == DOORS.keys()


@pytest.mark.parametrize(("door", "role"), list(product(DOORS, ROLES)))
def test_a_door_opens_for_whom_the_table_names(
    site: ApiSite, exercise: Exercise, people: dict[str, str], door: str, role: str
) -> None:
    name = people.get(role, "")
    with knock(site, filled(door, exercise), name=name, origin=site.url) as page:
        code, closed = refusal(page)
    assert (code == AWAY) == (role in DOORS[door]), code
    assert closed == (1013 if role in DOORS[door] else 4403)


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.test",
        "http://127.0.0.1",
        "http://127.0.0.1.evil.test",
        "http://evil.test/?http://127.0.0.1",
    ],
)
@pytest.mark.parametrize("door", DOORS)
def test_a_page_of_another_site_opens_none_although_the_browser_sends_the_cookie(
    site: ApiSite, exercise: Exercise, door: str, origin: str | None
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        knock(site, filled(door, exercise), name="root", origin=origin)
    assert refused.value.response.status_code == 403


def test_a_bearer_token_and_a_token_in_the_address_open_none(
    site: ApiSite, exercise: Exercise
) -> None:
    for path, headers in [
        ("/live/terminal", site.bearer("root")),
        (f"/live/terminal?token={site.token('root')}", {}),
    ]:
        with connect(
            site.url.replace("http", "ws") + path,
            additional_headers={"Origin": site.url, **headers},
            open_timeout=60,
        ) as page:
            assert refusal(page)[0] == "login.required"


def test_nobody_joins_without_a_reason(site: ApiSite, exercise: Exercise) -> None:
    for reason in ("", "?reason=", "?reason=%20%20"):
        path = f"/live/join/{exercise.name}/7k2m9x4c1q0a{reason}"
        with knock(site, path, name="ina", origin=site.url) as page:
            assert refusal(page)[0] == "terminal.reason_missing"


@pytest.mark.parametrize(
    "query",
    [
        "?host=../desk",
        "?host=desk%0d%0aX",
        "?host=-oProxyCommand=id",
        "?columns=0",
        "?rows=1000000",
        "?session=../s",
    ],
)
def test_a_terminal_that_cannot_be_is_not_asked_of_a_gateway(
    site: ApiSite, people: dict[str, str], query: str
) -> None:
    with (
        knock(site, f"/live/terminal{query}", name=people["trainee"], origin=site.url) as page,
        pytest.raises(ConnectionClosed),
    ):
        page.recv(timeout=60)
    assert page.close_code == 1007
