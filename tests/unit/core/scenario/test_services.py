"""Attack and defence in the language: what is read, and what an author is told."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.scenario.difference import differences
from core.scenario.lint import lint
from core.scenario.load import load
from tests.unit.core.scenario.texts import WITH_HOSTS

SERVICES = """\
rounds: {every: 3m}
services:
  locker:
    title: Locker room
    host: box
    network: arena
    port: 4100
    flag: {format: "LCK{%s}", length: 24, lives: 5}
    checker: {build: {context: checkers}, run: [/checker/locker], timeout: 10s}
  desk:
    title: Desk
    host: box
    network: arena
    port: 4200
    checker: {build: {context: checkers}, run: [/checker/desk, "{{ team }}"]}
scoring: {preset: saar}
"""
DUEL = (
    WITH_HOSTS.replace("networks: {lan: {}}", "networks: {lan: {}, arena: {}}")
    .replace("  lan: {size: /28}\n", "  lan: {size: /28}\n  arena: {shared: true}\n", 1)
    .replace("kind: investigation", "kind: attack-defence")
    + SERVICES
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "small"
    (root / "checkers").mkdir(parents=True)
    (root / "checkers/Dockerfile").write_text("FROM debian:bookworm-slim\n")
    (root / "scenario.yaml").write_text(DUEL)
    return root


def told(folder: Path, text: str) -> list[str]:
    (folder / "scenario.yaml").write_text(text)
    return [f"{p.severity}: {p.message}" for p in lint(folder)]


def test_services_are_read_as_they_are_written(folder: Path) -> None:
    loaded = load(folder)
    assert loaded.warnings == ()
    scenario = loaded.scenario
    assert scenario.rounds is not None
    assert scenario.rounds.every == timedelta(minutes=3)
    assert scenario.scoring.preset == "saar"
    assert list(scenario.services) == ["locker", "desk"]
    locker, desk = scenario.services.values()
    assert (locker.host, locker.network, locker.port) == ("box", "arena", 4100)
    assert (locker.flag.format, locker.flag.length, locker.flag.lives) == ("LCK{%s}", 24, 5)
    assert locker.checker.timeout == desk.checker.timeout == timedelta(seconds=10)


WRONG = {
    "no rounds": ("rounds: {every: 3m}\n", "", "services are asked in rounds"),
    "no time": ("every: 3m", "every: 0s", "must be longer than nothing"),
    "unknown host": ("host: box\n    network", "host: bax\n    network", "hosts has no 'bax'"),
    "unknown network": ("network: arena", "network: arenna", "networks has no 'arenna'"),
    "network of one team": ("network: arena", "network: lan", "and lan is not"),
    "host elsewhere": ("{lan: {}, arena: {}}", "{lan: {}}", "box is not on arena, but on lan"),
    "hidden host": ("title: A box", "title: A box\n    hidden: true", "box is hidden"),
    "two on one port": ("4200", "4100", "locker has this port of box already"),
    "no port": ("4200", "0", "greater than or equal to 1"),
    "no place for the secret": ("LCK{%s}", "LCK", "does not have the form"),
    "flag of a value": ("LCK{%s}", "{{team}}%s", "cannot hold {{ }}"),
    "short secret": ("length: 24", "length: 4", "greater than or equal to 16"),
    "dead flag": ("lives: 5", "lives: 0", "greater than or equal to 1"),
    "no Dockerfile": ("context: checkers", "context: chequers", "there is no file chequers/Docker"),
    "no command": ("run: [/checker/locker]", "run: []", "at least 1 item"),
    "unknown name": ("{{ team }}", "{{ teem }}", "teem"),
    "unknown preset": ("saar", "sar", "is not one of faust, saar"),
    "unknown key": ("lives: 5", "live: 5", "unknown key 'live' (did you mean lives?)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_spoilt_service_is_told_why(folder: Path, case: str) -> None:
    right, wrong, sentence = WRONG[case]
    assert right in DUEL
    problems = told(folder, DUEL.replace(right, wrong, 1))
    assert [p for p in problems if p.startswith("error") and sentence in p], problems


def test_rounds_that_are_wrong_are_not_missing_too(folder: Path) -> None:
    (problem,) = told(folder, DUEL.replace("every: 3m", "every: 3"))
    assert "is not a duration" in problem


def test_without_services_the_tasks_alone_score(folder: Path) -> None:
    assert told(folder, DUEL.replace(SERVICES, "")) == [
        "warning: there are no services: the tasks alone score"
    ]
    idle = DUEL.replace(SERVICES, "rounds: {every: 3m}\nscoring: {preset: faust}\n")
    idle = idle.replace("kind: attack-defence", "kind: investigation")
    assert told(folder, idle) == ["warning: there are no services that this would concern"] * 2


def test_a_title_that_is_missing_or_tells_too_much_is_warned_of(folder: Path) -> None:
    assert told(folder, DUEL.replace("    title: Desk\n", "")) == [
        "warning: trainees would see the id only; give it a title"
    ]
    assert told(folder, DUEL.replace("title: Desk", "title: The green desk")) == [
        "warning: this gives away the answer to colour"
    ]


def test_titles_of_services_are_translated(folder: Path) -> None:
    text = DUEL.replace("duration: 30m}", "duration: 30m, languages: [en, fr]}")
    (folder / "text").mkdir()
    (folder / "text/fr.yaml").write_text("services: {locker: {title: Les vestiaires}}\n")
    missing = told(folder, text)
    assert "warning: services.desk.title is not translated" in missing
    assert "warning: services.locker.title is not translated" not in missing
    assert load(folder).in_language("fr").services["locker"].title == "Les vestiaires"


CHANGES = {
    "port: 4100": ("port: 4101", "the service locker listens on port 4101 instead of 4100"),
    "title: Desk": ("title: A desk", "the service desk is called “A desk” instead of “Desk”"),
    "lives: 5": (
        "lives: 3",
        (
            "the service locker keeps other flags: format “LCK{%s}”, length 24, lives 3 instead of"
            " format “LCK{%s}”, length 24, lives 5"
        ),
    ),
    "every: 3m": ("every: 5m", "a round lasts 5m instead of 3m"),
    "preset: saar": ("preset: faust", "rounds are scored as faust instead of saar"),
}


@pytest.mark.parametrize("old", CHANGES)
def test_each_change_is_a_sentence(folder: Path, old: str) -> None:
    before = load(folder)
    new, sentence = CHANGES[old]
    (folder / "scenario.yaml").write_text(DUEL.replace(old, new, 1))
    assert [found.text for found in differences(before, load(folder))] == [sentence]


def test_what_a_checker_is_made_of_is_no_trainees_business(folder: Path) -> None:
    before = load(folder)
    (folder / "scenario.yaml").write_text(DUEL.replace("timeout: 10s", "timeout: 20s"))
    assert differences(before, load(folder)) == ()
