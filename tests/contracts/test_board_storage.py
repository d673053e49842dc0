"""Boards on both databases: what each audience is shown, and what must not move any more."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.ids import new_id
from orchestrator.timekeeping import Timekeeping
from scoring.boards.making import Snapshot
from scoring.boards.public import PublicBoards
from scoring.boards.service import Boards
from scoring.boards.tables import BoardSnapshotRow
from scoring.booking import TeamBooks
from scoring.domain.amendments import Exclude, Reprice, Revoke, Void
from scoring.domain.boards import Audience, BoardRow, First
from scoring.domain.deriving import take
from scoring.domain.ledger import Cause, EntryKind, Fact, Grant, Ruling
from scoring.domain.rules import NO_RULES
from scoring.errors import BoardUnknownError
from scoring.repository import ScoreRepository
from tests.fakes.clock import FakeClock
from tests.fakes.correction_desk import Desk
from tests.fakes.scoring_stage import SCENARIO, Stage
from tests.fakes.statements import noted_statements

FREEZE = timedelta(minutes=45)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    scenario = f"{SCENARIO}end: {{freeze: 45m}}\n"
    stage = Stage.raised(database_url, tmp_path, scenario=scenario, teams=3)
    yield stage
    stage.prove()
    stage.database.close()


def board(stage: Stage, audience: Audience = Audience.TEAM) -> Snapshot:
    return stage.scoring.boards.latest(stage.exercise.id, audience)


def made_anew(stage: Stage, audience: Audience = Audience.TEAM) -> Snapshot:
    """Return a board as another process makes it."""
    boards = Boards(stage.database, stage.clock, stage.exercises)
    return boards.latest(stage.exercise.id, audience)


def public(stage: Stage) -> PublicBoards:
    return PublicBoards(stage.database, stage.clock)


def ranks(snapshot: Snapshot) -> list[tuple[str, int | None, int]]:
    return [(row.team, row.rank, row.milli_points) for row in snapshot.board.rows]


def first(snapshot: Snapshot, task: str) -> First | None:
    return next(column.first for column in snapshot.board.tasks if column.task == task)


def correct(stage: Stage, ruling: Ruling, *, number: int = 1) -> None:
    """Book what people decided otherwise than the rules."""
    exercise, team, now = stage.exercise.id, stage.team(number).id, stage.clock.now()
    with stage.database.transaction() as transaction:
        ScoreRepository(transaction.session).take_turn(exercise, team)
        books = TeamBooks(transaction.session, exercise, team, recorded_at=now)
        fact = Fact(Cause.CORRECTION, new_id(), now, user=stage.member(), ruling=ruling)
        take(fact, books, NO_RULES)


def solve(stage: Stage, *numbers: int) -> None:
    """Let teams solve `who`, a second after each other."""
    for number in numbers:
        stage.answer("who", stage.value("intruder", number), number=number)
        stage.pass_time(1)


# Audiences


def test_each_audience_has_a_board_of_its_own_whose_hash_is_that_of_its_text(stage: Stage) -> None:
    solve(stage, 2)
    bodies = {audience: board(stage, audience) for audience in Audience}
    assert len({snapshot.sha256 for snapshot in bodies.values()}) == 3
    for audience, snapshot in bodies.items():
        assert snapshot.sha256 == hashlib.sha256(snapshot.body).hexdigest()
        assert json.loads(snapshot.body)["audience"] == audience
        assert ranks(snapshot)[0] == ("team-2", 1, 20_000)


def test_two_processes_make_the_same_board_to_the_byte(stage: Stage) -> None:
    solve(stage, 3, 1)
    for audience in Audience:
        assert made_anew(stage, audience).body == board(stage, audience).body


def test_a_board_is_the_same_object_until_something_that_it_follows_from_moves(
    stage: Stage,
) -> None:
    before = board(stage)
    stage.answer("who", "nobody")
    assert board(stage) is before
    solve(stage, 1)
    assert board(stage).sha256 != before.sha256


def test_what_a_board_knows_of_the_one_before_never_shows(stage: Stage) -> None:
    desk = Desk(stage)
    moves: tuple[Callable[[], object], ...] = (
        lambda: solve(stage, 1),
        lambda: solve(stage, 3),
        lambda: stage.answer("mark", stage.value("mark", 1)),
        lambda: desk.correct(Reprice(task="mark", points=4)),
        lambda: desk.correct(Void(task="who")),
        lambda: desk.correct(Exclude(team="team-1")),
        lambda: stage.scoring.boards.rebuild(stage.exercise.id),
        lambda: solve(stage, 2),
    )
    for move in moves:
        move()
        stage.pass_time(1)
        for audience in Audience:
            assert board(stage, audience).body == made_anew(stage, audience).body


def test_a_board_reads_what_teams_have_only_of_those_for_whom_something_was_booked(
    stage: Stage,
) -> None:
    solve(stage, 1, 2)
    board(stage)
    solve(stage, 3)
    with noted_statements() as asked:
        board(stage)
    (totals,) = [statement for statement in asked if "standings.tasks" in statement]
    assert "standings.team_id IN" in totals


# Freeze


def test_nothing_moves_a_frozen_board_whatever_happens_later(stage: Stage) -> None:
    # A peer's scoreboard moves when a task's points change after the freeze.
    solve(stage, 1, 2)
    stage.clock.advance(FREEZE)
    audiences = (Audience.TEAM, Audience.PUBLIC)
    frozen = {audience: board(stage, audience).sha256 for audience in audiences}
    key = f"solve:{stage.team().id}:who"
    for number in (1, 2, 3):
        for task, value in (("read", "yes"), ("mark", stage.value("mark", number))):
            stage.answer(task, value, number=number)
            stage.pass_time(1)
    grant = Grant(task="when", kind=EntryKind.CORRECTION, milli_points=90_000)
    early = Grant(task="many", kind=EntryKind.SOLVE, milli_points=5, at=stage.exercise.clock[0].at)
    correct(stage, Ruling(reverses=(key,), reason="void"))
    correct(stage, Ruling(grants=(grant, early), reason="repriced"), number=3)
    desk = Desk(stage)
    desk.correct(Exclude(team="team-2"))
    desk.correct(Reprice(task="mark", points=4))
    stage.exercises.pause(stage.exercise.id)
    stage.exercises.resume(stage.exercise.id)
    for audience in audiences:
        assert board(stage, audience).sha256 == frozen[audience]
        assert made_anew(stage, audience).sha256 == frozen[audience], "a process that starts now"
    assert board(stage, Audience.STAFF).board.rows[0].milli_points == 94_005, "staff see it"
    stage.exercises.end(stage.exercise.id)
    assert ranks(board(stage)) == [("team-3", 1, 94_005), ("team-1", 2, 4_000)]


def test_the_hash_of_a_frozen_board_is_constant_over_many_events(stage: Stage) -> None:
    solve(stage, 1)
    stage.clock.advance(FREEZE)
    frozen = board(stage).sha256
    for number in range(40):
        grant = Grant(task="who", kind=EntryKind.CORRECTION, milli_points=number - 20)
        correct(stage, Ruling(grants=(grant,), reason="moved"), number=number % 3 + 1)
        stage.pass_time(1)
        if number % 10 == 0:
            assert made_anew(stage).sha256 == frozen
    assert board(stage).sha256 == frozen
    with stage.database.reading() as session:
        kept = select(func.count()).select_from(BoardSnapshotRow)
        assert session.scalar(kept) == 1


def test_each_team_stands_still_from_its_own_freeze_on(stage: Stage) -> None:
    clocks = Timekeeping(stage.database, stage.clock, stage.exercises)
    clocks.pause_team(stage.exercise.id, "team-2")
    stage.clock.advance(FREEZE + timedelta(minutes=1))
    stage.answer("read", "yes", number=1)
    solve(stage, 1)
    clocks.resume_team(stage.exercise.id, "team-2")
    solve(stage, 2)
    assert ranks(board(stage)) == [
        ("team-2", 1, 20_000),
        ("team-1", 2, 0),
        ("team-3", 2, 0),
    ], "only the team whose clock stood still moves"
    found = first(board(stage), "who")
    assert found is not None
    assert found.team == "team-2", "as far as the board may tell"
    assert board(stage).board.frozen == FREEZE


def test_a_freeze_is_kept_by_the_workers_though_nobody_looks(stage: Stage) -> None:
    solve(stage, 1)
    stage.clock.advance(FREEZE)
    assert stage.scoring.boards.sweep() == 1
    solve(stage, 2)
    assert ranks(made_anew(stage))[1] == ("team-2", 2, 0)


def test_hiding_names_after_the_freeze_hides_them_and_moves_no_points(stage: Stage) -> None:
    solve(stage, 1)
    stage.clock.advance(FREEZE)
    before = board(stage, Audience.PUBLIC)
    solve(stage, 2, 3)
    public(stage).open(stage.exercise, anonymous=True)
    after = board(stage, Audience.PUBLIC)
    assert [row.milli_points for row in after.board.rows] == [20_000, 0, 0]
    assert not names(before) & names(after)
    assert made_anew(stage, Audience.PUBLIC).sha256 == after.sha256


# Ranking, first solves, names


def test_a_team_out_of_the_ranking_keeps_its_points_and_comes_back_to_its_place(
    stage: Stage,
) -> None:
    # A peer loses track of others' points when a team is hidden and shown again.
    solve(stage, 1, 2)
    before = {audience: board(stage, audience).sha256 for audience in Audience}
    desk = Desk(stage)
    out = desk.correct(Exclude(team="team-1"))
    assert ranks(board(stage)) == [("team-2", 1, 20_000), ("team-3", 2, 0)]
    assert ranks(board(stage, Audience.STAFF))[-1] == ("team-1", None, 20_000)
    after = first(board(stage), "who")
    assert after is not None
    assert after.team == "team-2"
    assert stage.scoring.record(stage.exercise).teams[0].milli_points == 20_000
    assert stage.task("who").milli_points == 20_000
    desk.correct(Revoke(correction=out.id))
    assert {audience: board(stage, audience).sha256 for audience in Audience} == before


def test_hiding_names_after_the_freeze_keeps_who_was_ranked_then(stage: Stage) -> None:
    solve(stage, 1, 2)
    stage.clock.advance(FREEZE)
    before = board(stage, Audience.PUBLIC).board
    desk = Desk(stage)
    desk.correct(Exclude(team="team-1"))
    desk.correct(Reprice(task="who", points=1))
    public(stage).open(stage.exercise, anonymous=True)
    after = board(stage, Audience.PUBLIC).board
    assert [row.rank for row in after.rows] == [row.rank for row in before.rows] == [1, 2, 3]
    assert [t.milli_points for t in after.tasks] == [t.milli_points for t in before.tasks]


def test_columns_show_what_tasks_give_after_corrections(stage: Stage) -> None:
    desk = Desk(stage)
    desk.correct(Reprice(task="who", points=12))
    desk.correct(Void(task="mark"))
    points = {task.task: task.milli_points for task in board(stage).board.tasks}
    assert (points["who"], points["mark"], points["when"]) == (12_000, 0, 15_000)


def test_of_equal_solves_the_one_booked_first_stays_first_when_all_are_restated(
    stage: Stage,
) -> None:
    for number in (3, 1):
        stage.answer("who", stage.value("intruder", number), number=number)
    desk = Desk(stage)
    desk.correct(Reprice(task="who", points=12))
    at = stage.clock.now()
    assert first(board(stage), "who") == First(team="team-3", at=at)
    desk.correct(Exclude(team="team-3"))
    assert first(board(stage), "who") == First(team="team-1", at=at)
    desk.correct(Void(task="who"))
    assert first(board(stage), "who") is None


def test_a_correction_moves_a_first_solve_to_the_team_that_was_next(stage: Stage) -> None:
    # A peer lets a rejudged answer keep, or lose to the wrong team, its first solve.
    assert first(board(stage), "who") is None
    solve(stage, 2, 3, 1)
    at = stage.clock.now() - timedelta(seconds=3)
    assert first(board(stage), "who") == First(team="team-2", at=at)
    correct(stage, Ruling(reverses=(f"solve:{stage.team(2).id}:who",), reason="x"), number=2)
    assert first(board(stage), "who") == First(team="team-3", at=at + timedelta(seconds=1))


def test_answers_of_one_moment_are_in_the_order_in_which_they_were_booked(stage: Stage) -> None:
    for number in (3, 1):
        stage.answer("who", stage.value("intruder", number), number=number)
    assert first(board(stage), "who") == First(team="team-3", at=stage.clock.now())
    assert [rank for _, rank, _ in ranks(board(stage))] == [1, 1, 3]


def test_hidden_names_are_always_the_same_and_tell_nothing(stage: Stage) -> None:
    solve(stage, 2, 1)
    link = public(stage).open(stage.exercise, anonymous=True)
    shown = board(stage, Audience.PUBLIC)
    text = shown.body.decode()
    assert "team-1" not in text
    assert "team 1" not in text
    assert len(names(shown)) == 3
    stage.answer("read", "yes", number=3)
    assert names(board(stage, Audience.PUBLIC)) == names(shown)
    assert public(stage).exercise_of(link.token) == stage.exercise.id
    assert public(stage).open(stage.exercise, anonymous=False).token == link.token
    assert "team-1" in board(stage, Audience.PUBLIC).body.decode()


def test_a_link_that_was_withdrawn_never_works_again(stage: Stage) -> None:
    link = public(stage).open(stage.exercise, anonymous=False)
    public(stage).close(stage.exercise)
    assert public(stage).link(stage.exercise) is None
    assert public(stage).open(stage.exercise, anonymous=False).token != link.token
    with pytest.raises(BoardUnknownError):
        public(stage).exercise_of(link.token)


def test_the_course_of_a_team_ends_at_its_points_on_its_own_clock(stage: Stage) -> None:
    stage.pass_time(60)
    solve(stage, 1)
    stage.exercises.pause(stage.exercise.id)
    stage.pass_time(600)
    stage.exercises.resume(stage.exercise.id)
    stage.answer("read", "yes")
    stage.answer("mark", stage.value("mark"))
    course = board(stage).board.timeline[0]
    assert (course.team, course.points) == ("team-1", ((0, 0), (60, 20_000), (61, 30_000)))


# Kept, dropped, made again


def test_boards_of_an_exercise_that_is_over_are_kept_dropped_and_made_again(stage: Stage) -> None:
    solve(stage, 1)
    stage.exercises.end(stage.exercise.id)
    before = {audience: board(stage, audience).sha256 for audience in Audience}
    with stage.database.transaction() as transaction:
        for row in transaction.session.scalars(select(BoardSnapshotRow)):
            row.body = row.body.replace("20.0", "99.0")  # as by a mistake of ours
    assert ranks(made_anew(stage))[0] == ("team-1", 1, 99_000), "kept ones are served"
    stage.scoring.boards.rebuild(stage.exercise.id)
    for audience in Audience:
        assert made_anew(stage, audience).sha256 == before[audience]


def test_a_correction_after_the_end_makes_the_kept_board_anew(stage: Stage) -> None:
    solve(stage, 1)
    stage.exercises.end(stage.exercise.id)
    assert ranks(board(stage))[0] == ("team-1", 1, 20_000)
    correct(stage, Ruling(reverses=(f"solve:{stage.team().id}:who",), reason="void"))
    assert ranks(made_anew(stage))[0] == ("team-1", 1, 0)


def test_readers_and_writers_at_once_see_only_boards_that_were(stage: Stage) -> None:
    boards = Boards(stage.database, stage.clock, stage.exercises)
    seen: list[tuple[BoardRow, ...]] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(boards.latest(stage.exercise.id, Audience.STAFF).board.rows)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for task, value in (("who", "intruder"), ("mark", "mark")):
            for number in (1, 2, 3):
                stage.answer(task, stage.value(value, number), number=number)
    finally:
        over.set()
        for reader in readers:
            reader.join()
    sums = [sum(row.milli_points for row in rows) for rows in seen]
    assert set(sums) <= {0, 20_000, 40_000, 60_000, 70_000, 80_000, 90_000}
    last = boards.latest(stage.exercise.id, Audience.STAFF)
    assert sum(row.milli_points for row in last.board.rows) == 90_000


class TickingClock(FakeClock):
    """A clock on which each look at it takes a millisecond."""

    def now(self) -> datetime:
        self.advance(timedelta(milliseconds=1))
        return super().now()


def test_a_board_that_was_found_as_it_was_rests_longer_than_a_new_one(stage: Stage) -> None:
    clock = TickingClock(stage.clock.now())
    boards = Boards(stage.database, clock, stage.exercises)
    rests = []
    for _ in range(2):
        boards.latest(stage.exercise.id, Audience.STAFF)
        kept = boards._kept[stage.exercise.id, Audience.STAFF]
        assert kept.rests_until is not None
        assert kept.looked_at is not None
        rests.append(kept.rests_until - kept.looked_at)
        clock.advance(timedelta(seconds=1))
    assert rests == [timedelta(milliseconds=18), timedelta(milliseconds=198)]


def names(snapshot: Snapshot) -> set[str]:
    return {row.name for row in snapshot.board.rows}
