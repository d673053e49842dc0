"""Evidence in the language: what is asked for, and what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.difference import differences
from core.scenario.load import load
from tests.unit.core.scenario.texts import WITH_HOSTS

Lint = Callable[[str], list[str]]

WITH_EVIDENCE = (
    WITH_HOSTS.replace(
        "    accounts: [{name: solver",
        "    record: {commands: true}\n    accounts: [{name: solver",
    )
    .replace(
        "  up: {host: box, tcp: 80}\n",
        """\
  up: {host: box, tcp: 80}
  imaged:
    evidence:
      command: {host: box, matches: 'dd .*if={{ values.port }}.*'}
      before: {check: up}
      within: 10m
  carried:
    evidence:
      file: {host: box, matches: '/srv/{{ values.port }}/.*', moved: out, sha256: "DIGEST"}
      after: {file: {host: box, matches: '.*/key', sha256: "{{ 'a key' | sha256 }}"}}
""".replace("DIGEST", "5e" * 32),
    )
    .replace("checks: [up]", "checks: [up, imaged, carried]")
)

WRONG = {
    "no such host": ("command: {host: box", "command: {host: bax", "did you mean box?"),
    "no such check": ("before: {check: up}", "before: {check: op}", "checks has no 'op'"),
    "no such inject": ("before: {check: up}", "before: {inject: x}", "injects has no 'x'"),
    "no record": ("    record: {commands: true}\n", "", "box keeps no commands"),
    "no pattern": ("'dd .*if={{ values.port }}.*'", "'dd ('", "RE2 does not take"),
    "itself": ("before: {check: up}", "after: {check: imaged}", "imaged waits for itself"),
    "no such host of a file": (
        "file: {host: box, matches: '.*",
        "file: {host: bax, matches: '.*",
        "did you mean box?",
    ),
    "no pattern of a file": ("'.*/key'", "'.*/(key'", "28:42: error: RE2 does not take"),
    "no pattern once it is filled in": ("/srv/{{", "/srv/({{", "RE2 does not take"),
    "a name for a path": ("'.*/key'", "key", "no path begins like this"),
    "no way": ("moved: out", "moved: away", "'away' is not one of in, out"),
    "no digest": ("5e" * 32, "5e", "'5e' is not a SHA-256: 64 hexadecimal digits"),
    "no digest once it is filled in": (" | sha256 }}", " }}", "is not a SHA-256"),
    "a file and a command": (
        "      file: {",
        "      command: {host: box, matches: x}\n      file: {",
        "exactly one of command, file, check",
    ),
    "a file and a check before": (
        "after: {file",
        "after: {check: up, file",
        "exactly one of command, file, check, inject",
    ),
    "two at once": ("before: {check: up}", "before: {check: up, inject: x}", "exactly one of"),
    "a place": ("  imaged:\n", "  imaged:\n    host: box\n", "takes neither host nor from"),
    "two probes": ("  imaged:\n", "  imaged:\n    tcp: 80\n", "exactly one of"),
    "what is kept": (
        "checks: [up, imaged, carried], points: 5",
        "availability: imaged, points: 5",
        "evidence stays once it is there",
    ),
    "nothing more": (
        WITH_EVIDENCE[WITH_EVIDENCE.index("      command:") : WITH_EVIDENCE.index("tasks:")],
        "      check: up\n",
        "this says no more than up",
    ),
}


def test_evidence_is_part_of_the_language(lint_text: Lint) -> None:
    assert lint_text(WITH_EVIDENCE) == []


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_evidence_is_told(lint_text: Lint, case: str) -> None:
    before, after, told = WRONG[case]
    assert before in WITH_EVIDENCE
    problems = lint_text(WITH_EVIDENCE.replace(before, after))
    assert any(told in problem for problem in problems), problems


def test_evidence_of_another_file_is_told_as_a_difference(tmp_path: Path) -> None:
    for name, text in (("old", WITH_EVIDENCE), ("new", WITH_EVIDENCE.replace("out", "in"))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "scenario.yaml").write_text(text)
    told = differences(load(tmp_path / "old"), load(tmp_path / "new"))
    assert [one.text for one in told] == ["the check carried wants something else to have happened"]
