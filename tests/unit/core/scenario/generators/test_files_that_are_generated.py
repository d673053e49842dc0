"""What authors are told of `generate` and `with`."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.scenario.lint import lint
from core.scenario.load import load
from tests.unit.core.scenario.texts import WITH_HOSTS

Lint = Callable[[str], list[str]]

GENERATED = (
    "{to: /var/log/auth.log, generate: ssh-bruteforce, with: "
    "{user: pi, attempts: 12, at: \"{{ exercise.start | shift('-2h') }}\"}}"
)
RIGHT = WITH_HOSTS.replace("    files: [", f"    files: [{GENERATED}, ")
SPOILT = {
    "unknown": ("ssh-bruteforce", "ssh-brutforce", "(did you mean ssh-bruteforce?)"),
    "two sources": ("{to: /var", "{text: x, to: /var", "exactly one of from, template, text, gen"),
    "with alone": ("generate: ssh-bruteforce", "text: x", "with is for generate"),
    "unknown key": ("attempts:", "attempt:", "unknown key 'attempt' (did you mean attempts?)"),
    "missing": ("user: pi, ", "", "user is missing"),
    "text for a number": ("attempts: 12", 'attempts: "12"', "a whole number is wanted here"),
    "too many": ("attempts: 12", "attempts: 20001", "less than or equal to 20000"),
    "too many for a team": ("attempts: 12", 'attempts: "{{ 20001 }}"', "less than or equal"),
    "no number for a team": ("attempts: 12", 'attempts: "{{ values.flag }}"', "valid integer"),
    "not an address": ("user: pi", "user: pi, from: there", "'there' is not an IPv4 address"),
    "not a network": ("user: pi", "user: pi, network: 10.0.0.0/30", "no place for an office"),
    "not a login": ("user: pi", "user: pi, people: ['{{ team.name }}']", "have the form ^[a-z_]"),
    "not a level": ("user: pi", "user: pi, noise: hi", "(did you mean high?)"),
    "not an instant": ("at: \"{{ exercise.start | shift('-2h') }}\"", "at: 9am", "not an instant"),
    "no zone": ("shift('-2h') }}", "time('%Y-%m-%d') }}", "has no zone"),
    "too long ago": ("shift('-2h')", "shift('-90d')", "this spans 91 days"),
    "unknown value": ("user: pi", 'user: "{{ values.usr }}"', "values has no 'usr'"),
    "a folder": ("/var/log/auth.log", "/var/log/", "is a folder; write the file's own path"),
}


def test_a_file_may_be_generated(lint_text: Lint) -> None:
    assert lint_text(RIGHT) == []


@pytest.mark.parametrize(("old", "new", "told"), SPOILT.values(), ids=SPOILT)
def test_what_is_wrong_is_told_once_and_where_it_stands(
    lint_text: Lint, old: str, new: str, told: str
) -> None:
    text = RIGHT.replace(old, new, 1)
    problems = [p for p in lint_text(text) if ": error: " in p]
    assert len(problems) == 1
    assert told in problems[0]
    line = next(n for n, line in enumerate(text.splitlines(), 1) if "files: [" in line)
    assert problems[0].startswith(f"{line}:")


def test_the_position_is_the_parameters_own(lint_text: Lint) -> None:
    text = RIGHT.replace("attempts: 12", 'attempts: "{{ 20001 }}"')
    line, column = next(
        (n, line.index('"{{ 20001') + 1)
        for n, line in enumerate(text.splitlines(), 1)
        if "20001" in line
    )
    (problem,) = lint_text(text)
    assert problem.startswith(f"{line}:{column}: error: input should be less than")


def test_an_authors_own_keys_are_left_alone(small: Path) -> None:
    text = RIGHT.replace("user: pi", 'user: pi, x-why: "{{ nothing }}"')
    (small / "scenario.yaml").write_text(text)
    assert lint(small) == ()
    assert load(small).scenario.hosts["box"].files[0].generate == "ssh-bruteforce"


_BEGIN = RIGHT.index("{to: /var")
_WORDS = ("{{", "}}", "[", "]", "{", "}", ":", ",", " ", "x-", "1", "~", *GENERATED.split())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(_BEGIN, _BEGIN + len(GENERATED)),
    st.integers(0, 20),
    st.lists(st.sampled_from(_WORDS), max_size=4).map("".join),
)
def test_whatever_is_typed_lint_answers(lint_text: Lint, at: int, removed: int, typed: str) -> None:
    text = RIGHT[:at] + typed + RIGHT[at + removed :]
    assert all(": error: " in p or ": warning: " in p for p in lint_text(text))
