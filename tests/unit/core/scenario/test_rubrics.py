"""What authors are told of tasks that assessors mark, of rubrics, recordings and the end."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.scenario.load import load
from core.scenario.schema_tasks import RubricTask
from tests.unit.core.scenario.texts import WITH_HOSTS

Lint = Callable[[str], list[str]]

RIGHT = (
    WITH_HOSTS.replace("title: Solver}}", "title: Solver}, lead: {side: blue, extends: solver}}")
    + """\
  report:
    title: The report
    submit: {files: [pdf, odt, tar.gz], max: 5m, by: [lead]}
    rubric: incident
    points: 40
    opens: {with: call}
    due: {after: call, within: 20m}
  talk: {title: The talk, ask: Tell us., rubric: spoken, points: 10}
rubrics:
  incident:
    title: A report of an incident
    assessors: 2
    moderate_if_apart: 20%
    criteria:
      timeline: {weight: 3, levels: {0: absent, 1: partial, 2: correct}}
      clarity: {title: Clear words, levels: {0: poor, 1: good}}
  spoken:
    criteria:
      calm: {levels: {0: "no", 1: "yes"}}
injects:
  call:
    at: 1m
    message: {text: Well?}
    expect: {reply: text, rubric: incident, criterion: clarity, within: 9m}
  late: {when: {task: report, open_at: 20m}, message: {text: Where is it?}}
  thanks: {when: {task: report, solved: true}, message: {text: Thank you.}}
  desk:
    manual: true
    script: Ask.
    expect: {task: serve, rubric: spoken, criterion: calm, within: 5m}
