from collections.abc import Callable
from pathlib import Path

import pytest

from core.scenario.dry_run import invented_team
from core.scenario.folder import Folder
from core.scenario.importing.importer import Imported, import_file
from core.scenario.load import load
from core.scenario.render import Renderer
from core.scenario.schema import Scenario
from core.scenario.schema_answers import AnyOf, Equals, RegexAnswer
from core.scenario.schema_tasks import QuestionTask

Bring = Callable[[str], tuple[Scenario, Imported]]
Reasons = Callable[[str], list[str]]


def test_a_challenge_is_a_task_whose_flags_are_right(bring: Bring) -> None:
    scenario, _ = bring("challenge.yml")
    task = scenario.tasks["challenge"]
    assert isinstance(task, QuestionTask)
    assert isinstance(task.answer, AnyOf)
    assert [(a.equals, a.fold) for a in task.answer.any if isinstance(a, Equals)] == [
        ("PG{first_word}", ("space",)),
        ("PG{Second}", ("case", "space")),
    ]
    assert [a.regex for a in task.answer.any if isinstance(a, RegexAnswer)] == ["PG\\{.*\\}"]
    assert [(hint.text, hint.cost) for hint in task.hints] == [
        ("Look twice.", 0),
        ("It is in the margin.", 25),
    ]
    assert (task.title, task.points, task.attempts) == ("The clerk's diary", 150, 7)


def test_its_text_and_files_are_a_message(bring: Bring, tmp_path: Path) -> None:
    scenario, _ = bring("challenge.yml")
    message = scenario.injects["brief"].message
    assert message is not None
    assert [file.shown_name for file in message.files] == ["diary.txt", "run.sh"]
    kept = tmp_path / "draft" / (message.files[0].from_ or "")
    assert kept.read_text() == "Dear diary\n"
    folder = Folder(tmp_path / "draft")
    shown = Renderer(folder, invented_team(scenario, folder)).text(message.text)
    assert shown.startswith("The clerk kept a diary. Which word did {{ they }} hide in it?\n\nRead")


def test_its_image_is_a_host_that_a_desk_reaches(bring: Bring, tmp_path: Path) -> None:
    scenario, _ = bring("challenge.yml")
    assert list(scenario.hosts) == ["target", "desk"]
    assert [probe.tcp for probe in scenario.hosts["target"].ready] == [31337]
    assert (tmp_path / "draft" / "images/target/app.py").exists()


def test_what_a_person_must_decide_stands_in_the_draft(bring: Bring, tmp_path: Path) -> None:
    bring("challenge.yml")
    text = " ".join((tmp_path / "draft" / "scenario.yaml").read_text().split())
    for todo in (
        "every team has the same flag",
        "say how to reach it; the file says: nc challenge.example.test 31337",
        "decide which competency it trains: easy",
    ):
        assert f"# TODO: {todo}" in text


def test_more_files_than_a_message_takes_go_in_several(source: Path, tmp_path: Path) -> None:
    names = [f"f{number}.txt" for number in range(12)]
    for name in names:
        (source / name).write_text(name)
    (source / "challenge.yml").write_text(f"name: x\nvalue: 1\nflags: [y]\nfiles: {names}\n")
    import_file(source / "challenge.yml", tmp_path / "draft")
    injects = load(tmp_path / "draft").scenario.injects
    assert [len(i.message.files) for i in injects.values() if i.message] == [10, 2]


def test_a_challenge_without_a_flag_is_a_message(source: Path, tmp_path: Path) -> None:
    (source / "challenge.yml").write_text("name: x\nvalue: 1\ncategory: y\ntype: dynamic\n")
    import_file(source / "challenge.yml", tmp_path / "draft")
    scenario = load(tmp_path / "draft").scenario
    assert not scenario.tasks
    assert list(scenario.injects) == ["brief"]


@pytest.mark.parametrize("number", ["²", "000001" + "9" * 5000, "-1", "1.5", "[1]"])
def test_what_is_no_number_is_none(source: Path, tmp_path: Path, number: str) -> None:
    text = f"name: x\nflags: [y]\nvalue: {number}\nattempts: {number}\n"
    (source / "challenge.yml").write_text(text)
    import_file(source / "challenge.yml", tmp_path / "draft")
    task = load(tmp_path / "draft").scenario.tasks["challenge"]
    assert isinstance(task, QuestionTask)
    assert (task.points, task.attempts) == (100, None)


