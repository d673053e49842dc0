"""What answers cost and give on both databases: wrong ones, early ones, late ones, hints."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from scoring.errors import TooSoonError
from scoring.tables import ScoreEntryRow, SubmissionRow
from scoring.views import Outcome
from tests.fakes.scoring_stage import SCENARIO, Stage

TERMS = (
    "attempts: 4, cooldown: 30s, wrong_cost: 3,"
    " late: [{after: 10m, share: 50%}, {after: 20m, share: 12.5%}]"
)
SCENARIO_WITH_TERMS = SCENARIO.replace("attempts: 3", TERMS).replace(
    "points: 10, objective: logs}",
    "points: 10, hints: [{text: Look., cost: 4, charge: at-once}], objective: logs}",
)
MINUTES = timedelta(minutes=1)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path, scenario=SCENARIO_WITH_TERMS)
    yield stage
    stage.prove()  # whatever a test did
    stage.database.close()


def right(stage: Stage) -> Outcome:
    return stage.answer("who", stage.value("intruder"))


def entries(stage: Stage, task: str = "who") -> list[tuple[str, str, int]]:
    with stage.database.reading() as session:
        rows = session.scalars(
            select(ScoreEntryRow).where(ScoreEntryRow.task == task).order_by(ScoreEntryRow.id)
        )
        return [(row.kind, row.cause_type, row.milli_points) for row in rows]


def test_all_terms_are_told_before_anything_is_sent(stage: Stage) -> None:
    task = stage.task("who")
    assert task.terms is not None
    assert task.attempts_left == 4
    assert task.terms.milli_points == 20_000
    assert task.terms.late == ((10 * MINUTES, 10_000), (20 * MINUTES, 2500))
    assert (task.terms.wrong_milli_points, task.terms.cooldown) == (3000, timedelta(seconds=30))
    assert task.terms.next_at is None
    assert stage.task("contain").terms is None


def test_wrong_answers_are_paid_for_with_the_points_of_the_task(stage: Stage) -> None:
    for _ in range(2):
        stage.answer("who", "nobody")
        stage.pass_time(30)
    terms = stage.task("who").terms
    assert terms is not None
    assert (terms.milli_points, stage.total()) == (14_000, 0)
    assert right(stage).milli_points == 14_000
    assert entries(stage) == [
        ("solve", "submission", 20_000),
        ("cost", "submission", -3000),
        ("cost", "submission", -3000),
    ]


def test_wrong_answers_never_take_a_task_below_nothing(stage: Stage) -> None:
    stage.pass_time(20 * 60)
    for _ in range(3):
        stage.answer("who", "nobody")
        stage.pass_time(30)
    assert right(stage).milli_points == 0
    assert (entries(stage)[1:], stage.total()) == ([("cost", "submission", -2500)], 0)


@pytest.mark.parametrize(
    ("seconds", "points"), [(599, 20_000), (600, 10_000), (1199, 10_000), (1200, 2500)]
)
def test_a_late_answer_gives_its_share(stage: Stage, seconds: int, points: int) -> None:
    stage.pass_time(seconds)
    terms = stage.task("who").terms
    assert terms is not None
    assert terms.milli_points == points
    assert (right(stage).milli_points, stage.total()) == (points, points)


def test_a_pause_makes_nobody_late_and_shortens_no_wait(stage: Stage) -> None:
    stage.pass_time(590)
    stage.answer("who", "nobody")
    stage.exercises.pause(stage.exercise.id)
    stage.pass_time(3600)
    stage.exercises.resume(stage.exercise.id)
    terms = stage.task("who").terms
    assert terms is not None
    assert terms.next_at == timedelta(seconds=620)
    with pytest.raises(TooSoonError, match="taken in 30 s") as refused:
        right(stage)
    assert refused.value.seconds == 30
    stage.pass_time(9)
    terms = stage.task("who").terms
    assert terms is not None
    assert terms.milli_points == 17_000


def test_after_a_wrong_answer_the_team_waits_and_loses_no_attempt_by_asking(stage: Stage) -> None:
    stage.answer("who", "nobody", key="first")
    for seconds in (0, 29):
        stage.pass_time(seconds)
        with pytest.raises(TooSoonError):
            right(stage)
    assert stage.answer("who", "nobody", key="first").verdict == "wrong"  # told again
    assert stage.answer("read", "no").verdict == "wrong"  # another task
    assert stage.task("who").attempts_left == 3
    stage.pass_time(1)
    assert (right(stage).verdict, right(stage).verdict) == ("correct", "already")


def test_wrong_answers_at_once_are_one_and_the_others_wait(stage: Stage) -> None:
    def send(_: int) -> str:
        try:
            return stage.answer("who", "nobody").verdict
        except TooSoonError:
            return "too soon"

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(send, range(24)))
    assert sorted(told) == ["too soon"] * 23 + ["wrong"]
    with stage.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SubmissionRow)) == 1


def test_a_hint_is_paid_for_at_once_from_all_that_the_team_has(stage: Stage) -> None:
    right(stage)
    hint = stage.scoring.take_hint(
        stage.exercise, stage.team(), stage.member(), task="mark", hint=1
    )
    assert (hint.at_once, stage.total()) == (True, 16_000)
    assert entries(stage, "mark") == [("cost", "hint", -4000)]
    assert stage.answer("mark", stage.value("mark")).milli_points == 6000
    assert stage.total() == 26_000


def test_a_hint_at_once_never_takes_a_team_below_nothing_and_the_rest_is_paid_later(
    stage: Stage,
) -> None:
    stage.pass_time(20 * 60)
    right(stage)
    for _ in range(2):
        stage.scoring.take_hint(stage.exercise, stage.team(), stage.member(), task="mark", hint=1)
    assert (entries(stage, "mark"), stage.total()) == ([("cost", "hint", -2500)], 0)
    stage.answer("mark", stage.value("mark"))
    assert entries(stage, "mark")[1:] == [("solve", "submission", 10_000), ("cost", "hint", -1500)]
    assert stage.total() == 8500


def test_what_cannot_be_read_as_asked_for_costs_nothing_and_says_so(stage: Stage) -> None:
    told = stage.answer("when", "last night")
    assert (told.verdict, told.hint) == ("wrong_form", "That cannot be read as a time.")
    assert stage.task("when").attempts == 0
    with stage.database.reading() as session:
        assert session.scalars(select(SubmissionRow)).one().verdict == "wrong_form"


def test_another_teams_secret_is_noticed_where_it_cannot_be_read_and_not_told(stage: Stage) -> None:
    stolen = stage.value("mark", 2)
    assert stage.answer("when", stolen) == stage.answer("when", "nobody's")
    (signal,) = stage.scoring.signals(stage.exercise)
    assert (signal.task, signal.owner, signal.value) == ("when", "team-2", "mark")
