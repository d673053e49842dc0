"""Texts in other languages: what fits is read, the rest is told with its file and line."""

from pathlib import Path

import pytest

from core.scenario.lint import lint
from core.scenario.load import load
from core.scenario.positions import Severity
from core.scenario.schema_answers import AnyOf, Equals
from core.scenario.schema_tasks import QuestionTask

SCENARIO = """\
language: 1
scenario:
  {id: small, version: 1.0.0, title: Small, summary: Look., kind: investigation, duration: 30m,
   languages: [en, fr, sr]}
roles: {solver: {side: blue, title: Solver}}
values: {door: {type: choice, of: [north, south]}}
tasks:
  colour: {title: Colour, ask: "Which has the {{ values.door }} door?", answer: green, points: 5}
  shade: {ask: Which shade?, answer: {any: [dark, {equals: deep, fold: []}]}}
injects:
  call: {at: 1m, message: {from: The owner, text: Hello.}}
"""
FRENCH = """\
scenario: {title: Petit, summary: Regardez.}
roles: {solver: {title: Enquêteur}}
tasks:
  colour: {title: La couleur, ask: "Quelle couleur a la porte {{ values.door }} ?", answer: vert}
  shade: {ask: Quelle nuance ?, answer: {any: [foncé]}}
injects:
  call: {message: {from: Le propriétaire, text: Bonjour.}}
"""
SERBIAN = FRENCH.replace("Petit", "Mali")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "small"
    (root / "text").mkdir(parents=True)
    (root / "scenario.yaml").write_text(SCENARIO)
    (root / "text/fr.yaml").write_text(FRENCH)
    (root / "text/sr.yaml").write_text(SERBIAN)
    return root


def told(folder: Path, severity: Severity = Severity.ERROR) -> list[str]:
    """Return what lint says, each as `file:line: message`."""
    return [
        f"{Path(p.file).relative_to(folder)}:{p.line}: {p.message}"
        for p in lint(folder)
        if p.severity is severity
    ]


def spoil(folder: Path, right: str, wrong: str) -> None:
    assert right in FRENCH
    (folder / "text/fr.yaml").write_text(FRENCH.replace(right, wrong))


def test_a_translated_scenario_differs_in_its_texts_alone(folder: Path) -> None:
    loaded = load(folder)
    assert loaded.warnings == ()
    french = loaded.in_language("fr")
    assert (french.scenario.title, french.roles["solver"].title) == ("Petit", "Enquêteur")
    message = french.injects["call"].message
    assert message is not None
    assert (message.from_, message.text) == ("Le propriétaire", "Bonjour.")
    assert french.tasks["colour"].points == loaded.scenario.tasks["colour"].points == 5
    assert french.values == loaded.scenario.values
    assert loaded.in_language("sr").scenario.title == "Mali"


def test_answers_may_be_translated_one_by_one(folder: Path) -> None:
    task = load(folder).in_language("fr").tasks["shade"]
    assert isinstance(task, QuestionTask)
    assert isinstance(task.answer, AnyOf)
    first, second = task.answer.any
    assert isinstance(first, Equals)
    assert isinstance(second, Equals)
    assert (first.equals, second.equals, second.fold) == ("foncé", "deep", ())


def test_who_reads_another_language_gets_the_first(folder: Path) -> None:
    assert load(folder).in_language("de").scenario.title == "Small"


def test_what_is_not_translated_is_warned_of_and_stays_as_it_is(folder: Path) -> None:
    spoil(folder, ", text: Bonjour.", "")
    (warning,) = told(folder, Severity.WARNING)
    assert warning == "text/fr.yaml:1: injects.call.message.text is not translated"
    message = load(folder).in_language("fr").injects["call"].message
    assert message is not None
    assert (message.from_, message.text) == ("Le propriétaire", "Hello.")


def test_a_missing_file_is_one_warning_at_the_language(folder: Path) -> None:
    (folder / "text/sr.yaml").unlink()
    (warning,) = told(folder, Severity.WARNING)
    assert warning == "scenario.yaml:4: there is no text/sr.yaml: its readers get en"


SPOILT = {
    "unknown key": ("ask: Q", "askk: Q", "5: the scenario has no tasks.shade.askk (did you mean"),
    "unknown task": ("  shade:", "  shape:", "5: the scenario has no tasks.shape (did you mean"),
    "points": ("answer: vert", "points: vert", "4: no text of the scenario stands here"),
    "a list too long": ("any: [foncé]", "any: [a, b, c]", "5: the scenario has only 2 here"),
    "how it is folded": (
        "{any: [foncé]}",
        "{any: [foncé, {fold: [case]}]}",
        "5: the scenario has only 0 here",
    ),
    "a number for a text": ("title: Petit", "title: 5", "1: no text of the scenario stands here"),
    "a name that is not there": ("values.door", "values.dor", "4: values has no 'dor'"),
    "a template that breaskk": ("{{ values.door }}", "{{ values.door", "4: this template fails"),
    "a statement": ("{{ values.door }}", "{% if x %}", "4: {% %} works in template files only"),
    "not plain text": (
        "title: Petit",
        "title: '{{ x }}'",
        "1: this is read before any team exists",
    ),
    "a key twice": (
        "title: Petit,",
        "title: Petit, title: Grand,",
        "1: the key 'title' stands twice",
    ),
    "no YAML": ("tasks:", "tasks: [", "5: this is not YAML"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_translation_is_told_where_it_stands(folder: Path, case: str) -> None:
    right, wrong, sentence = SPOILT[case]
    spoil(folder, right, wrong)
    assert [p for p in told(folder) if p.startswith(f"text/fr.yaml:{sentence}")], lint(folder)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("en", "en is the language of scenario.yaml itself"),
        ("frr", "frr is none of the scenario's languages (did you mean fr?)"),
    ],
)
def test_a_file_for_no_other_language_is_refused(folder: Path, name: str, sentence: str) -> None:
    (folder / f"text/{name}.yaml").write_text(FRENCH)
    assert told(folder) == [f"text/{name}.yaml:1: {sentence}"]