def test_points_that_decay_are_worth_what_they_are_at_first(source: Path, tmp_path: Path) -> None:
    text = "name: x\ncategory: z\ntype: dynamic\nextra: {initial: 500, decay: 90}\nflags: [y]\n"
    (source / "challenge.yml").write_text(text)
    imported = import_file(source / "challenge.yml", tmp_path / "draft")
    assert load(tmp_path / "draft").scenario.tasks["challenge"].points == 500
    assert "changed type: dynamic: its points stay" in "\n".join(map(str, imported.notes))


REFUSED = {
    "file that is not there": ("files: [no.txt]", "files.0: no.txt: it is not there"),
    "file outside": ("files: [../x]", "files.0: ../x: it lies outside the folder"),
    "only what RE2 does not take": (
        "flags: [{type: regex, content: '(?=x)'}]",
        "no flag of it is a text or an expression",
    ),
    "only a kind of its own": ("flags: [{type: own, content: x}]", "no flag of it is a text"),
    "empty flag": ("flags: ['']", "flags.0: it has no content"),
    "all of several": ("logic: all\nflags: [a, b]", "a task has one right answer, or any"),
    "image outside": ("image: ../x", "'../x': it lies outside the folder"),
    "image without a Dockerfile": ("image: data", "there is no Dockerfile data/Dockerfile"),
    "long text": (f"description: {'x' * 18_001}", "it is longer than 18000 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_carried_over_is_refused(reasons: Reasons, case: str) -> None:
    lines, reason = REFUSED[case]
    assert reason in "\n".join(reasons(f"name: x\nvalue: 5\ncategory: y\n{lines}\n"))


FLAGS = {
    "whatever case": ("{type: regex, content: 'a.c', data: case_insensitive}", "(?i)a.c"),
    "as it is": ("{type: regex, content: 'a.c'}", "a.c"),
}


@pytest.mark.parametrize("case", FLAGS)
def test_an_expression_is_an_answer(source: Path, tmp_path: Path, case: str) -> None:
    flag, wanted = FLAGS[case]
    (source / "challenge.yml").write_text(f"name: x\nvalue: 5\nflags: [{flag}]\n")
    import_file(source / "challenge.yml", tmp_path / "draft")
    task = load(tmp_path / "draft").scenario.tasks["challenge"]
    assert isinstance(task, QuestionTask)
    assert isinstance(task.answer, RegexAnswer)
    assert task.answer.regex == wanted


@pytest.mark.parametrize("content", ["(?<=a)b", "(a)\\\\1", "a{{b", "x" * 501])
def test_an_expression_that_the_language_does_not_take_stays_a_remark(
    source: Path, tmp_path: Path, content: str
) -> None:
    text = f'name: x\nvalue: 5\nflags: [y, {{type: regex, content: "{content}"}}]\n'
    (source / "challenge.yml").write_text(text)
    imported = import_file(source / "challenge.yml", tmp_path / "draft")
    task = load(tmp_path / "draft").scenario.tasks["challenge"]
    assert isinstance(task, QuestionTask)
    assert isinstance(task.answer, Equals)
    assert "dropped flags.1" in "\n".join(map(str, imported.notes))
    assert "TODO: this was right, too: regex: " in (tmp_path / "draft/scenario.yaml").read_text()


def test_hints_that_do_not_fit_are_told(source: Path, tmp_path: Path) -> None:
    hints = ["''", "{content: a, cost: dear}", f"{'x' * 4001}", *(f"h{n}" for n in range(20))]
    text = f"name: x\nvalue: 5\nflags: [y]\nhints: [{', '.join(hints)}]\n"
    (source / "challenge.yml").write_text(text)
    imported = import_file(source / "challenge.yml", tmp_path / "draft")
    task = load(tmp_path / "draft").scenario.tasks["challenge"]
    assert isinstance(task, QuestionTask)
    assert [hint.text for hint in task.hints] == ["a", *(f"h{n}" for n in range(19))]
    notes = "\n".join(map(str, imported.notes))
    assert "changed hints.1: what it costs is no number; it costs nothing" in notes
    assert all(f"dropped hints.{n}" in notes for n in (0, 2, 22))
