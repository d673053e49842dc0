"""Points for a part of a task, and points for what was lost, on both databases."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import select

from orchestrator.ports import EngineUnavailableError
from scoring.domain.verdicts import Verdict
from scoring.tables import ScoreEntryRow
from tests.fakes.scoring_stage import SCENARIO, Stage

PARTS = "partial: {shut: 12, mail: 10}, hints: [{text: Pull the plug., cost: 15}]"
SPLIT = (
    SCENARIO.replace("checks: [shut, mail],", f"checks: [shut, mail], {PARTS},")
    + "  keep_mail: {title: Keep it, ask: Keep it., guard: mail, points: -20, objective: triage}\n"
)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path, scenario=SPLIT)
    yield stage
    stage.prove()  # whatever a test did
    stage.database.close()


def entries(stage: Stage, task: str) -> list[tuple[str, int]]:
    with stage.database.reading() as session:
        rows = session.scalars(
            select(ScoreEntryRow).where(ScoreEntryRow.task == task).order_by(ScoreEntryRow.id)
        )
        return [(row.kind, row.milli_points) for row in rows]


def take_the_hint(stage: Stage) -> None:
    stage.scoring.take_hint(stage.exercise, stage.team(), stage.member(), task="contain", hint=1)


# Parts


def test_a_check_that_held_gives_its_part_once_and_the_rest_comes_with_the_solve(
    stage: Stage,
) -> None:
    stage.see_port(opens=True)
    stage.looks("mail", 3)
    assert entries(stage, "contain") == [("partial", 10_000)]
    view = stage.task("contain")
    assert (view.state, view.milli_points, view.of_milli_points) == ("open", 10_000, 30_000)
    assert [check.milli_points for check in view.checks] == [12_000, 10_000]
    stage.see_door(shut=True)
    stage.looks("shut", 6)
    assert entries(stage, "contain") == [("partial", 10_000)]
    stage.looks("shut", 3)
    assert entries(stage, "contain") == [
        ("partial", 10_000),
        ("partial", 12_000),
        ("solve", 8000),
    ]
    assert (stage.task("contain").state, stage.total()) == ("done", 30_000)


def test_a_part_stays_when_its_check_fails_later_and_is_not_given_again(stage: Stage) -> None:
    stage.see_port(opens=True)
    stage.looks("mail", 1)
    stage.see_port(opens=False)
    stage.looks("mail", 1)
    stage.see_port(opens=True)
    stage.looks("mail", 2)
    assert entries(stage, "contain") == [("partial", 10_000)]


def test_a_part_pays_for_hints_as_far_as_it_reaches_and_the_next_one_for_the_rest(
    stage: Stage,
) -> None:
    take_the_hint(stage)
    stage.see_port(opens=True)
    stage.looks("mail", 2)
    assert entries(stage, "contain") == [("partial", 10_000), ("cost", -10_000)]
    stage.see_door(shut=True)
    stage.looks("shut", 9)
    assert entries(stage, "contain")[2:] == [("partial", 12_000), ("cost", -5000), ("solve", 8000)]
    assert stage.total() == 15_000


def test_a_hint_after_a_part_is_paid_with_what_comes_next(stage: Stage) -> None:
    stage.see_port(opens=True)
    stage.looks("mail", 1)
    take_the_hint(stage)
    assert stage.total() == 10_000
    stage.see_door(shut=True)
    stage.looks("shut", 9)
    assert stage.total() == 15_000


# Guards


def test_a_guard_takes_its_points_after_two_failures_in_a_row_and_once(stage: Stage) -> None:
    before = stage.task("keep_mail")
    assert (before.state, before.milli_points, before.of_milli_points) == ("open", 0, -20_000)
    stage.see_port(opens=False)
    stage.looks("mail", 1)
    stage.see_port(opens=True)
    stage.looks("mail", 1)
    stage.see_port(opens=False)
    stage.looks("mail", 1)
    assert entries(stage, "keep_mail") == []
    stage.looks("mail", 1)
    assert entries(stage, "keep_mail") == [("guard", -20_000)]
    stage.looks("mail", 5)
    assert entries(stage, "keep_mail") == [("guard", -20_000)]
    assert stage.task("keep_mail").state == "lost"
    assert (stage.total(), stage.total(2)) == (10_000 - 20_000, 0)


def test_our_own_faults_neither_are_failures_nor_part_them(stage: Stage) -> None:
    stage.see_port(opens=False)
    stage.looks("mail", 1)
    stage.engine.fail("probe", *[EngineUnavailableError("gone")] * 3)
    assert stage.looks("mail", 3) == [Verdict.INFRA_ERROR] * 3
    assert entries(stage, "keep_mail") == []
    stage.looks("mail", 1)
    assert entries(stage, "keep_mail") == [("guard", -20_000)]


def test_a_loss_lowers_the_objective_and_never_below_nothing(stage: Stage) -> None:
    stage.see_port(opens=False)
    stage.see_page()
    stage.looks("web", 1)
    stage.looks("mail", 2)
    stage.see_door(shut=True)
    stage.looks("shut", 1)
    team = stage.scoring.record(stage.exercise).teams[0]
    assert team.of_milli_points == 20_000 + 15_000 + 5000 + 10_000 + 30_000 + 20_000
    assert team.milli_points == 0
    triage = team.objectives[1]
    assert (triage.share, triage.passed) == (Fraction(0), False)
