"""A trainee reads the scenario in the language of the browser; what is missing stays as it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.exercise import Exercise
from tests.fakes.api_site import ApiSite, api_site

FRENCH = """\
scenario: {title: La maison}
tasks:
  who: {title: Le voleur, ask: Qui était-ce ?, hints: [{text: "Le journal, {{ team.name }}."}]}
hosts: {desk: {title: Votre poste}}
checks: {shut: {title: "La porte de {{ team.name }} est fermée"}}
injects:
  call:
    message: {from: Le propriétaire, text: "Que dire à mon assurance, {{ team.name }} ?"}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as site:
        folder = site.services.settings.scenarios / "house"
        file = folder / "scenario.yaml"
        file.write_text(
            file.read_text()
            .replace("  id: house\n", "  id: house\n  languages: [en, fr]\n")
            .replace("  desk:\n", "  desk:\n    title: Your desk\n")
        )
        (folder / "text").mkdir(exist_ok=True)
        (folder / "text" / "fr.yaml").write_text(FRENCH)
        yield site


@pytest.fixture
def exercise(site: ApiSite) -> Exercise:
    exercise = site.launch()
    site.services.injects.fire(exercise.id, "call")
    return exercise


def read(site: ApiSite, exercise: Exercise, what: str, language: str) -> list[dict[str, Any]]:
    who = exercise.teams[0].members[0].name
    headers = site.bearer(who) | {"Accept-Language": language}
    answer = site.web.get(f"/api/v1/exercises/{exercise.name}/{what}", headers=headers)
    found: list[dict[str, Any]] = answer.json()
    return found


def page(site: ApiSite, exercise: Exercise, language: str) -> str:
    who = exercise.teams[0].members[0].name
    return site.page(who, f"/exercises/{exercise.name}", {"Accept-Language": language}).text


def test_tasks_and_messages_come_in_the_readers_language(site: ApiSite, exercise: Exercise) -> None:
    french, other = (read(site, exercise, "tasks", language) for language in ("fr-CH", "de"))
    assert (french[0]["title"], french[0]["ask"]) == ("Le voleur", "Qui était-ce ?")
    assert (other[0]["title"], other[0]["ask"]) == ("The thief", "Who was it?")
    assert french[1] == other[1], "what is not translated stays as it is"
    (told,) = read(site, exercise, "messages", "fr")
    assert (told["sender"], told["text"]) == (
        "Le propriétaire",
        "Que dire à mon assurance, Team 1 ?",
    )
    (told,) = read(site, exercise, "messages", "en")
    assert told["text"] == "What do I tell my insurance, Team 1?"


def test_checks_and_machines_are_called_what_the_reader_calls_them(
    site: ApiSite, exercise: Exercise
) -> None:
    french, other = (read(site, exercise, "tasks", language)[2] for language in ("fr", "de"))
    assert french["checks"][0]["title"] == "La porte de Team 1 est fermée"
    assert other["checks"][0]["title"] == "shut"
    who = site.bearer(exercise.teams[0].members[0].name)
    path = f"/api/v1/exercises/{exercise.name}/access"
    told = site.web.get(path, headers=who | {"Accept-Language": "fr"}).json()
    assert told["resets"][0]["title"] == "Votre poste"
    shown = page(site, exercise, "fr")
    assert 'Reset <span lang="fr">Votre poste</span>' in shown
    assert '<span lang="fr">La porte de Team 1 est fermée</span>' in shown


def test_a_hint_comes_in_the_readers_language(site: ApiSite, exercise: Exercise) -> None:
    headers = site.bearer(exercise.teams[0].members[0].name)
    path = f"/api/v1/exercises/{exercise.name}/tasks/who/hints"
    told = {
        language: site.web.post(
            path, json={"hint": 1}, headers=headers | {"Accept-Language": language}
        ).json()["text"]
        for language in ("fr", "en")
    }
    assert told == {"fr": "Le journal, Team 1.", "en": "Look in the log, Team 1."}


def test_the_page_says_which_language_its_texts_are_in(site: ApiSite, exercise: Exercise) -> None:
    shown = page(site, exercise, "fr")
    assert '<h1 lang="fr">La maison</h1>' in shown
    assert '<h3 lang="fr">Le voleur</h3>' in shown
    assert "Que dire à mon assurance, Team 1 ?" in shown
    assert '<h1 lang="en">The house</h1>' in page(site, exercise, "sq")


def test_a_message_for_a_role_says_so_in_the_readers_language(site: ApiSite) -> None:
    folder = site.services.settings.scenarios / "house"
    file = folder / "scenario.yaml"
    text = file.read_text().replace("{side: blue}", "{side: blue, title: Analyst}")
    file.write_text(text.replace("{from: The owner,", "{from: The owner, to: analyst,"))
    (folder / "text" / "fr.yaml").write_text(FRENCH + "roles: {analyst: {title: Enquêteur}}\n")
    exercise = site.launch()
    site.services.injects.fire(exercise.id, "call")
    assert "for Enquêteur</span>" in page(site, exercise, "fr")
    assert "for Analyst</span>" in page(site, exercise, "sq")


def test_an_answer_of_any_language_is_right(site: ApiSite) -> None:
    folder = site.services.settings.scenarios / "house"
    file = folder / "scenario.yaml"
    file.write_text(file.read_text().replace('"{{ values.thief }}"', "a cat"))
    (folder / "text" / "fr.yaml").write_text(
        FRENCH.replace("ask: Qui", "answer: un chat, ask: Qui")
    )
    exercise = site.launch()
    verdicts = {}
    for team, value in zip(exercise.teams, ("un chat", "a cat"), strict=True):
        headers = site.bearer(team.members[0].name)
        path = f"/api/v1/exercises/{exercise.name}/answers"
        for tried in ("eine Katze", value):
            sent = site.web.post(path, json={"task": "who", "value": tried}, headers=headers)
            verdicts[tried] = sent.json()["verdict"]
    assert verdicts == {"eine Katze": "wrong", "un chat": "correct", "a cat": "correct"}
