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
        ("points: 20", "points: 25", "the task who gives 25 points instead of 20"),
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
