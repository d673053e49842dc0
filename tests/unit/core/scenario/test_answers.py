from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.load import load

Lint = Callable[[str], list[str]]

RIGHT = """\
language: 1
scenario: {id: small, version: 1.0.0, title: Small, kind: investigation, duration: 30m}
roles: {solver: {side: blue, title: Solver}}
values:
  port: {type: port}
  tool: {type: choice, of: [nmap, hydra]}
  key: {type: hex, length: 40}
networks: {lan: {size: /28}}
hosts:
  box:
    title: A box
    image: debian
    networks: {lan: {}}
    accounts: [{name: s, roles: [solver]}]
access: [{roles: [solver], host: box, as: s}]
tasks:
  who: {ask: Who?, answer: {equals: Ђорђе, fold: [accent, script, punctuation]}, points: 1}
  ports: {ask: Which ports?, answer: {set: ["22", "{{ values.port }}", {number: 443}]}}
  steps: {ask: Which steps?, answer: {list: [scanned, {any: [logged in, entered]}, copied]}}
  where:
    ask: Where?
    answer: {any: [{ip: "{{ hosts.box.ip }}"}, {cidr: "{{ networks.lan.subnet }}"}]}
  dns: {ask: Which one?, answer: {ip: "2001:db8::1"}}
  sum: {ask: Which hash?, answer: {hash: "{{ values.key }}"}}
  cve: {ask: Which hole?, answer: {regex: "(?i)cve-2026-[0-9]+|port {{ values.port }}"}}
  both: {ask: Which key?, answer: {all: [{regex: "[0-9a-f]+"}, {hash: 00ff}]}}
  tool:
    ask: Which tool?
    answer:
      choice: "{{ values.tool }}"
      of: {nmap: Nmap, hydra: "Hydra {{ team.name }}"}
"""

SPOILT = {
    "not an address": ('ip: "2001:db8::1"', "ip: 10.0.0.256", "'10.0.0.256' is not an address"),
    "no address for a team": ("{{ hosts.box.ip }}", "{{ values.tool }}", "is not an address"),
    "bits behind the prefix": (
        '"{{ networks.lan.subnet }}"',
        "10.1.2.3/28",
        "'10.1.2.3/28' is not a network; write one like 10.1.2.0/28",
    ),
    "no network for a team": ("{{ networks.lan.subnet }}", "{{ values.port }}/8", "not a network"),
    "not a hash": ("hash: 00ff", "hash: 00fg", "'00fg' is not a hash: hexadecimal digits only"),
    "no hash for a team": ("{{ values.key }}", "{{ values.tool }}", "is not a hash"),
    "looks back": ('"[0-9a-f]+"', r"'(.)\1'", r"RE2 does not take this expression"),
    "looks ahead": ('"[0-9a-f]+"', r"'(?=x)x'", "RE2 does not take this expression"),
    "takes too much": ('"[0-9a-f]+"', "'((a{900}){900})'", "RE2 does not take this expression"),
    "expression of a template": ("port {{", "[ {{", "RE2 does not take this expression"),
    "no such option": ("{{ values.tool }}", "nmpa", "'nmpa' is not one of nmap, hydra"),
    "no option for a team": ("{{ values.tool }}", "{{ values.port }}", "not one of nmap, hydra"),
    "only one option": ("{nmap: Nmap, hydra", "{hydra", "at least 2 items"),
    "options below another answer": (
        "[logged in, entered]",
        "[{choice: a, of: {}}]",
        "exactly one",
    ),
    "a set of lists": ("{number: 443}", "{any: [{list: [a]}]}", "not a set or list itself"),
    "an empty list": ("[scanned, {any: [logged in, entered]}, copied]", "[]", "at least 1 item"),
    "unknown fold": ("accent, script", "accents", "is not one of"),
    "unknown key": ("{number: 443}", "{number: 443, with: 1}", "did you mean within?"),
}


def test_answers_of_every_kind_are_read(lint_text: Lint) -> None:
    assert lint_text(RIGHT) == []


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_answer_is_told_why_and_where(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = SPOILT[case]
    assert RIGHT.count(right) == 1
    line = RIGHT[: RIGHT.index(right)].count("\n") + 1
    problems = [p for p in lint_text(RIGHT.replace(right, wrong)) if ": error: " in p]
    assert [p for p in problems if sentence in p], problems
    assert all(line - 1 <= int(p.split(":")[0]) <= line for p in problems)


@pytest.mark.parametrize(
    "answer", ["{set: [green, red]}", "{all: [green]}", "{any: [{list: [green]}]}", "{hash: beef}"]
)
def test_an_answer_inside_another_is_seen_to_be_given_away(lint_text: Lint, answer: str) -> None:
    text = RIGHT.replace("Which hole?", "Is it green beef?").replace("{hash: 00ff}", "{hash: 00fe}")
    (problem,) = lint_text(text.replace('{ip: "2001:db8::1"}', answer))
    assert "gives away the answer to dns" in problem


def test_options_are_read_in_the_order_of_their_author(small: Path, lint_text: Lint) -> None:
    lint_text(RIGHT)
    answer = load(small).scenario.tasks["tool"].model_dump()["answer"]
    assert list(answer["of"]) == ["nmap", "hydra"]
