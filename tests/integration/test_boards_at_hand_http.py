"""A board that is at hand is handed out without a route, a thread or the database, to the same."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest

from core.waiting import until
from orchestrator.domain.exercise import Exercise
from scoring.boards.making import Snapshot
from scoring.domain.boards import Audience
from tests.fakes.api_site import ApiSite, api_site
from tests.fakes.statements import noted_statements

SOON = timedelta(seconds=60)
_OWN = {"x-request-id", "date"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with api_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def exercise(site: ApiSite) -> Exercise:
    return site.launch()


@pytest.fixture(scope="module")
def stranger(site: ApiSite) -> str:
    """Return a trainee of another exercise."""
    return site.launch(teams=1).teams[0].members[0].name


def read(site: ApiSite, exercise: Exercise, name: str, **more: str) -> httpx.Response:
    path = f"/api/v1/exercises/{exercise.name}/board"
    return site.web.get(path, headers={**site.bearer(name), **more})


@pytest.fixture
def rested(site: ApiSite, exercise: Exercise) -> Iterator[Callable[[], None]]:
    """Have every board that was made rest, as none does while the clock of a test stands still."""
    boards = site.services.scoring.boards

    def rest() -> None:
        for kept in boards._kept.values():
            kept.rests_until = site.clock.now() + timedelta(minutes=1)

    yield rest
    for kept in boards._kept.values():
        kept.rests_until = None


def statements(act: Callable[[], httpx.Response]) -> tuple[httpx.Response, int]:
    with noted_statements() as asked:
        return act(), len(asked)


@pytest.mark.parametrize("reader", ["sara", "trainee"])
@pytest.mark.parametrize("packing", ["gzip", "identity"])
def test_it_is_the_answer_that_the_route_gives_and_nothing_is_read_for_it(
    site: ApiSite,
    exercise: Exercise,
    rested: Callable[[], None],
    reader: str,
    packing: str,
) -> None:
    name = exercise.teams[0].members[0].name if reader == "trainee" else reader
    by_route, asked = statements(lambda: read(site, exercise, name, **{"Accept-Encoding": packing}))
    assert asked > 0
    rested()
    at_hand, asked = statements(lambda: read(site, exercise, name, **{"Accept-Encoding": packing}))
    assert asked == 0
    assert at_hand.status_code == by_route.status_code == 200
    assert at_hand.content == by_route.content
    assert at_hand.json()["audience"] == ("staff" if reader == "sara" else "team")
    assert {k: v for k, v in at_hand.headers.items() if k not in _OWN} == {
        k: v for k, v in by_route.headers.items() if k not in _OWN
    }
    known = {"Accept-Encoding": packing, "If-None-Match": at_hand.headers["etag"]}
    again, asked = statements(lambda: read(site, exercise, name, **known))
    assert (again.status_code, again.content, asked) == (304, b"", 0)


def test_it_is_at_hand_for_whom_it_is_meant_alone(
    site: ApiSite, exercise: Exercise, rested: Callable[[], None], stranger: str
) -> None:
    trainee = exercise.teams[0].members[0].name
    for name in ("sara", trainee):
        assert read(site, exercise, name).status_code == 200
    rested()
    site.web.get("/api/v1/me", headers=site.bearer(stranger))
    assert read(site, exercise, stranger).status_code == 404
    path = f"/api/v1/exercises/{exercise.name}/board"
    assert site.web.get(path).status_code == 401
    assert site.web.get(path, headers={"Authorization": "Bearer plg_x"}).status_code == 401
    assert site.page("sara", path).is_error
    as_staff = {"params": {"audience": "staff"}, "headers": site.bearer(trainee)}
    assert site.web.get(path, **as_staff).status_code == 403  # type: ignore[arg-type]
    assert site.web.post(path, headers=site.bearer(trainee)).status_code == 405


def test_who_reads_while_another_makes_a_newer_one_gets_the_last(
    site: ApiSite, exercise: Exercise
) -> None:
    read(site, exercise, "sara")
    boards = site.services.scoring.boards

    def at_hand() -> Snapshot | None:
        return boards.at_hand(site.user("sara"), exercise.name, Audience.STAFF)

    kept = boards._kept[exercise.id, Audience.STAFF]
    with kept.lock:
        assert at_hand() is kept.snapshot
    assert at_hand() is None


def test_one_that_has_just_rested_is_made_anew_for_those_who_read_next(
    site: ApiSite, exercise: Exercise, rested: Callable[[], None]
) -> None:
    read(site, exercise, "sara")
    kept = site.services.scoring.boards._kept[exercise.id, Audience.STAFF]
    former = kept.snapshot
    assert former is not None
    site.services.scoring.answer(
        exercise,
        exercise.teams[0],
        exercise.teams[0].members[0].user,
        task="who",
        value=site.answer_of(exercise, "team-1", "thief"),
        client_key="just rested",
    )
    kept.rests_until = site.clock.now() + timedelta(milliseconds=100)
    site.clock.advance(timedelta(milliseconds=200))
    assert read(site, exercise, "sara").content == former.body, "nobody waits for the newer one"
    until(lambda: kept.snapshot is not former, what="the newer one", within=SOON)
    rested()
    assert read(site, exercise, "sara").content != former.body
    kept.rests_until = site.clock.now() + timedelta(milliseconds=100)
    site.clock.advance(timedelta(seconds=1))
    _, asked = statements(lambda: read(site, exercise, "sara"))
    assert asked > 0, "an older one is handed out to nobody"
