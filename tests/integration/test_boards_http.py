"""Boards over HTTP: what each reader gets, how little is sent twice, and what tells of changes."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from api.v1.boards import BoardOut
from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import PASSWORD, ApiSite, api_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    # Followed so long that a busy machine reads a board meanwhile.
    with api_site(tmp_path_factory.mktemp("site"), followed=timedelta(seconds=5)) as site:
        site.services.users.add("ivo", role=Role.INSTRUCTOR, password=PASSWORD)
        yield site


@pytest.fixture
def exercise(site: ApiSite) -> Iterator[Exercise]:
    exercise = site.launch()
    yield exercise
    site.services.exercises.end(exercise.id)
    site.services.exercises.destroy(exercise.id)
    site.work()


def path_of(exercise: Exercise) -> str:
    return f"/api/v1/exercises/{exercise.name}/board"


def trainee_of(exercise: Exercise, number: int = 1) -> str:
    return exercise.teams[number - 1].members[0].name


def solve(site: ApiSite, exercise: Exercise, number: int = 1) -> None:
    answer = site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": "who", "value": site.answer_of(exercise, f"team-{number}", "thief")},
        headers=site.bearer(trainee_of(exercise, number)),
    )
    assert answer.json()["verdict"] == "correct"


def take_out(site: ApiSite, exercise: Exercise) -> None:
    correct(site, exercise, {"kind": "exclude", "team": "team-2"})


def correct(site: ApiSite, exercise: Exercise, amendment: dict[str, str]) -> str:
    """Correct as two instructors do, and return the id of the correction."""
    path = f"/api/v1/exercises/{exercise.name}/corrections"
    proposal = {"amendment": amendment, "reason": "They play it themselves"}
    proposed = site.web.post(path, json=proposal, headers=site.bearer("ina")).json()
    here, second = f"{path}/{proposed['id']}", site.bearer("ivo")
    digest = site.web.get(f"{here}/preview", headers=second).json()["digest"]
    approved = site.web.post(f"{here}/approve", json={"digest": digest}, headers=second)
    assert approved.json()["state"] == "approved"
    return str(proposed["id"])


def opened(site: ApiSite, exercise: Exercise, *, anonymous: bool = False) -> str:
    """Return the path of the public board, under /api/v1."""
    answer = site.web.put(
        f"/api/v1/exercises/{exercise.name}/public-board",
        json={"anonymous": anonymous},
        headers=site.bearer("ina"),
    )
    return str(answer.json()["path"])


@pytest.mark.parametrize("reader", ["sara", "trainee", "public"])
def test_a_board_has_the_shape_that_the_interface_describes(
    site: ApiSite, exercise: Exercise, reader: str
) -> None:
    solve(site, exercise)
    if reader == "public":
        answer = site.web.get(opened(site, exercise).replace("/board/", "/api/v1/boards/"))
    else:
        name = trainee_of(exercise) if reader == "trainee" else reader
        answer = site.web.get(path_of(exercise), headers=site.bearer(name))
    shown = BoardOut.model_validate(answer.json())
    assert (shown.rows[0].team, shown.rows[0].points) == ("team-1", 20)
    first = shown.tasks[0].first
    assert first is not None
    assert first.team == "team-1"
    assert set(answer.json()) == BoardOut.model_fields.keys()


def test_the_etag_is_the_hash_of_the_text_and_knows_itself_in_every_form(
    site: ApiSite, exercise: Exercise
) -> None:
    plain = {**site.bearer("sara"), "Accept-Encoding": "identity"}
    whole = site.web.get(path_of(exercise), headers=plain)
    sha256 = hashlib.sha256(whole.content).hexdigest()
    assert whole.headers["etag"] == f'"{sha256}"'
    packed = site.web.get(path_of(exercise), headers=plain | {"Accept-Encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] == f'"{sha256}-gzip"'
    assert packed.content == whole.content
    for known in (f'"{sha256}"', f'"{sha256}-gzip"', f'"x", W/"{sha256}"', "*"):
        again = site.web.get(path_of(exercise), headers=plain | {"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    for strange in ('"x"', "", sha256[:20]):
        again = site.web.get(path_of(exercise), headers=plain | {"If-None-Match": strange})
        assert again.status_code == 200


def test_no_cache_hands_one_readers_board_to_another(site: ApiSite, exercise: Exercise) -> None:
    # A peer's cache served trainees what staff had asked for.
    take_out(site, exercise)
    solve(site, exercise, 2)
    etag = ""
    for _ in range(2):
        staff = site.web.get(path_of(exercise), headers=site.bearer("sara"))
        team = site.web.get(path_of(exercise), headers=site.bearer(trainee_of(exercise)))
        assert [row["team"] for row in staff.json()["rows"]] == ["team-1", "team-2"]
        assert [row["team"] for row in team.json()["rows"]] == ["team-1"]
        for answer in (staff, team):
            assert answer.headers["cache-control"] == "private, no-cache"
            assert answer.headers["vary"] == "Authorization, Accept-Encoding"
        etag = staff.headers["etag"]
    known = {"If-None-Match": etag}
    again = site.web.get(path_of(exercise), headers=site.bearer(trainee_of(exercise)) | known)
    assert again.status_code == 200, "the ETag of another audience is unknown to this one"


def test_staff_may_look_at_what_others_are_shown_and_nobody_else(
    site: ApiSite, exercise: Exercise
) -> None:
    take_out(site, exercise)
    for audience in ("team", "public"):
        shown = site.web.get(
            path_of(exercise), params={"audience": audience}, headers=site.bearer("sara")
        ).json()
        assert (shown["audience"], len(shown["rows"])) == (audience, 1)
    trainee = site.bearer(trainee_of(exercise))
    for audience in ("staff", "public"):
        answer = site.web.get(path_of(exercise), params={"audience": audience}, headers=trainee)
        assert answer.status_code == 403


def test_a_public_board_needs_no_login_and_ends_with_its_link(
    site: ApiSite, exercise: Exercise
) -> None:
    page = opened(site, exercise, anonymous=True)
    board = page.replace("/board/", "/api/v1/boards/")
    answer = site.web.get(board)
    assert answer.headers["cache-control"] == "public, max-age=1"
    assert "Team 1" not in answer.text
    assert "Team 1" not in site.web.get(page).text
    gone = f"/api/v1/exercises/{exercise.name}/public-board"
    assert site.web.delete(gone, headers=site.bearer("ina")).status_code == 204
    for path in (page, board, f"{page}/live"):
        assert site.web.get(path).status_code == 404


def test_a_team_that_is_excluded_is_shown_below_the_ranked_ones_to_staff_only(
    site: ApiSite, exercise: Exercise
) -> None:
    before = site.web.get(path_of(exercise), headers=site.bearer("sara"))
    out = correct(site, exercise, {"kind": "exclude", "team": "team-2"})
    rows = site.web.get(path_of(exercise), headers=site.bearer("sara")).json()["rows"]
    assert [(row["team"], row["rank"]) for row in rows] == [("team-1", 1), ("team-2", None)]
    staff = site.page("ina", f"/exercises/{exercise.name}/board").text
    assert "(not ranked)" in staff
    correct(site, exercise, {"kind": "revoke", "correction": out})
    after = site.web.get(path_of(exercise), headers=site.bearer("sara"))
    assert after.headers["etag"] == before.headers["etag"]


def test_who_follows_a_board_is_told_of_each_change_and_of_nothing_else(
    site: ApiSite, exercise: Exercise
) -> None:
    events: list[str] = []
    begun = threading.Event()

    def follow() -> None:
        while not begun.is_set():  # a busy machine may tell nothing before the stream ends
            follow_once()

    def follow_once() -> None:
        path = f"{path_of(exercise)}/live"
        with site.web.stream("GET", path, headers=site.bearer(trainee_of(exercise))) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    events.append(line.removeprefix("data: "))
                    begun.set()

    follower = threading.Thread(target=follow)
    follower.start()
    assert begun.wait(60)
    site.web.post(
        f"/api/v1/exercises/{exercise.name}/answers",
        json={"task": "who", "value": "nobody"},
        headers=site.bearer(trainee_of(exercise, 2)),
    )
    follower.join(60)
    assert not follower.is_alive()
    now = site.web.get(path_of(exercise), headers=site.bearer(trainee_of(exercise)))
    assert events == [now.headers["etag"].strip('"').removesuffix("-gzip")]


def test_forty_people_behind_one_address_are_all_let_in(site: ApiSite, exercise: Exercise) -> None:
    # A peer counted answers by address, and a whole class was throttled together.
    answers = [
        site.web.post(
            f"/api/v1/exercises/{exercise.name}/answers",
            json={"task": "mark", "value": f"guess {number}"},
            headers=site.bearer(trainee_of(exercise, number % 2 + 1)),
        )
        for number in range(40)
    ]
    assert {answer.status_code for answer in answers} == {200}


def test_the_page_of_a_board_is_whole_without_scripts(site: ApiSite, exercise: Exercise) -> None:
    site.clock.advance(timedelta(minutes=7))
    solve(site, exercise)
    text = site.page(trainee_of(exercise), f"/exercises/{exercise.name}/board").text
    for part in ("First to solve it", "Points over time", 'http-equiv="refresh"', "(you)"):
        assert part in text
    assert "Public board" not in text, "that is for who runs the exercise"


def test_the_criterion_score_shows_a_team_its_own_and_staff_all(
    site: ApiSite, exercise: Exercise
) -> None:
    solve(site, exercise)

    def shown(name: str) -> str:
        return site.page(name, f"/exercises/{exercise.name}/criterion").text

    assert "Team 2" not in shown(trainee_of(exercise))
    assert "66 %" in shown(trainee_of(exercise)), "20 of 30 points"
    assert "Team 2" in shown("sara")
