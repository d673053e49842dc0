"""`poligon score propose` and its like: two people, one command line."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import correcting
from api.cli.main import app
from core.users.model import Role
from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import PASSWORD, ApiSite, api_site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        site.services.users.add("ivo", role=Role.INSTRUCTOR, password=PASSWORD)
        monkeypatch.setattr(correcting, "services_ready", lambda: _Lent(site))
        yield site


class _Lent:
    """The services of the test's site, which stay open."""

    def __init__(self, site: ApiSite) -> None:
        self._services = site.services

    def __enter__(self) -> object:
        return self._services

    def __exit__(self, *_: object) -> None:
        return None


def poligon(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["score", *arguments])


def played(site: ApiSite) -> Exercise:
    exercise = site.launch()
    team = exercise.teams[0]
    mark = str(site.services.exercises.facts(exercise, team).values["mark"])
    site.services.scoring.answer(
        exercise, team, team.members[0].user, task="mark", value=mark, client_key="one"
    )
    return exercise


def test_one_proposes_and_another_approves_what_the_preview_showed(site: ApiSite) -> None:
    name = played(site).name
    reason = ("--reason", "It was in two places.")
    proposed = poligon("propose", name, "reprice", "--task", "mark", "--points", "4", *reason)
    assert proposed.exit_code == 2  # nobody says who
    proposed = poligon(
        *("propose", name, "reprice", "--task", "mark", "--points", "4", *reason, "--by", "ina")
    )
    assert proposed.exit_code == 0
    assert "reprice mark 4 is proposed" in proposed.stdout
    assert "10 → 4" in proposed.stdout
    (listed,) = json.loads(poligon("corrections", name, "--json").stdout)
    assert (listed["state"], listed["proposed_by"]) == ("proposed", "ina")
    here = (name, listed["id"], "--by", "ivo")
    seen = json.loads(poligon("preview", *here, "--json").stdout)
    own = poligon("approve", name, listed["id"], "--by", "ina", "--digest", seen["digest"])
    assert own.exit_code == 5
    assert "a second person decides" in own.stderr
    approved = poligon("approve", *here, "--digest", seen["digest"])
    assert "reprice mark 4 is approved" in approved.stdout
    assert poligon("reject", *here).exit_code == 5
    board = site.services.scoring.board(site.services.exercises.get(name))
    assert board.rows[0].milli_points == 4_000


def test_only_who_runs_exercises_corrects_and_only_what_there_is(site: ApiSite) -> None:
    name = played(site).name
    void = ("propose", name, "void", "--reason", "Why.")
    assert poligon(*void, "--task", "mark", "--by", "sara").exit_code == 4
    assert poligon(*void, "--task", "nowhere", "--by", "ina").exit_code == 2
    misspelt = poligon(*void, "--by", "ina", "--json")
    assert json.loads(misspelt.stdout)["code"] == "correction.invalid"
    withdrawn = json.loads(poligon(*void, "--task", "mark", "--by", "ina", "--json").stdout)
    assert poligon("withdraw", name, withdrawn["id"], "--by", "ivo").exit_code == 5
    assert poligon("withdraw", name, withdrawn["id"], "--by", "ina").exit_code == 0
