"""What authors are told of injects, and of tasks that follow them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from core.scenario.load import load
from tests.unit.core.scenario.texts import SMALLEST, WITH_HOSTS

Lint = Callable[[str], list[str]]

INJECTS = """\
injects:
  brief: {at: 0m, message: {from: Duty officer, text: "You are on shift, {{ team.name }}."}}
  day: {at: 2m, every: 4m, until: 20m, host: box, run: [/opt/day], timeout: 20s}
  note: {after: brief, wait: 5m, host: box, run: [/opt/note], expect: {task: serve, within: 9m}}
  press: {after: note, message: {to: solver, text: Well?}, expect: {reply: text, within: 5m}}
  wave: {when: {check: up, passing: 5m, before: 20m}, host: box, run: [/opt/wave]}
  tip: {when: {task: found, open_at: 15m}, message: {text: Look again.}, cost: 5}
  praise: {when: {task: found, solved: true}, message: {text: Well done.}, late: skip}
  call: {manual: true, title: The call, script: Ask for a status.}
  cut: {manual: true, link: {network: lan, loss: 100%, for: 2m}}
  slow: {manual: true, link: {host: box, delay: 200ms, rate: 512kbit}}
  mend: {manual: true, link: {host: box, restore: true}}
  dark: {at: 20m, host: box, do: stop}
  light: {after: dark, wait: 2m, host: box, do: start}
