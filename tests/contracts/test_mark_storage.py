"""Marks on both databases: seats, results in the ledger, and what is given again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from core.users.model import Role
from core.users.service import Users
from orchestrator.journal import By
from scoring.domain.marking import MarkingState
from scoring.marking.errors import SeatsTakenError
from scoring.replaying import Replaying
from scoring.tables import ScoreEntryRow
from tests.fakes.marking_stage import MarkingStage, given


@pytest.fixture
def marking(database_url: str, tmp_path: Path) -> Iterator[MarkingStage]:
    """Lend what was played and is all to be marked; its ledger must replay to the same."""
    made = MarkingStage.raised(database_url, tmp_path)
    for minutes in (10, 10, 11):
        made.pass_time(minutes)
    made.end()
    made.pass_time(6)
    yield made
    stage = made.stage
    replayed = Replaying(stage.database, stage.exercises).replay(stage.exercise)
    assert replayed.holds
    made.stage.database.close()


def entries(marking: MarkingStage) -> list[tuple[str, int, int | None, str]]:
    """Return kind, thousandths, what is taken back (by its place here) and why."""
    with marking.stage.database.reading() as session:
        rows = session.scalars(select(ScoreEntryRow).order_by(ScoreEntryRow.id)).all()
    places = {row.id: place for place, row in enumerate(rows)}
    return [
        (r.kind, r.milli_points, places[r.reverses_id] if r.reverses_id else None, r.reason)
        for r in rows
    ]


def test_two_who_are_close_decide_by_their_mean(marking: MarkingStage) -> None:
    marking.mark_report("anna", facts=2, advice=1, press=1)
    assert entries(marking) == []
    marking.mark_report("boris", facts=2, advice=2, press=1)
    # (1/2 x 2/3 + 1/3 x 1/2 + 1/6) and (1/2 x 2/3 + 1/3 + 1/6): 2/3 and 5/6, and 3/4 of 40
    assert entries(marking) == [("rubric", 30_000, None, "")]
    assert marking.line().state is MarkingState.DECIDED
    assert marking.stage.total() == 30_000


def test_a_result_that_is_given_again_takes_the_former_back_and_keeps_it(
    marking: MarkingStage,
) -> None:
    for who in ("anna", "boris"):
        marking.mark_report(who, facts=3, advice=2, press=1)
    stage, by = marking.stage, By(user=marking.people["ina"].id, reason="page 2 was not read")
    marking.marking.mark_again(stage.exercise, stage.team(), task="report", by=by)
    assert stage.total() == 40_000
    for who in ("anna", "boris"):
        marking.mark_report(who, facts=0, advice=0, press=0)
    assert entries(marking) == [
        ("rubric", 40_000, None, ""),
        ("rubric", -40_000, 0, "page 2 was not read"),
        ("rubric", 0, None, "page 2 was not read"),
    ]
    ((case, names),) = marking.marks.all_in(stage.exercise)
    given_before, given_now = ([s.levels["facts"] for s in m.sheets] for m in case.markings)
    assert (given_before, given_now) == ([3, 3], [0, 0])
    assert {names[s.user] for m in case.markings for s in m.sheets} == {"anna", "boris"}


def test_of_many_who_begin_at_once_as_many_get_a_seat_as_there_are(
    marking: MarkingStage,
) -> None:
    stage = marking.stage
    for number in range(4):
        user = Users(stage.database, stage.clock).add(f"extra-{number}", role=Role.ASSESSOR)
        marking.people[user.name] = user
        marking.marking.appoint(stage.exercise, user)
    names = ["anna", "boris", *(f"extra-{n}" for n in range(4))]
    with ThreadPoolExecutor(6) as pool:
        calls = [
            pool.submit(marking.mark, name, {"facts": 1}, hand_in=False)
            for name in names
            for _ in range(2)
        ]
        refused = [error for call in calls if (error := call.exception()) is not None]
    assert [type(error) for error in refused] == [SeatsTakenError] * 8
    assert marking.line().seats == 2


def test_the_last_two_marks_at_once_are_one_result(marking: MarkingStage) -> None:
    for who in ("anna", "boris"):
        marking.mark(who, {"facts": 3, "advice": 2})
    with ThreadPoolExecutor(8) as pool:
        calls = [
            pool.submit(marking.mark, who, {"press": 1}, place="call")
            for who in ("anna", "boris") * 4
        ]
        for call in calls:
            call.result()
    assert entries(marking) == [("rubric", 40_000, None, "")]


def test_a_moderator_decides_for_assessors_who_are_apart(marking: MarkingStage) -> None:
    stage = marking.stage
    marking.mark_report("anna", facts=3, advice=2, press=1)
    marking.mark_report("boris", facts=0, advice=2, press=1)
    assert (entries(marking), marking.line().state) == ([], MarkingState.TO_MODERATE)
    marks = given({"facts": 1, "advice": 2, "press": 1})
    ina = marking.people["ina"].id
    marking.marking.moderate(stage.exercise, stage.team(), ina, task="report", marks=marks)
    assert entries(marking) == [("rubric", 26_666, None, "")]
    acts = [e.act for e in stage.exercises.journal.of(stage.exercise.id) if "marks." in e.act]
    assert acts == ["marks.handed_in"] * 4 + ["marks.apart", "marks.decided"]
