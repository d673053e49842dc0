"""Points of another system on both databases: signed, taken once, and replayed with the rest."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from orchestrator.domain.phases import NotNowError
from orchestrator.journal import SYSTEM
from scoring.domain.signing import signature
from scoring.errors import (
    FeedOutOfRangeError,
    FeedRefusedError,
    FeedRepeatedError,
    TaskNotAnswerableError,
    TaskNotFedError,
    TaskUnknownError,
)
from scoring.feeding import ROTATED, Feeding, FeedItem, Signed
from scoring.tables import FeedItemRow, ScoreEntryRow
from tests.fakes.scoring_stage import SCENARIO, Stage

FED = SCENARIO + "  reports: {title: Report, feed: {source: CERT game}, points: 20}\n"


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path, scenario=FED)
    yield stage
    stage.prove()
    stage.database.close()


def feeding(stage: Stage) -> Feeding:
    return Feeding(stage.database, stage.clock, stage.exercises)


def item(stage: Stage, points: float = 5, *, event: str = "1", task: str = "reports") -> FeedItem:
    return FeedItem(
        event=event,
        task=task,
        milli_points=int(points * 1000),
        reason="reported early",
        sent_at=stage.clock.now(),
    )


def signed(stage: Stage, key: str, *, late: float = 0, body: bytes = b"{}") -> Signed:
    timestamp = str(int(stage.clock.now().timestamp() - late))
    return Signed(timestamp=timestamp, signature=signature(key, timestamp, body), body=body)


def test_points_are_booked_with_their_source_and_reason(stage: Stage) -> None:
    before = stage.task("reports")
    assert (before.kind, before.source, before.milli_points) == ("feed", "CERT game", 0)
    assert feeding(stage).take(stage.exercise, stage.team(), item(stage)) == 5000
    with stage.database.reading() as session:
        entry = session.scalars(select(ScoreEntryRow)).one()
        proof = session.get_one(FeedItemRow, entry.cause_id)
    assert (entry.kind, entry.cause_type, entry.milli_points) == ("feed", "feed", 5000)
    assert entry.reason == "CERT game: reported early"
    assert (proof.event, proof.source, proof.reason) == ("1", "CERT game", "reported early")
    assert (stage.task("reports").milli_points, stage.total(), stage.total(2)) == (5000, 5000, 0)


def test_an_event_that_comes_again_is_a_conflict_without_a_second_effect(stage: Stage) -> None:
    feeding(stage).take(stage.exercise, stage.team(), item(stage))
    for number, points in ((1, 5), (1, 7), (2, 5)):
        with pytest.raises(FeedRepeatedError, match="taken before"):
            feeding(stage).take(stage.exercise, stage.team(number), item(stage, points))
    assert (stage.total(), stage.total(2)) == (5000, 0)


def test_an_event_sent_many_times_at_once_is_taken_once(stage: Stage) -> None:
    def send(_: int) -> bool:
        try:
            feeding(stage).take(stage.exercise, stage.team(), item(stage))
        except FeedRepeatedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(send, range(24))) == 1
    with stage.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ScoreEntryRow)) == 1


def test_a_task_gives_no_more_than_its_points_and_no_less_than_nothing(stage: Stage) -> None:
    take = feeding(stage).take
    assert take(stage.exercise, stage.team(), item(stage, 20)) == 20_000
    with pytest.raises(FeedOutOfRangeError, match=r"20\.001 points"):
        take(stage.exercise, stage.team(), item(stage, 0.001, event="2"))
    assert take(stage.exercise, stage.team(), item(stage, -15, event="3")) == 5000
    with pytest.raises(FeedOutOfRangeError):
        take(stage.exercise, stage.team(), item(stage, -6, event="4"))
    # What was refused was not kept, so its name is free.
    assert take(stage.exercise, stage.team(), item(stage, -5, event="4")) == 0


def test_other_tasks_take_nothing_from_outside_and_a_fed_one_no_answers(stage: Stage) -> None:
    for task, error in (("who", TaskNotFedError), ("nowhere", TaskUnknownError)):
        with pytest.raises(error, match=task):
            feeding(stage).take(stage.exercise, stage.team(), item(stage, task=task))
    with pytest.raises(TaskNotAnswerableError, match="CERT game gives its points"):
        stage.answer("reports", "x")


def test_nothing_is_taken_while_the_exercise_does_not_run(stage: Stage) -> None:
    stage.exercises.pause(stage.exercise.id)
    with pytest.raises(NotNowError):
        feeding(stage).take(stage.exercise, stage.team(), item(stage))
    stage.exercises.resume(stage.exercise.id)
    assert feeding(stage).take(stage.exercise, stage.team(), item(stage)) == 5000


def test_only_what_the_exercises_own_key_signed_just_now_is_taken(stage: Stage) -> None:
    feeds = feeding(stage)
    good = signed(stage, feeds.key(stage.exercise))
    feeds.verify(stage.exercise, good)
    feeds.verify(stage.exercise, replace(good, signature=f"sha256={good.signature.upper()}"))
    refused = (
        replace(good, body=b"{ }"),
        replace(good, timestamp=str(int(good.timestamp) + 1)),
        replace(good, signature=""),
        replace(good, signature="\ud800"),
        signed(stage, ""),
        signed(stage, feeds.key(stage.exercise), late=301),
        signed(stage, feeds.key(stage.exercise), late=-301),
    )
    for wrong in refused:
        with pytest.raises(FeedRefusedError):
            feeds.verify(stage.exercise, wrong)
    with pytest.raises(FeedRefusedError):
        feeds.verify(None, signed(stage, ""))
    feeds.verify(stage.exercise, signed(stage, feeds.key(stage.exercise), late=300))


def test_a_new_key_takes_the_place_of_the_former_one(stage: Stage) -> None:
    feeds = feeding(stage)
    former = feeds.key(stage.exercise)
    keys = [former, *(feeds.rotate(stage.exercise, by=SYSTEM) for _ in range(2))]
    assert len(set(keys)) == 3
    assert feeds.key(stage.exercise) == keys[-1]
    with pytest.raises(FeedRefusedError):
        feeds.verify(stage.exercise, signed(stage, former))
    feeds.verify(stage.exercise, signed(stage, keys[-1]))
    told = stage.exercises.journal.latest(stage.exercise.id)
    assert [entry.act for entry in told if entry.act == ROTATED] == [ROTATED] * 2


def test_the_record_counts_a_fed_task_once_something_came(stage: Stage) -> None:
    def of() -> list[int]:
        teams = stage.scoring.record(stage.exercise).teams
        return [t.of_milli_points for team in teams for t in team.tasks if t.task == "reports"]

    stage.pass_time(timedelta(minutes=1).total_seconds())
    assert of() == [0, 0]
    feeding(stage).take(stage.exercise, stage.team(), item(stage))
    assert of() == [20_000, 0]
