"""What is booked for an LRS of an exercise that was played, on both databases."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.db import Database
from core.ids import ExerciseId, UserId
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import Phase
from orchestrator.library import ScenarioLostError
from orchestrator.service import TeamSpec
from orchestrator.tables import ExerciseRow
from scoring.domain.amendments import Adjust, Revoke, Void
from scoring.exports.as_xapi import as_xapi
from scoring.lrs.outbox import Destination, LrsNotSetError, Outbox
from scoring.lrs.repository import OutboxRepository
from scoring.lrs.state import State
from scoring.lrs.tables import StatementRow
from scoring.records.record import TrainingRecord
from tests.fakes.correction_desk import Desk
from tests.fakes.scoring_stage import Stage

HOME = "https://range.example"
THERE = Destination(address="https://lrs.example/xapi", home_page=HOME)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path)
    yield stage
    stage.database.close()


@pytest.fixture
def outbox(stage: Stage) -> Outbox:
    return outbox_of(stage)


def outbox_of(stage: Stage, destination: Destination | None = THERE) -> Outbox:
    return Outbox(stage.database, stage.clock, stage.exercises, destination)


def play(stage: Stage) -> UserId:
    """Let the first team solve `who`, and end; return who did."""
    stage.pass_time(60)
    stage.answer("who", stage.value("intruder"))
    stage.exercises.end(stage.exercise.id)
    return stage.member()


def less(points: int) -> Adjust:
    """Return what takes points of `who` from the first team."""
    return Adjust(team="team-1", task="who", points=Decimal(-points))


def rows(database: Database) -> list[StatementRow]:
    with database.reading() as session:
        return list(session.scalars(select(StatementRow).order_by(StatementRow.number)))


def body(row: StatementRow) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row.body)
    return found


def verbs(stage: Stage) -> list[str]:
    return [body(row)["verb"]["id"].rpartition("/")[2] for row in rows(stage.database)]


def completed_by(stage: Stage, user: UserId) -> list[tuple[float, bool]]:
    """Return the points with which somebody completed it, as often as told, and which are true."""
    return [
        (body(row)["result"]["score"]["raw"], row.is_true)
        for row in rows(stage.database)
        if row.subject == f"{user}/completed" and row.voids is None
    ]


def test_nothing_is_booked_before_an_exercise_has_ended(stage: Stage, outbox: Outbox) -> None:
    stage.answer("who", stage.value("intruder"))
    assert outbox.book() == 0
    stage.exercises.end(stage.exercise.id)
    assert outbox.book() > 0


def test_what_is_booked_is_what_the_download_has(stage: Stage, outbox: Outbox) -> None:
    play(stage)
    found = json.loads(as_xapi(stage.scoring.record(stage.exercise), HOME))
    assert outbox.book() == len(found)
    assert [body(row) for row in rows(stage.database)] == found
    assert {row.state for row in rows(stage.database)} == {State.WAITING}
    assert sorted(verbs(stage)) == ["answered", "completed", "completed", "failed", "failed"]


def test_what_was_booked_is_not_booked_again(stage: Stage, outbox: Outbox) -> None:
    play(stage)
    booked = outbox.book()
    assert (outbox.book(), outbox_of(stage).book()) == (0, 0)
    assert len(rows(stage.database)) == booked


def test_a_site_without_an_lrs_books_nothing(stage: Stage) -> None:
    play(stage)
    outbox = outbox_of(stage, None)
    assert outbox.sweep() == 0
    assert rows(stage.database) == []
    with pytest.raises(LrsNotSetError):
        outbox.status()


def test_a_correction_takes_back_what_changed_and_tells_it_anew(
    stage: Stage, outbox: Outbox
) -> None:
    user, desk = play(stage), Desk(stage)
    before = outbox.book()
    desk.correct(less(5))
    # What the member completed with; the objective is the same share of points no longer, too.
    assert outbox.book() == 4
    assert completed_by(stage, user) == [(20.0, False), (15.0, True)]
    voids = [row for row in rows(stage.database) if row.voids is not None]
    assert [row.number > before for row in voids] == [True, True]
    gone = [row.id for row in rows(stage.database) if not row.is_true and row.voids is None]
    assert sorted(body(row)["object"]["id"] for row in voids) == sorted(gone)
    assert outbox.book() == 0


def test_what_becomes_true_again_is_told_again(stage: Stage, outbox: Outbox) -> None:
    user, desk = play(stage), Desk(stage)
    outbox.book()
    correction = desk.correct(less(5))
    outbox.book()
    desk.correct(Revoke(correction=correction.id))
    outbox.book()
    assert completed_by(stage, user) == [(20.0, False), (15.0, False), (20.0, True)]
    ids = [row.id for row in rows(stage.database)]
    assert len(set(ids)) == len(ids)


def test_what_no_longer_is_is_only_taken_back(stage: Stage, outbox: Outbox) -> None:
    user, desk = play(stage), Desk(stage)
    outbox.book()
    for task in ("who", "when", "mark"):  # then nothing is left of the objective
        desk.correct(Void(task=task))
    outbox.book()
    of_logs = [r for r in rows(stage.database) if r.subject == f"{user}/objective/logs"]
    assert [(r.is_true, r.voids) for r in of_logs] == [(False, None), (False, of_logs[0].id)]


def test_what_the_lrs_refused_is_not_taken_back(stage: Stage, outbox: Outbox) -> None:
    user, desk = play(stage), Desk(stage)
    outbox.book()
    with stage.database.transaction() as transaction:
        ids = [row.id for row in rows(stage.database)]
        OutboxRepository(transaction.session).settle(
            ids, State.REFUSED, at=stage.clock.now(), problem="it answered 400"
        )
    assert outbox.status().refused == "it answered 400"
    desk.correct(less(5))
    assert outbox.book() == 2
    assert completed_by(stage, user) == [(20.0, False), (15.0, True)]
    assert {row.voids for row in rows(stage.database)} == {None}
    counts = outbox.status().counts
    assert (counts[State.NEEDLESS], counts[State.REFUSED], counts[State.WAITING]) == (2, 3, 2)
    assert outbox.retry() == 3


def test_two_who_book_at_once_book_once(stage: Stage, outbox: Outbox) -> None:
    user, desk = play(stage), Desk(stage)
    for points in (1, 2, 3):
        desk.correct(less(points))
        both = threading.Barrier(4)

        def book(both: threading.Barrier = both) -> None:
            both.wait()
            outbox_of(stage).book()

        threads = [threading.Thread(target=book) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert completed_by(stage, user) == [(19.0, False), (17.0, False), (14.0, True)]


def test_who_read_an_older_record_does_not_book_it_over_a_newer_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, desk = play(stage), Desk(stage)
    outbox_of(stage).book()
    slow, read = outbox_of(stage), Outbox._record

    def reads_and_is_overtaken(
        self: Outbox, exercise: Exercise
    ) -> tuple[int | None, int, TrainingRecord]:
        found = read(self, exercise)
        monkeypatch.undo()
        desk.correct(less(3))
        outbox_of(stage).book()
        return found

    desk.correct(less(2))
    monkeypatch.setattr(Outbox, "_record", reads_and_is_overtaken)
    assert slow.book() == 0
    assert completed_by(stage, user)[-1] == (15.0, True)


def test_an_exercise_in_which_nobody_did_anything_is_told_of_once(
    stage: Stage, outbox: Outbox
) -> None:
    stage.exercises.end(stage.exercise.id)
    assert outbox.book() == 4
    assert outbox.book() == 0
    with stage.database.reading() as session:
        assert OutboxRepository(session).told(ExerciseId(stage.exercise.id)) == 0


def test_an_exercise_that_cannot_be_told_keeps_no_other_one_back(
    stage: Stage, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = stage.exercises.scenario(stage.exercise)
    other = stage.exercises.launch(scenario, teams=[TeamSpec(name="one")], by=None)
    with stage.database.transaction() as transaction:
        transaction.session.get_one(ExerciseRow, other.id).phase = Phase.ENDED
    play(stage)
    read, lost = Outbox._record, {stage.exercise.id, other.id}

    def is_lost_once(self: Outbox, exercise: Exercise) -> tuple[int | None, int, TrainingRecord]:
        if exercise.id in lost:
            lost.clear()
            raise ScenarioLostError("it is not in the database")
        return read(self, exercise)

    monkeypatch.setattr(Outbox, "_record", is_lost_once)
    first = outbox.book()
    assert {first, outbox.book()} == {5, 2}