def test_a_translation_does_not_leave_the_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "fr.yaml").write_text(FRENCH)
    (folder / "text/fr.yaml").unlink()
    (folder / "text/fr.yaml").symlink_to(tmp_path / "fr.yaml")
    assert any("leads out of the scenario's folder" in problem for problem in told(folder))


def test_a_scenario_with_errors_is_told_of_these_first(folder: Path) -> None:
    (folder / "scenario.yaml").write_text(SCENARIO.replace("points: 5", "points: x"))
    spoil(folder, "ask: Q", "askk: Q")
    assert all(problem.startswith("scenario.yaml:") for problem in told(folder))


MARKED = SCENARIO.replace(
    "injects:\n",
    """\
  word: {title: A word, rubric: word, points: 5, objective: telling}
competencies: {TELL: {title: Telling}}
objectives: {telling: {title: Tells it, competency: TELL, pass: 50%}}
rubrics:
  word:
    criteria:
      calm: {levels: {0: poor, 1: good}}
      clear: {title: Clear words, levels: {0: none, 2: "As {{ values.door }}"}}
injects:
""",
)
MARKED_FRENCH = FRENCH.replace(
    "injects:\n",
    """\
  word: {title: Un mot}
competencies: {TELL: {title: Raconter}}
objectives: {telling: {title: Le dit}}
rubrics:
  word:
    criteria:
      calm: {title: Calme, levels: {0: mauvais, 1: bon}}
      clear: {title: Clair, levels: {0: rien, 2: "Comme {{ values.door }}"}}
injects:
""",
)


@pytest.fixture
def marked(folder: Path) -> Path:
    (folder / "scenario.yaml").write_text(MARKED.replace("[en, fr, sr]", "[en, fr]"))
    (folder / "text/sr.yaml").unlink()
    (folder / "text/fr.yaml").write_text(MARKED_FRENCH)
    return folder


def test_levels_and_criteria_are_translated_also_those_named_by_their_id(marked: Path) -> None:
    loaded = load(marked)
    assert loaded.warnings == ()
    assert loaded.scenario.rubrics["word"].criteria["calm"].title is None
    french = loaded.in_language("fr")
    criteria = french.rubrics["word"].criteria
    assert [c.title for c in criteria.values()] == ["Calme", "Clair"]
    assert criteria["calm"].levels == {0: "mauvais", 1: "bon"}
    assert french.objectives["telling"].title == "Le dit"


CHECKED = SCENARIO.replace(
    "injects:\n",
    """\
  close: {title: Close, checks: [door_shut], points: 5}
networks: {office: {size: /28}}
hosts: {desk: {title: Desk, image: debian, networks: {office: {}}}}
checks:
  door_shut: {host: desk, run: ["true"]}
  not_shown: {host: desk, run: ["true"]}
injects:
  next: {when: {check: not_shown, passing: 1m}, message: {from: Them, to: all, text: Well.}}
""",
)


def test_a_check_that_a_task_shows_is_translated_also_when_its_id_names_it(folder: Path) -> None:
    (folder / "scenario.yaml").write_text(CHECKED)
    warnings = told(folder, Severity.WARNING)
    assert told(folder) == []
    assert "text/fr.yaml:1: checks.door_shut.title is not translated" in warnings
    assert not any("not_shown.title" in warning for warning in warnings)
    with (folder / "text/fr.yaml").open("a") as french:
        french.write("checks: {door_shut: {title: La porte est fermée}}\n")
    assert not any("fr.yaml:1: checks" in warning for warning in told(folder, Severity.WARNING))
    loaded = load(folder)
    assert loaded.scenario.checks["door_shut"].title is None
    assert loaded.in_language("fr").checks["door_shut"].title == "La porte est fermée"


@pytest.mark.parametrize(
    ("right", "wrong", "warning"),
    [
        ("title: Calme, ", "", "rubrics.word.criteria.calm.title is not translated"),
        (", 1: bon", "", "rubrics.word.criteria.calm.levels.1 is not translated"),
        ("{title: Le dit}", "{}", "objectives.telling.title is not translated"),
    ],
)
def test_a_name_or_level_that_is_not_translated_is_warned_of(
    marked: Path, right: str, wrong: str, warning: str
) -> None:
    assert right in MARKED_FRENCH
    (marked / "text/fr.yaml").write_text(MARKED_FRENCH.replace(right, wrong))
    (told_of,) = told(marked, Severity.WARNING)
    assert told_of.endswith(warning)


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        ("1: bon", "5: bon", "12: the scenario has no rubrics.word.criteria.calm.levels.5"),
        ("calm:", "clam:", "12: the scenario has no rubrics.word.criteria.clam (did you mean"),
        ("title: Calme", "weight: 5", "12: the scenario has no rubrics.word.criteria.calm.weight"),
        ("Comme {{ values.door", "Comme {{ values.dor", "13: values has no 'dor'"),
    ],
)
def test_a_spoilt_level_or_criterion_is_told_where_it_stands(
    marked: Path, right: str, wrong: str, sentence: str
) -> None:
    assert right in MARKED_FRENCH
    (marked / "text/fr.yaml").write_text(MARKED_FRENCH.replace(right, wrong))
    assert [p for p in told(marked) if p.startswith(f"text/fr.yaml:{sentence}")], lint(marked)
