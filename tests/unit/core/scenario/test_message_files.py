"""What authors are told of files that go with messages."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.lint import lint
from core.scenario.load import load
from tests.unit.core.scenario.texts import WITH_HOSTS

Lint = Callable[[str], list[str]]

RIGHT = (
    WITH_HOSTS
    + """\
injects:
  press:
    at: 1m
    message:
      text: Read this.
      files:
        - {from: text/press.pdf, name: press release.pdf}
        - {from: text/press.pdf}
        - {template: text/notice.txt.j2}
"""
)


@pytest.fixture
def texts(small: Path) -> Path:
    folder = small / "text"
    folder.mkdir()
    (folder / "press.pdf").write_bytes(b"\xff\x00")
    (folder / "notice.txt.j2").write_text("{% if team.number %}{{ team.name }}{% endif %}")
    return folder


@pytest.mark.usefixtures("texts")
def test_a_file_may_be_generated_and_then_has_a_name(lint_text: Lint) -> None:
    log = """\
        - generate: ssh-bruteforce
          name: auth.log
          with: {user: pi, at: "{{ exercise.start | shift('-2h') }}"}
"""
    assert lint_text(RIGHT + log) == []
    for old, new, told in (
        ("name: auth.log", "x-name: auth.log", "a file that is generated needs a name"),
        ("user: pi", "user: pi, attempt: 1", "unknown key 'attempt' (did you mean attempts?)"),
        ("'-2h'", "'-200d'", "this spans 201 days"),
        ("generate:", "template: a.j2\n          generate:", "exactly one of from, template, gen"),
        ("ssh-bruteforce", "file-tree", "a message takes single files"),
    ):
        spoilt = log.replace(old, new)
        if new == "file-tree":
            spoilt = spoilt.replace("user: pi, ", "")
        problems = lint_text(RIGHT + spoilt)
        assert [p for p in problems if told in p and ": error: " in p], problems


@pytest.mark.usefixtures("texts")
def test_files_are_called_as_the_author_says_or_as_they_are(small: Path, lint_text: Lint) -> None:
    assert lint_text(RIGHT) == []
    message = load(small).scenario.injects["press"].message
    assert message is not None
    names = [file.shown_name for file in message.files]
    assert names == ["press release.pdf", "press.pdf", "notice.txt"]


ONE = "        - {from: text/press.pdf}\n"
SPOILT = {
    "not there": ("from: text/press.pdf}", "from: text/pres.pdf}", "no file text/pres.pdf"),
    "a folder": ("from: text/press.pdf}", "from: text}", "there is no file text in"),
    "template not there": ("notice.txt.j2", "notice.j2", "no file text/notice.j2"),
    "outside": ("text/press.pdf}", "../small/text/press.pdf}", "inside the scenario's folder"),
    "absolute": ("text/press.pdf}", "/etc/passwd}", "inside the scenario's folder"),
    "no source": ("{from: text/press.pdf}", "{name: x}", "exactly one of from, template"),
    "two sources": ("{from:", "{template: text/a.j2, from:", "exactly one of from, template"),
    "a path for a name": ("press release.pdf", "text/press.pdf", "is not a file's name"),
    "no name": ("name: press release.pdf", "name: ''", "is not a file's name"),
    "name of a folder": ("name: press release.pdf", "name: '..'", "is not a file's name"),
    "a name of two lines": ("press release.pdf", '"a\\nb"', "is not a file's name"),
    "a name per team": ("press release.pdf", "'{{ team }}'", "before any team exists"),
    "too many": ("files:\n", "files:\n" + 10 * ONE, "at most 10"),
    "unknown key": ("name: press", "names: press", "(did you mean name?)"),
}


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_file_is_told_why(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = SPOILT[case]
    assert right in RIGHT
    problems = lint_text(RIGHT.replace(right, wrong, 1))
    assert [p for p in problems if sentence in p and ": error: " in p], problems


def test_a_link_that_leaves_the_folder_is_refused(texts: Path, lint_text: Lint) -> None:
    secret = texts.parent.parent / "secret"
    secret.write_text("of the site")
    (texts / "press.pdf").unlink()
    (texts / "press.pdf").symlink_to(secret)
    problems = lint_text(RIGHT)
    assert [p for p in problems if "leads out of the scenario's folder" in p], problems


def test_an_error_in_a_template_points_into_the_template(
    small: Path, texts: Path, lint_text: Lint
) -> None:
    (texts / "notice.txt.j2").write_text("Dear\n{{ team.nick }}\n")
    lint_text(RIGHT)
    (problem,) = lint(small)
    assert str(problem).startswith(f"{small}/text/notice.txt.j2:2:1: error: team has no 'nick'")


def test_a_value_in_an_attached_file_is_used(texts: Path, lint_text: Lint) -> None:
    spare = RIGHT.replace("values:\n", "values:\n  spare: {type: flag}\n", 1)
    assert [p for p in lint_text(spare) if "used nowhere" in p]
    (texts / "notice.txt.j2").write_text("{{ values.spare }}")
    assert lint_text(spare) == []
    (texts / "notice.txt.j2").write_text("")
    made = """\
        - generate: shell-history
          name: h
          with: {at: "{{ exercise.start }}", commands: ["{{ values.spare }}"]}
"""
    assert lint_text(spare + made) == []
