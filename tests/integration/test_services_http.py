"""What a trainee sees of the services of an attack-defence exercise, over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.auth import COOKIE
from tests.fakes.api_site import ApiSite, api_site

SERVICES = """\
rounds: {every: 3m}
services:
  locker:
    title: "The locker of {{ team.name }}"
    host: desk
    network: arena
    port: 4100
    checker: {build: {context: checkers}, run: [ask]}
  slots: {host: desk, network: arena, port: 4300, checker: {build: {context: checkers}, run: [ask]}}
"""
FRENCH = 'services: {locker: {title: "Le casier de {{ team.name }}"}}\n'


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        yield site


def page(site: ApiSite, language: str) -> str:
    exercise = site.launch()
    who = exercise.teams[0].members[0].name
    return httpx.get(
        f"{site.url}/exercises/{exercise.name}",
        cookies={COOKIE: site.token(who)},
        headers={"Accept-Language": language},
    ).text


def test_services_are_listed_where_other_teams_reach_them(site: ApiSite) -> None:
    folder = site.services.settings.scenarios / "house"
    text = (folder / "scenario.yaml").read_text()
    text = text.replace("  id: house\n", "  id: house\n  languages: [en, fr]\n")
    text = text.replace("networks: {office: {}}", "networks: {office: {}, arena: {}}")
    text = text.replace("{office: {size: /28}}", "{office: {size: /28}, arena: {shared: true}}")
    (folder / "scenario.yaml").write_text(text + SERVICES)
    for name, content in (("text/fr.yaml", FRENCH), ("checkers/Dockerfile", "FROM debian\n")):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content)
    shown = page(site, "fr")
    assert "Le casier de Team 1" in shown
    assert "<code>desk.team-1:4100</code>" in shown
    assert "<code>desk.team-1:4300</code>" in shown
    assert "team-2" in shown
    assert "the tasks alone give points" in shown


def test_without_services_the_page_says_nothing_of_them(site: ApiSite) -> None:
    assert "services-title" not in page(site, "en")