"""
RIGHT = WITH_HOSTS.replace(
    "checks: [up]", "checks: [up], opens: {with: note}, due: {after: note, within: 9m}"
)
RIGHT += INJECTS


def test_every_kind_of_inject_is_read(small: Path, lint_text: Lint) -> None:
    assert lint_text(RIGHT) == []
    injects = load(small).scenario.injects
    told = ["brief", "day", "note", "press", "wave", "tip", "praise", "call"]
    assert list(injects) == [*told, "cut", "slow", "mend", "dark", "light"]
    slow = injects["slow"].link
    assert slow is not None
    assert (slow.delay, slow.rate) == (timedelta(milliseconds=200), 512_000)
    assert injects["day"].timeout == timedelta(seconds=20)
    assert [name for name, inject in injects.items() if inject.reaches_out] == [
        "day",
        "note",
        "wave",
        "cut",
        "slow",
        "mend",
        "dark",
        "light",
    ]


SPOILT = {
    "two triggers": ("at: 0m,", "at: 0m, manual: true,", "this one has at and manual"),
    "no trigger": ("at: 0m, ", "", "exactly one of at, after, when, manual"),
    "no action": (", script: Ask for a status.", "", "at least one of message, run"),
    "wait without after": ("at: 0m,", "at: 0m, wait: 1m,", "wait is for after"),
    "a condition that repeats": ("{when: {check", "{every: 1m, when: {check", "fire once"),
    "until without every": ("every: 4m, ", "", "until is for every"),
    "run without host": ("host: box, run: [/opt/wave]", "run: [/opt/wave]", "run and do need host"),
    "host without anything": ("host: box, do: stop", "host: box, script: x", "one of them"),
    "stop and run": ("do: stop", "do: stop, run: [a]", "host needs one of them"),
    "unknown deed": ("do: stop", "do: sotp", "(did you mean stop?)"),
    "link of nothing": ("{network: lan, loss", "{loss", "either network or host"),
    "link unchanged": ("{network: lan, loss: 100%, for: 2m}", "{network: lan}", "some of down"),
    "restored and cut": ("restore: true", "restore: true, down: true", "or else restore"),
    "restored for a while": ("restore: true", "restore: true, for: 1m", "restore makes none"),
    "unknown network of a link": ("{network: lan,", "{network: lam,", "(did you mean lan?)"),
    "unknown host of a link": ("{host: box, delay", "{host: bax, delay", "(did you mean box?)"),
    "not a rate": ("512kbit", "512k", "write it like 512kbit"),
    "not a delay": ("200ms", "fast", "write it like 200ms"),
    "a command too long": ("timeout: 20s", "timeout: 11m", "10m at most"),
    "two conditions": ("{task: found, solved", "{check: up, task: found, solved", "either check"),
    "a task of no moment": ("task: found, solved: true", "task: found", "either open_at or solved"),
    "a task that passes": ("solved: true}", "solved: true, passing: 1m}", "passing is for a check"),
    "cost of no task": (
        "{manual: true, ",
        "{manual: true, cost: 5, ",
        "taken from the task that when names",
    ),
    "reply to nothing": (
        "script: Ask for a status.",
        "script: Ask., expect: {reply: text, within: 1m}",
        "a reply needs a message",
    ),
    "two responses": ("{reply: text,", "{reply: text, task: found,", "either task or reply"),
    "unknown inject": ("after: note, m", "after: nots, m", "injects has no 'nots'"),
    "unknown host": ("host: box, run: [/opt/wave]", "host: bix, run: [a]", "(did you mean box?)"),
    "unknown check": ("check: up, passing", "check: upp, passing", "checks has no 'upp'"),
    "unknown task": ("task: found, open", "task: fond, open", "(did you mean found?)"),
    "unknown role": ("to: solver", "to: slover", "(did you mean solver?)"),
    "unknown task expected": ("{task: serve,", "{task: srve,", "(did you mean serve?)"),
    "opens with nothing": ("{with: note}", "{with: nota}", "(did you mean note?)"),
    "due after nothing": ("due: {after: note", "due: {after: nite", "(did you mean note?)"),
    "a circle": ("brief: {at: 0m,", "brief: {after: press,", "brief → press → note → brief"),
    "two deadlines": ("{task: serve, within: 9m}", "{task: serve, within: 8m}", "another time"),
    "unknown key": ("late: skip", "latte: skip", "(did you mean late?)"),
    "undefined name in a message": ("team.name", "team.nick", "has no 'nick'"),
    "undefined name in a command": ("[/opt/wave]", '["{{ values.x }}"]', "values has no 'x'"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_inject_is_told_why(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = SPOILT[case]
    assert right in RIGHT
    problems = lint_text(RIGHT.replace(right, wrong, 1))
    assert [p for p in problems if sentence in p and ": error: " in p], problems


def test_an_inject_that_waits_for_what_only_it_opens_is_a_circle(lint_text: Lint) -> None:
    text = RIGHT.replace(
        "note: {after: brief, wait: 5m,", "note: {when: {task: serve, solved: true},"
    )
    problems = lint_text(text)
    assert [p for p in problems if "a circle: note → note" in p], problems


def test_availability_neither_opens_nor_is_expected(lint_text: Lint) -> None:
    text = RIGHT.replace("checks: [up],", "availability: up,")
    problems = lint_text(text)
    assert [p for p in problems if "unknown key 'opens'" in p], problems
    text = RIGHT.replace("serve: {", "keep: {title: Keep, availability: up}\n  serve: {")
    problems = lint_text(text.replace("expect: {task: serve", "expect: {task: keep"))
    assert [p for p in problems if "keep is never solved" in p], problems


WARNED = {
    "after the end": ("brief: {at: 0m", "brief: {at: 30m", "this comes after the end"),
    "cost above the task": ("cost: 5", "cost: 6", "more than the 5 points of the task"),
    "answer in a message": ("Look again.", "Green it is.", "gives away the answer to colour"),
}


@pytest.mark.parametrize("case", WARNED)
def test_what_is_probably_not_meant_is_warned_of(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = WARNED[case]
    (problem,) = lint_text(RIGHT.replace(right, wrong, 1))
    assert ": warning: " in problem
    assert sentence in problem


def test_injects_alone_make_an_exercise_and_nothing_at_all_does_not(lint_text: Lint) -> None:
    without = SMALLEST.replace(
        "tasks: {colour: {ask: Which colour?, answer: green, points: 5}}\n", ""
    )
    assert lint_text(without + "injects: {call: {manual: true, script: Call.}}\n") == []
    (problem,) = lint_text(without)
    assert "a scenario needs tasks or injects" in problem
