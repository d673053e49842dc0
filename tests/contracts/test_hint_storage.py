"""Hints on both databases: taken once, paid for once, by a task that has points to pay with."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from orchestrator.domain.phases import NotNowError
from scoring.errors import HintNotNowError, HintUnknownError, TaskUnknownError
from scoring.tables import HintTakenRow, ScoreEntryRow
from scoring.views import HintView
from tests.fakes.scoring_stage import SCENARIO, Stage

HINTS = (
    "hints: [{text: 'Look at night, {{ team.name }}.', cost: 2}, {text: In auth.log., cost: 5,"
    " after: 20m}, {text: Ask., cost: 15}, {text: Breathe.}]"
)
WITH_HINTS = SCENARIO.replace("attempts: 3, objective", f"attempts: 3, {HINTS}, objective").replace(
    "checks: [shut, mail],", "checks: [shut, mail], hints: [{text: Pull the plug., cost: 4}],"
)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path, scenario=WITH_HINTS)
    yield stage
    stage.prove()  # whatever a test did
    stage.database.close()


def take(stage: Stage, hint: int, task: str = "who", *, number: int = 1) -> HintView:
    return stage.scoring.take_hint(
        stage.exercise, stage.team(number), stage.member(number), task=task, hint=hint
    )


def entries(stage: Stage, task: str = "who") -> list[tuple[str, str, int]]:
    with stage.database.reading() as session:
        rows = session.scalars(
            select(ScoreEntryRow).where(ScoreEntryRow.task == task).order_by(ScoreEntryRow.id)
        )
        return [(row.kind, row.cause_type, row.milli_points) for row in rows]


def test_a_hint_is_shown_to_the_team_that_took_it_and_to_no_other(stage: Stage) -> None:
    before = stage.task("who").hints
    assert [(h.number, h.milli_points, h.is_open, h.text) for h in before] == [
        (1, 2000, True, ""),
        (2, 5000, False, ""),
        (3, 15_000, True, ""),
        (4, 0, True, ""),
    ]
    assert take(stage, 1).text == "Look at night, team 1."
    mine, theirs = stage.task("who").hints[0], stage.task("who", 2).hints[0]
    assert (mine.text, mine.taken_by) == ("Look at night, team 1.", stage.member())
    assert mine.taken_at == stage.clock.now()
    assert (theirs.text, theirs.taken_by) == ("", None)


def test_a_hint_costs_when_the_task_is_solved_and_once(stage: Stage) -> None:
    take(stage, 1)
    take(stage, 1)
    assert (entries(stage), stage.total()) == ([], 0)
    assert stage.answer("who", stage.value("intruder")).milli_points == 18_000
    assert entries(stage) == [("solve", "submission", 20_000), ("cost", "hint", -2000)]
    assert stage.total() == 18_000
    assert take(stage, 1).text == "Look at night, team 1."
    assert stage.total() == 18_000


def test_costs_never_take_a_task_below_nothing(stage: Stage) -> None:
    stage.pass_time(20 * 60)
    for hint in (1, 2, 3):
        take(stage, hint)
    assert stage.answer("who", stage.value("intruder")).milli_points == 0
    assert entries(stage)[1:] == [("cost", "hint", cost) for cost in (-2000, -5000, -13_000)]
    assert stage.total() == 0


def test_a_task_that_checks_solve_pays_for_its_hints_too(stage: Stage) -> None:
    assert take(stage, 1, "contain").text == "Pull the plug."
    stage.see_door(shut=True)
    stage.see_port(opens=True)
    stage.looks("mail", 1)
    stage.looks("shut", 7)
    assert entries(stage, "contain") == [
        ("solve", "check_run", 30_000),
        ("cost", "hint", -4000),
    ]
    assert (stage.task("contain").state, stage.total()) == ("done", 26_000)


def test_a_hint_is_had_from_its_time_on_the_teams_own_clock(stage: Stage) -> None:
    assert stage.task("who").hints[1].opens_at == timedelta(minutes=20)
    stage.pass_time(19 * 60 + 59)
    with pytest.raises(HintNotNowError, match=r"from 0:20:00 of your clock"):
        take(stage, 2)
    stage.exercises.pause(stage.exercise.id)
    stage.pass_time(60)
    with pytest.raises(NotNowError):
        take(stage, 2)
    stage.exercises.resume(stage.exercise.id)
    with pytest.raises(HintNotNowError):
        take(stage, 2)
    stage.pass_time(1)
    assert take(stage, 2).text == "In auth.log."


def test_a_hint_for_what_is_done_is_not_sold(stage: Stage) -> None:
    stage.answer("who", stage.value("intruder"))
    with pytest.raises(HintNotNowError, match="your team has done who"):
        take(stage, 4)
    assert entries(stage) == [("solve", "submission", 20_000)]


@pytest.mark.parametrize(("task", "hint"), [("who", 0), ("who", 5), ("when", 1), ("keep_up", 1)])
def test_a_hint_that_is_not_there_says_so(stage: Stage, task: str, hint: int) -> None:
    with pytest.raises(HintUnknownError, match=f"{task} has no hint {hint}"):
        take(stage, hint, task)
    with pytest.raises(TaskUnknownError):
        take(stage, hint, "nothing")


def test_a_hint_taken_many_times_at_once_is_taken_and_paid_for_once(stage: Stage) -> None:
    with ThreadPoolExecutor(50) as pool:
        calls = [pool.submit(take, stage, hint) for hint in (1, 3) * 30]
        solve = pool.submit(stage.answer, "who", stage.value("intruder"))
        refused = [error for call in calls if (error := call.exception()) is not None]
    assert solve.result().verdict == "correct"
    assert all(isinstance(error, HintNotNowError) for error in refused)  # the answer came first
    with stage.database.reading() as session:
        taken = session.scalar(select(func.count()).select_from(HintTakenRow)) or 0
    assert taken == len(stage.scoring.hints_taken(stage.exercise)) <= 2
    costs = sum(hint.milli_points for hint in stage.scoring.hints_taken(stage.exercise))
    assert stage.total() == 20_000 - costs
    journal = stage.exercises.journal.of(stage.exercise.id)
    assert len([entry for entry in journal if entry.act == "hint.taken"]) == taken


def test_instructors_log_and_record_say_who_took_what(stage: Stage) -> None:
    take(stage, 4)
    stage.pass_time(60)
    take(stage, 1, number=2)
    taken = stage.scoring.hints_taken(stage.exercise)
    assert [(h.team, h.task, h.hint, h.milli_points, h.user) for h in taken] == [
        ("team-1", "who", 4, 0, stage.member()),
        ("team-2", "who", 1, 2000, stage.member(2)),
    ]
    last = stage.exercises.journal.latest(stage.exercise.id, limit=1)[0]
    assert (last.act, last.team, last.subject) == ("hint.taken", "team-2", "who")
    assert last.text == "hint 1, which costs 2"
    assert last.elapsed == timedelta(minutes=1)
    team = stage.scoring.record(stage.exercise).teams[1]
    (hint,) = team.tasks[0].hints
    assert (hint.hint, hint.milli_points, hint.taken_by) == (1, 2000, stage.member(2))
    assert team.tasks[1].hints == ()