end: {freeze: 25m, grace: 5m}
privacy: {recordings: 90d}
"""
).replace(
    "networks: {lan: {}}", "networks: {lan: {}}\n    record: {terminal: true, commands: true}"
)


def test_everything_of_it_is_read(small: Path, lint_text: Lint) -> None:
    assert lint_text(RIGHT) == []
    scenario = load(small).scenario
    report, talk = scenario.tasks["report"], scenario.tasks["talk"]
    assert isinstance(report, RubricTask)
    assert isinstance(talk, RubricTask)
    assert report.submit is not None
    assert (report.submit.max, report.submit.by) == (5 * 2**20, ("lead",))
    assert (report.kind, talk.submit) == ("rubric", None)
    rubric = scenario.rubrics["incident"]
    assert (rubric.assessors, rubric.moderate_if_apart) == (2, Fraction(1, 5))
    assert rubric.criteria["timeline"].levels == {0: "absent", 1: "partial", 2: "correct"}
    assert rubric.criteria["clarity"].weight == 1
    assert scenario.hosts["box"].record.terminal
    assert (scenario.end.freeze, scenario.end.grace) == (
        timedelta(minutes=25),
        timedelta(minutes=5),
    )
    assert scenario.privacy.recordings == timedelta(days=90)


def test_what_is_left_out_has_a_default(small: Path, lint_text: Lint) -> None:
    text = RIGHT.replace(", max: 5m, by: [lead]", "").replace("{freeze: 25m, grace: 5m}", "{}")
    assert lint_text(text) == []
    scenario = load(small).scenario
    report = scenario.tasks["report"]
    assert isinstance(report, RubricTask)
    assert report.submit is not None
    assert (report.submit.max, report.submit.by) == (10 * 2**20, ())
    assert (scenario.end.freeze, scenario.end.grace) == (None, None)
    assert scenario.rubrics["spoken"].assessors == 1


SPOILT = {
    "unknown rubric": (
        "rubric: incident\n    points",
        "rubric: incidents\n    points",
        "rubrics has no 'incidents' (did you mean incident?)",
    ),
    "unknown role": ("by: [lead]", "by: [led]", "roles has no 'led' (did you mean lead?)"),
    "unknown objective": ("rubric: spoken,", "rubric: spoken, objective: x,", "objectives has no"),
    "no rubric": ("    rubric: incident\n    points", "    points", "a task needs exactly one of"),
    "a submission and an answer": (
        "rubric: incident\n    points",
        "answer: x\n    points",
        "unknown key 'submit'",
    ),
    "hints": ("rubric: spoken,", "rubric: spoken, hints: [{text: x}],", "unknown key 'hints'"),
    "no types": ("[pdf, odt, tar.gz]", "[]", "at least 1 item"),
    "a type with its dot": ("[pdf,", "[.pdf,", "write it like pdf, without a dot"),
    "a type in capitals": ("[pdf,", "[PDF,", "write it like pdf"),
    "a type twice": ("[pdf, odt", "[pdf, pdf", "files names pdf twice"),
    "a role twice": ("[lead]", "[lead, lead]", "by names lead twice"),
    "files of no size": ("max: 5m", "max: 0m", "1k at least and 100m at most"),
    "huge files": ("max: 5m", "max: 1g", "1k at least and 100m at most"),
    "a bare size": ("max: 5m", "max: 5", "is not a size"),
    "no weight": ("weight: 3", "weight: 0", "greater than or equal to 1"),
    "no levels": (", levels: {0: absent, 1: partial, 2: correct}", "", "levels is missing"),
    "one level": ("{0: absent, 1: partial, 2: correct}", "{1: correct}", "at least 2 items"),
    "a level below nothing": ("{0: absent", "{-1: absent", "greater than or equal to 0"),
    "a level in words": ("{0: absent", "{none: absent", "a whole number is wanted"),
    "a level that says nothing": ("0: absent", "0: ''", "at least 1 character"),
    "no criteria": ('\n      calm: {levels: {0: "no", 1: "yes"}}', " {}", "at least 1 item"),
    "no assessor": ("assessors: 2", "assessors: 0", "greater than or equal to 1"),
    "one who is apart": ("    assessors: 2\n", "", "a single assessor is never apart"),
    "rubric without criterion": (", criterion: clarity", "", "which of its criteria is it?"),
    "criterion without rubric": ("rubric: incident, criterion", "criterion", "need each other"),
    "unknown rubric of an inject": (
        "rubric: incident, criterion",
        "rubric: incdent, criterion",
        "rubrics has no 'incdent' (did you mean incident?)",
    ),
    "unknown criterion": (
        "criterion: clarity",
        "criterion: clarty",
        "incident has no criterion 'clarty' (did you mean clarity?)",
    ),
    "a criterion of another rubric": (
        "criterion: clarity",
        "criterion: calm",
        "incident has no criterion 'calm'",
    ),
    "a criterion marked twice": (
        "rubric: spoken, criterion: calm",
        "rubric: incident, criterion: clarity",
        "clarity is marked at call already",
    ),
    "a criterion marked again and again": (
        "    at: 1m\n",
        "    at: 1m\n    every: 5m\n",
        "clarity is marked once, and this inject repeats",
    ),
    "a criterion of two tasks": (
        "rubric: spoken, points",
        "rubric: incident, points",
        "incident marks report and talk: for which of them is this?",
    ),
    "a talk that is expected": (
        "expect: {task: serve,",
        "expect: {task: talk,",
        "talk is never solved: assessors mark it",
    ),
    "a talk that is solved": (
        "{task: report, solved: true}",
        "{task: talk, solved: true}",
        "talk is never solved: assessors mark it",
    ),
    "a report that pays": (
        "open_at: 20m}, message",
        "open_at: 20m}, cost: 1, message",
        "report is marked by assessors, and pays for nothing",
    ),
    "a report that pays for resets": (
        "    record:",
        "    reset: {by: [lead], cost: {task: report, points: 1}}\n    record:",
        "report is marked by assessors, and pays for nothing",
    ),
    "a board that freezes late": ("freeze: 25m", "freeze: 31m", "the board freezes after the end"),
    "a board that never shows": ("freeze: 25m", "freeze: 0m", "must be longer than nothing"),
    "recordings kept for no time": ("recordings: 90d", "recordings: 0d", "longer than nothing"),
    "recordings kept for 90": ("recordings: 90d", "recordings: 90", "is not a duration"),
    "keys of no terminal": ("terminal: true", "input: true", "with the terminal only"),
    "an unknown recording": ("terminal: true", "terminals: true", "(did you mean terminal?)"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_wrong_is_told_why(lint_text: Lint, case: str) -> None:
    right, wrong, sentence = SPOILT[case]
    assert right in RIGHT
    problems = lint_text(RIGHT.replace(right, wrong, 1))
    assert [p for p in problems if sentence in p and ": error: " in p], problems


def test_errors_stand_where_their_author_looks(lint_text: Lint) -> None:
    text = RIGHT.replace("by: [lead]", "by: [led]").replace("1: partial,", "one: partial,")
    text = text.replace("criterion: calm", "criterion: clam").replace("freeze: 25m", "freeze: 1h")
    lines = text.splitlines()

    def at(word: str) -> str:
        number, line = next((n, text) for n, text in enumerate(lines, 1) if word in text)
        return f"{number}:{line.index(word) + 1}"

    assert [problem.partition(": error: ")[0] for problem in lint_text(text)] == [
        at("led]"),
        at("one: partial"),
        at("clam"),
        at("1h, grace"),
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("rubric: spoken, points: 10", "answer: x", "spoken moves no points: no task"),
        (
            "injects:\n",
            "  idle: {criteria: {x: {levels: {0: a, 1: b}}}}\ninjects:\n",
            "nothing is marked by the rubric idle",
        ),
        (
            "      timeline: {weight: 3, levels: {0: absent, 1: partial, 2: correct}}\n",
            "",
            "every criterion of incident is marked at injects, and none by the file",
        ),
        ("0: absent, 1: partial", "1: absent, 3: partial", "the lowest level is 1: nobody"),
        ("files: [pdf", "files: [key", "whether a file is really a key"),
        ("title: The report", "x-title: x", "trainees would see the id only"),
    ],
)
def test_what_is_doubtful_is_warned_of(
    lint_text: Lint, right: str, wrong: str, sentence: str
) -> None:
    assert right in RIGHT
    (problem,) = lint_text(RIGHT.replace(right, wrong, 1))
    assert ": warning: " in problem
    assert sentence in problem


def test_a_rubric_with_an_error_is_there_all_the_same(lint_text: Lint) -> None:
    (problem,) = lint_text(RIGHT.replace("weight: 3", "weight: 0"))
    assert "greater than or equal to 1" in problem


def test_a_secret_in_a_rubric_alone_is_in_no_world(lint_text: Lint) -> None:
    text = RIGHT.replace("  flag: {type: flag}\n", "  flag: {type: flag}\n  pw: {type: password}\n")
    (problem,) = lint_text(text.replace("2: correct}", "2: '{{ values.pw }}'}"))
    assert "pw stands in a text only" in problem


_TEXTS = st.text(alphabet="abc xyz", min_size=1, max_size=8).map(lambda text: f"a{text}")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    levels=st.dictionaries(st.integers(0, 100), _TEXTS, min_size=2, max_size=20),
    weight=st.integers(1, 1000),
)
def test_any_levels_and_weight_within_limits_are_read_as_they_are(
    small: Path, levels: dict[int, str], weight: int
) -> None:
    written = ", ".join(f"{level}: '{text}'" for level, text in levels.items())
    text = RIGHT.replace("weight: 3", f"weight: {weight}")
    text = text.replace("0: absent, 1: partial, 2: correct", written)
    (small / "scenario.yaml").write_text(text)
    criterion = load(small).scenario.rubrics["incident"].criteria["timeline"]
    assert (criterion.weight, criterion.levels) == (weight, levels)
