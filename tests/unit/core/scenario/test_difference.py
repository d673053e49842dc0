"""What changed for trainees, said in words."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.difference import differences
from core.scenario.load import load

NIGHT_SHIFT = Path(__file__).parents[4] / "scenarios" / "night-shift"
LANGUAGES = re.compile(r"languages: \[.*\]")
Compare = Callable[..., list[str]]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Change a copy of the night shift, in one language, and return what is said of it."""
    first, copy = tmp_path / "first" / "night-shift", tmp_path / "second" / "night-shift"
    shutil.copytree(NIGHT_SHIFT, first, ignore=shutil.ignore_patterns("text"))
    scenario = first / "scenario.yaml"
    scenario.write_text(LANGUAGES.sub("languages: [en]", scenario.read_text()))
    shutil.copytree(first, copy)

    def said(old: str = "", new: str = "", *, file: str = "scenario.yaml") -> list[str]:
        text = (copy / file).read_text()
        assert old in text
        (copy / file).write_text(text.replace(old, new, 1) if old else text + new)
        return [found.text for found in differences(load(first), load(copy))]

    return said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "title: The night shift",
            "title: A shift",
            "the title is “A shift” instead of “The night shift”",
        ),
        ("duration: 25m", "duration: 1h30m", "the duration is 1h30m instead of 25m"),
        ("attempts: 5", "attempts: 3", "the task who allows 3 attempts instead of 5"),
        (
            "attempts: 5",
            "attempts: 5\n    cooldown: 30s",
            "the task who waits 30s after a wrong answer instead of none",
        ),
        ("points: 15", "points: 20", "the task who gives 20 points instead of 15"),
        ('{equals: "{{ values.intruder }}"}', "keeper", "the task who has another right answer"),
        (
            "min: 40, max: 90",
            "min: 50, max: 90",
            "the value attempts is drawn differently: evidence and answers are others",
        ),
        ("wait: 10m", "wait: 15m", "the inject mayors_call waits 15m instead of 10m"),
        ("size: /28", "size: /27", "the network office has the size /27 instead of /28"),
        ("hold: 70s", "hold: 2m", "the check door_shut must hold for 2m instead of 1m10s"),
        (
            "title: Your desk",
            "title: The desk",
            "the host desk is called “The desk” instead of “Your desk”",
        ),
        ("pass: 60%", "pass: 65%", "the objective triage has another `pass`: 65% instead of 60%"),
    ],
)
def test_each_change_is_a_sentence(compare: Compare, old: str, new: str, said: str) -> None:
    assert compare(old, new) == [said]


def test_of_a_long_text_the_part_that_differs_is_shown(compare: Compare) -> None:
    (said,) = compare("neither by password nor by key", "by nothing")
    assert said.startswith("the task contain asks “…")
    assert "by nothing" in said
    assert "neither by password" in said


def test_another_login_of_a_check_is_told_without_its_password(
    compare: Compare, tmp_path: Path
) -> None:
    door = "checks:\n  door: {host: office, ssh: {user: keeper, password: first-1}}\n"
    first = tmp_path / "first" / "night-shift" / "scenario.yaml"
    first.write_text(first.read_text().replace("checks:\n", door, 1))
    said = compare("checks:\n", door.replace("first-1", "second-2"))
    assert said == ["the check door wants something else of the SSH server"]


def test_what_is_gone_and_what_is_new_is_named(compare: Compare) -> None:
    text = (NIGHT_SHIFT / "scenario.yaml").read_text()
    begin = text.index("  new_notice:")
    inject = text[begin : text.index("\nsolution:")]
    told = "  tip: {at: 3m, title: A tip, message: {from: A friend, text: Look.}}\n"
    assert compare(inject, told) == [
        "the inject new_notice is gone",
        "the inject tip is new: “A tip”",
    ]


def test_files_and_images_are_compared_by_content(compare: Compare) -> None:
    assert compare(new="x\n", file="evidence/auth.log.j2") == [
        "the host office has another /var/log/auth.log"
    ]
    assert compare(new="# x\n", file="images/desk/Dockerfile")[0] == (
        "the host desk is built differently: its image has other contents"
    )


def test_what_no_trainee_meets_is_left_out(compare: Compare) -> None:
    assert compare("version: 1.", "version: 2.") == []
    assert compare(new="\n# x\n", file="solution/play.sh") == []
    assert compare("script: The registry", "script: Somebody") == []


