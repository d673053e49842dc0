"""A tabletop: nobody has a machine; people write, talk and answer messages, and assessors mark."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.api_site import ApiSite, api_site

TABLE = """\
language: 1
scenario: {id: table, version: 1.0.0, title: The table, kind: tabletop, duration: 1h}
roles: {envoy: {side: blue}, head: {side: blue, extends: envoy}}
tasks:
  note:
    title: A note to the ministry
    ask: Write it on one page.
    submit: {files: [odt, md], max: 1m, by: [head]}
    rubric: note
    points: 40
  talk: {title: The statement, ask: State your case., rubric: talk, points: 20}
rubrics:
  note: {criteria: {facts: {levels: {0: none, 1: all}}, tone: {levels: {0: poor, 1: good}}}}
  talk: {criteria: {calm: {levels: {0: none, 1: all}}}}
injects:
  call:
    at: 5m
    message: {from: Press, to: head, text: Is it true?}
    expect: {reply: text, rubric: note, criterion: tone, within: 10m}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        (tmp_path / "scenarios" / "table").mkdir()
        (tmp_path / "scenarios" / "table" / "scenario.yaml").write_text(TABLE)
        yield site


def sheet(site: ApiSite, exercise: str) -> str:
    """Return the page with everybody's new passwords."""
    made = site.form("ina", f"/exercises/{exercise}/logins")
    assert made.status_code == 200, made.text
    assert "Password" in made.text
    return made.text


def test_a_team_without_machines_reads_what_it_is_to_do_and_replies(site: ApiSite) -> None:
    wanted = {"scenario": "table", "teams": 2}
    made = site.web.post("/api/v1/exercises", json=wanted, headers=site.bearer("ina"))
    assert made.status_code == 201, made.text
    site.work()
    name = made.json()["name"]
    exercises = site.services.exercises
    exercise = exercises.start(exercises.get(name).id)
    assert site.engine.hosts == {}
    who = exercise.teams[0].members[0].name
    site.clock.advance(timedelta(minutes=5))
    site.services.injects.sweep()

    tasks = site.web.get(f"/api/v1/exercises/{name}/tasks", headers=site.bearer(who)).json()
    assert [(t["kind"], t["assessed"], t["state"]) for t in tasks] == [("rubric", True, "open")] * 2
    assert [(t["title"], t["ask"], t["of_points"]) for t in tasks] == [
        ("A note to the ministry", "Write it on one page.", 40),
        ("The statement", "State your case.", 20),
    ]
    page = site.page(who, f"/exercises/{name}").text
    assert page.count("Assessors mark this task") == 2
    assert "Your machines" not in page
    assert "Is it true?" in page, "a head leads, and reads what is for heads"

    messages = f"/api/v1/exercises/{name}/messages"
    (message,) = site.web.get(messages, headers=site.bearer(who)).json()
    replied = site.web.post(
        f"{messages}/{message['id']}/reply", json={"text": "No."}, headers=site.bearer(who)
    )
    assert replied.is_success, replied.text
    for path in ("board", "record", "injects"):
        told = site.web.get(f"/api/v1/exercises/{name}/{path}", headers=site.bearer("ina"))
        assert told.status_code == 200, told.text
    instructors = site.page("ina", f"/exercises/{name}")
    assert "A note to the ministry" in instructors.text
    assert "ssh " not in sheet(site, name)


def test_a_team_with_machines_is_told_how_to_reach_them(site: ApiSite) -> None:
    exercise = site.launch()
    who = exercise.teams[0].members[0].name
    page = site.page(who, f"/exercises/{exercise.name}").text
    assert "Your machines" in page
    assert f"ssh -p 2222 {who}@range.test" in sheet(site, exercise.name)
    assert "Assessors mark this task" not in page
