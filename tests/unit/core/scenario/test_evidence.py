"""Evidence in the language: what is asked for, and what is wrong with it."""

from collections.abc import Callable

import pytest

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
""",
    )
    .replace("checks: [up]", "checks: [up, imaged]")
)

WRONG = {
    "no such host": ("command: {host: box", "command: {host: bax", "did you mean box?"),
    "no such check": ("before: {check: up}", "before: {check: op}", "checks has no 'op'"),
    "no such inject": ("before: {check: up}", "before: {inject: x}", "injects has no 'x'"),
    "no record": ("    record: {commands: true}\n", "", "box keeps no commands"),
    "no pattern": ("'dd .*if={{ values.port }}.*'", "'dd ('", "RE2 does not take"),
    "itself": ("before: {check: up}", "after: {check: imaged}", "imaged waits for itself"),
    "two at once": ("before: {check: up}", "before: {check: up, inject: x}", "exactly one of"),
    "a place": ("  imaged:\n", "  imaged:\n    host: box\n", "takes neither host nor from"),
    "two probes": ("  imaged:\n", "  imaged:\n    tcp: 80\n", "exactly one of"),
    "what is kept": (
        "checks: [up, imaged], points: 5",
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