RUBRIC = """
  report: {title: R, submit: {files: [pdf], max: 5m}, rubric: report, points: 9}
rubrics:
  report:
    assessors: 2
    moderate_if_apart: 20%
    criteria:
      facts: {weight: 3, levels: {0: none, 1: all}}
      tone: {levels: {0: poor, 1: good}}
end: {freeze: 20m, grace: 5m}
privacy: {recordings: 90d}

"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "[pdf], max: 5m",
            "[pdf, md], max: 1536k",
            "takes another file: files pdf, md, max 1536k instead of files pdf, max 5m",
        ),
        ("rubric: report", "rubric: other", "the task report is marked by “other” instead of"),
        ("assessors: 2", "assessors: 3", "the rubric report has 3 assessors instead of 2"),
        ("20%", "25%", "the rubric report is moderated from 25% apart instead of 20%"),
        ("weight: 3", "weight: 2", "the rubric report weighs facts 2 instead of 3"),
        ("0: poor", "0: bad", "has other levels of tone: 0 “bad”, 1 “good” instead of"),
        (
            "      tone: {levels: {0: poor, 1: good}}\n",
            "",
            "the rubric report has no criterion tone any more",
        ),
        ("      tone:", "      t: {levels: {0: a, 1: b}}\n      tone:", "a new criterion, t"),
        ("freeze: 20m, ", "", "the board freezes at none instead of 20m"),
        ("grace: 5m", "grace: 6m", "after the end files are taken for 6m instead of 5m"),
        ("90d", "30d", "recordings are kept for 30d instead of 90d"),
    ],
)
def test_what_assessors_mark_and_the_end_are_compared(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    night = LANGUAGES.sub("languages: [en]", (NIGHT_SHIFT / "scenario.yaml").read_text())
    before = night.replace("\ninjects:\n", RUBRIC + "injects:\n", 1)
    other = "  other: {criteria: {x: {levels: {0: a, 1: b}}}}\n"
    before = before.replace("rubrics:\n", f"rubrics:\n{other}")
    for name, text in (("first", before), ("second", before.replace(old, new, 1))):
        folder = tmp_path / name / "night-shift"
        shutil.copytree(NIGHT_SHIFT, folder, ignore=shutil.ignore_patterns("text"))
        (folder / "scenario.yaml").write_text(text)
    assert old in before
    (told,) = differences(*(load(tmp_path / n / "night-shift") for n in ("first", "second")))
    assert said in told.text


TRANSLATED = """\
language: 1
scenario:
  id: small
  version: 1.0.0
  title: Small
  kind: investigation
  duration: 30m
  languages: [en, fr, sq]
roles: {solver: {side: blue, title: Solver}}
tasks:
  colour: {title: Colour, ask: Which?, answer: green, points: 5, hints: [{text: A}, {text: B}]}
injects:
  call: {at: 1m, message: {from: The owner, text: Hello.}, script: Call.}
"""
FRENCH = """\
scenario: {title: Petit}
roles: {solver: {title: Chercheur}}
tasks: {colour: {title: Couleur, answer: vert, hints: [{text: Un}, {text: Deux}]}}
injects: {call: {message: {from: Le propriétaire, text: Bonjour.}, script: Appelez.}}
"""


@pytest.fixture
def retranslate(tmp_path: Path) -> Callable[..., list[str]]:
    """Change the French of a scenario, or the scenario, and return what is said of it."""

    def said(old: str, new: str) -> list[str]:
        found = []
        for name, texts in (
            ("first", (TRANSLATED, FRENCH)),
            ("second", (TRANSLATED.replace(old, new), FRENCH.replace(old, new))),
        ):
            folder = tmp_path / name / "small"
            (folder / "text").mkdir(parents=True)
            (folder / "scenario.yaml").write_text(texts[0])
            if texts[1]:
                (folder / "text" / "fr.yaml").write_text(texts[1])
            found.append(load(folder))
        return [difference.text for difference in differences(*found)]

    return said


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Petit", "title: Menu", "in fr, the title is “Menu” instead of “Petit”"),
        (
            "title: Couleur",
            "title: Teinte",
            "in fr, the title of the task colour is “Teinte” instead of “Couleur”",
        ),
        (
            "text: Deux",
            "text: 'Non'",
            "in fr, the hint 2 of the task colour is “Non” instead of “Deux”",
        ),
        (
            "text: Bonjour.",
            "text: Allô.",
            "in fr, the message text of the inject call is “Allô.” instead of “Bonjour.”",
        ),
        ("answer: vert", "answer: vertes", "in fr, the task colour has another right answer"),
        ("text: Hello.", "text: Hi.", "the inject call says something else"),
        ("ask: Which?", "ask: What?", "the task colour asks “What?” instead of “Which?”"),
        (
            "title: Couleur",
            "ask: Laquelle ?, title: Couleur",
            "in fr, the ask of the task colour is “Laquelle ?” instead of “Which?”",
        ),
    ],
)
def test_what_is_another_in_a_translation_is_told_once(
    retranslate: Callable[..., list[str]], old: str, new: str, said: str
) -> None:
    (told,) = retranslate(old, new)
    assert told.startswith(said)


def test_a_language_more_or_less_is_one_sentence(retranslate: Callable[..., list[str]]) -> None:
    assert retranslate(FRENCH, "") == ["it can be read in fr no more"]


def test_what_is_right_or_for_instructors_in_a_translation_is_not_told(
    retranslate: Callable[..., list[str]],
) -> None:
    assert retranslate("script: Appelez.", "script: Parlez.") == []
