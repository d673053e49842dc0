"""What people see and do about the services of an attack-defence exercise, over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from api.flag_throttle import PER_WINDOW
from core.scenario.load import load
from orchestrator.domain.exercise import Exercise
from orchestrator.repository import ExerciseRepository
from orchestrator.service import TeamsInvalidError, TeamSpec
from scoring.domain.flags import round_flag
from tests.fakes.api_site import ApiSite, api_site
from tests.fakes.duel_site import give_services, play


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


@pytest.fixture
def duel(site: ApiSite) -> ApiSite:
    """Lend a site whose house has services."""
    give_services(site)
    return site


def flag(site: ApiSite, exercise: Exercise, team: str, number: int) -> str:
    spec = site.services.exercises.scenario(exercise).scenario.services["locker"].flag
    with site.services.database.reading() as session:
        key = ExerciseRepository(session).secret(exercise.id)
    return round_flag(spec, key=key, team=team, service="locker", number=number)


def member(exercise: Exercise, number: int = 1) -> str:
    return exercise.teams[number - 1].members[0].name


def page(site: ApiSite, exercise: Exercise, who: str, language: str = "en") -> str:
    return site.page(who, f"/exercises/{exercise.name}", {"Accept-Language": language}).text


def test_services_are_listed_where_other_teams_reach_them(duel: ApiSite) -> None:
    exercise = duel.launch()
    shown = page(duel, exercise, member(exercise), "fr")
    assert "Le casier de Team 1" in shown
    assert "<code>desk.team-1:4100</code>" in shown
    assert "<code>desk.team-1:4300</code>" in shown
    assert "team-2" in shown
    assert "No round is over yet" in shown


def test_the_board_calls_services_what_its_reader_calls_them(duel: ApiSite) -> None:
    folder = duel.services.settings.scenarios / "house"
    for name, old, new in (
        ("scenario.yaml", "slots: {", "slots: {title: Appointments, "),
        ("text/fr.yaml", "services: {", "services: {slots: {title: Les rendez-vous}, "),
    ):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace(old, new))
    exercise = duel.launch()
    path, who = f"/api/v1/exercises/{exercise.name}/services", member(exercise)
    for language, title in (("fr", "Les rendez-vous"), ("de", "Appointments")):
        headers = duel.bearer(who) | {"Accept-Language": language}
        # A title that differs from team to team names no column: the id does.
        wanted = {"locker": "locker", "slots": title}
        assert duel.web.get(path, headers=headers).json()["titles"] == wanted
        assert f'<th scope="col">{title}</th>' in page(duel, exercise, who, language)


def test_without_services_the_page_says_nothing_of_them(site: ApiSite) -> None:
    exercise = site.launch()
    assert "services-title" not in page(site, exercise, member(exercise))
    for path in ("captures", "services"):
        address = f"/api/v1/exercises/{exercise.name}/{path}"
        bearer = site.bearer(member(exercise))
        answer = (
            site.web.post(address, json={"flags": ["x"]}, headers=bearer)
            if path == "captures"
            else site.web.get(address, headers=bearer)
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "services.none")


def test_a_bot_hands_in_many_flags_and_each_has_its_answer(duel: ApiSite) -> None:
    exercise = duel.launch()
    play(duel)
    theirs, ours = (flag(duel, exercise, team, 1) for team in ("team-2", "team-1"))
    address = f"/api/v1/exercises/{exercise.name}/captures"
    bearer = duel.bearer(member(exercise))
    sent = {"flags": [theirs, theirs, ours, "nothing"]}
    answer = duel.web.post(address, json=sent, headers=bearer)
    assert [(one["code"], one["service"]) for one in answer.json()] == [
        ("accepted", "locker"),
        ("duplicate", "locker"),
        ("own", "locker"),
        ("invalid", ""),
    ]
    assert duel.web.post(address, json={"flags": [theirs]}, headers=duel.bearer("ina")).is_error
    headers = {**bearer, "Content-Type": "application/json"}
    for text, status in ((b"\\u0000", 200), (b"LCK{\\u0410}", 200), (b"\\ud800", 422)):
        answer = duel.web.post(address, content=b'{"flags": ["%s"]}' % text, headers=headers)
        assert answer.status_code == status
    for flags in ([], ["x"] * 501, ["x" * 300]):
        answer = duel.web.post(address, json={"flags": flags}, headers=bearer)
        assert answer.status_code == 422


def test_a_team_that_hands_in_too_many_is_told_when_it_may_again(duel: ApiSite) -> None:
    exercise = duel.launch()
    address = f"/api/v1/exercises/{exercise.name}/captures"
    some, bearer = {"flags": ["x"] * 500}, duel.bearer(member(exercise))
    for _ in range(PER_WINDOW // 500):
        assert duel.web.post(address, json=some, headers=bearer).is_success
    refused = duel.web.post(address, json={"flags": ["x"]}, headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (429, "captures.too_many")
    assert 0 < int(refused.headers["retry-after"]) <= 61
    other = duel.bearer(member(exercise, 2))
    assert duel.web.post(address, json={"flags": ["x"]}, headers=other).is_success
    duel.clock.advance(timedelta(seconds=61))
    assert duel.web.post(address, json={"flags": ["x"]}, headers=bearer).is_success


def test_flags_are_handed_in_on_the_page_a_line_each(duel: ApiSite) -> None:
    exercise = duel.launch()
    play(duel)
    theirs = flag(duel, exercise, "team-2", 1)
    path = f"/exercises/{exercise.name}/captures"
    sent = {"flags": f"{theirs}\n\n  <b>nothing</b>\n"}
    answer = duel.form(member(exercise), path, sent)
    assert answer.status_code == 200
    assert f'<code>{theirs}</code></td><td data-name="Answer">accepted' in answer.text
    assert "&lt;b&gt;nothing&lt;/b&gt;" in answer.text
    empty = duel.form(member(exercise), path, {"flags": " \n "})
    assert empty.status_code == 422
    assert "1 to 500 flags are taken at once" in empty.text


def test_everybody_sees_how_services_are_and_nobody_sees_a_flag(duel: ApiSite) -> None:
    exercise = duel.launch()
    play(duel)
    theirs = flag(duel, exercise, "team-2", 1)
    address = f"/api/v1/exercises/{exercise.name}"
    bearer = duel.bearer(member(exercise))
    duel.web.post(f"{address}/captures", json={"flags": [theirs]}, headers=bearer)
    duel.clock.advance(timedelta(minutes=3))
    play(duel)
    board = duel.web.get(f"{address}/services", headers=bearer).json()
    assert (board["closed"], board["round"], board["ends_seconds"]) == (1, 2, 360)
    assert [(line["team"], line["points"]) for line in board["teams"]] == [
        ("team-1", 4.828),
        ("team-2", 1.828),
    ]
    assert board["teams"][1]["services"]["locker"] == {
        "verdict": "up",
        "attack": 0,
        "defence": -1,
        "availability": 1.414,
        "captured": 0,
        "lost": 1,
    }
    rows = duel.web.get(f"{address}/board", headers=bearer).json()["rows"]
    assert {row["team"]: row["points"] for row in rows} == {"team-1": 4.828, "team-2": 1.828}
    for who in (member(exercise), "ina", "sara"):
        shown = page(duel, exercise, who)
        assert "After round 1" in shown
        assert "4.828" in shown
        assert theirs not in shown
        assert flag(duel, exercise, "team-2", 2) not in shown


def test_a_reference_team_is_named_at_launch(duel: ApiSite, site: ApiSite) -> None:
    sent = {"scenario": "house", "teams": 2, "reference": "Nobody"}
    answer = duel.web.post("/api/v1/exercises", json=sent, headers=duel.bearer("ina"))
    assert {team["name"]: team["reference"] for team in answer.json()["teams"]} == {
        "Team 1": False,
        "Team 2": False,
        "Nobody": True,
    }
    exercise = duel.services.exercises.get(answer.json()["name"])
    duel.work()
    duel.services.exercises.start(exercise.id)
    address = f"/api/v1/exercises/{exercise.name}"
    refused = duel.web.post(
        f"{address}/captures", json={"flags": ["x"]}, headers=duel.bearer(member(exercise, 3))
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "captures.reference_team")
    rows = duel.web.get(f"{address}/board", headers=duel.bearer("ina")).json()["rows"]
    assert [row["team"] for row in rows] == ["team-1", "team-2"]
    alone = [TeamSpec(name="Nobody", reference=True)]
    loaded = load(duel.services.settings.scenarios / "house")
    with pytest.raises(TeamsInvalidError, match="nobody is left"):
        duel.services.exercises.launch(loaded, teams=alone, by=None)


def test_a_scenario_without_services_takes_no_reference_team(site: ApiSite) -> None:
    sent = {"scenario": "house", "teams": 2, "reference": "Team 2"}
    answer = site.web.post("/api/v1/exercises", json=sent, headers=site.bearer("ina"))
    assert answer.status_code == 422
    assert "has no services" in answer.json()["detail"]
