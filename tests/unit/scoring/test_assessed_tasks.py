"""Tasks that assessors mark, before anybody marked them: there, open, and counted nowhere."""

from pathlib import Path

import pytest

from core.scenario.schema_tasks import Submit
from scoring.domain.files import why_refused
from scoring.errors import TaskNotAnswerableError
from scoring.exports.as_csv import as_csv
from scoring.exports.as_json import as_json
from scoring.views import TaskState
from tests.fakes.scoring_stage import SCENARIO, Stage

MARKED = (
    SCENARIO.replace("{title: Triage}}", "{title: Triage}, REPORT: {title: Report}}").replace(
        "objectives:\n", "objectives:\n  report: {competency: REPORT, pass: 60%}\n"
    )
    + """\
  report:
    title: The report
    ask: Write it down.
    submit: {files: [pdf], max: 2k}
    rubric: report
    points: 40
    objective: report
  talk: {title: The talk, ask: Tell us., rubric: talk, points: 10, objective: triage}
rubrics:
  report: {criteria: {facts: {levels: {0: none, 1: all}}}}
  talk: {criteria: {calm: {levels: {0: none, 1: all}}}}
"""
)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.raised(f"sqlite:///{tmp_path}/db", tmp_path, scenario=MARKED)


def test_a_team_sees_it_open_with_what_it_gives(stage: Stage) -> None:
    for name, points in (("report", 40_000), ("talk", 10_000)):
        view = stage.task(name)
        assert (view.kind, view.state) == ("rubric", TaskState.OPEN)
        assert (view.milli_points, view.of_milli_points) == (0, points)
        assert view.ask


def test_it_is_a_column_of_the_board_without_points(stage: Stage) -> None:
    board = stage.scoring.board(stage.exercise)
    assert [(t.title, t.milli_points) for t in board.tasks][-2:] == [
        ("The report", 40_000),
        ("The talk", 10_000),
    ]
    assert not any("report" in row.tasks for row in board.rows)


def test_it_takes_no_answer_and_says_why(stage: Stage) -> None:
    with pytest.raises(TaskNotAnswerableError) as refused:
        stage.answer("report", "x")
    assert refused.value.hint == "Assessors mark it"
    assert stage.scoring.tasks(stage.exercise, stage.team())[-1].attempts == 0


def test_until_it_is_marked_the_record_counts_it_on_neither_side(stage: Stage) -> None:
    team = stage.scoring.record(stage.exercise).teams[0]
    tasks = {task.task: task for task in team.tasks}
    assert (tasks["report"].kind, tasks["report"].of_milli_points) == ("rubric", 0)
    objectives = {objective.objective: objective for objective in team.objectives}
    assert (objectives["report"].share, objectives["report"].passed) == (None, None)


def test_exports_have_it(stage: Stage) -> None:
    record = stage.scoring.record(stage.exercise)
    assert '"The report"' in as_json(record)
    assert "report,The report,rubric,0.0,0.0" in as_csv(record)


@pytest.mark.parametrize(
    ("name", "size", "why"),
    [
        ("r.pdf", 2048, ""),
        ("R.PDF", 1, ""),
        ("all.tar.gz", 1, ""),
        ("r.pdf", 2049, "has 2049 bytes, and 2048 at most are taken"),
        ("r.pdf", 0, "is empty"),
        ("r.gz", 1, "is of another type than pdf, odt or tar.gz"),
        ("pdf", 1, "is of another type than pdf, odt or tar.gz"),
        ("r.pdf.exe", 1, "is of another type than pdf, odt or tar.gz"),
    ],
)
def test_a_file_fits_by_the_end_of_its_name_and_by_its_size(name: str, size: int, why: str) -> None:
    submit = Submit.model_validate({"files": ("pdf", "odt", "tar.gz"), "max": "2k"})
    assert why_refused(submit, name, size=size) == why


def test_of_one_type_alone_that_type_is_told() -> None:
    submit = Submit.model_validate({"files": ("md",)})
    assert why_refused(submit, "r.pdf", size=1) == "is of another type than md"
