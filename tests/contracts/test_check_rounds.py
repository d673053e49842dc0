"""Rounds of checks on both databases: who must look before a team loses anything, and until when.

Two workers look here: `stage.scoring` and `stage.other_worker`.
"""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import select, text

from orchestrator.domain.phases import NotNowError, WorldPhase
from orchestrator.domain.world import HostKey
from orchestrator.ports import EngineUnavailableError
from scoring.asking import Question
from scoring.domain.rounds import RoundState
from scoring.domain.verdicts import Verdict
from scoring.errors import (
    AskedTooSoonError,
    CheckUnknownError,
    MaintenanceInvalidError,
    TaskNotAskableError,
)
from scoring.maintenance import Declared, Window
from scoring.replaying import Replaying
from scoring.tables import CheckLookRow, CheckRoundRow, CheckRunRow
from tests.fakes.scoring_stage import SCENARIO, Stage

UP, DOWN = Verdict.UP, Verdict.DOWN
RARE = SCENARIO.replace("every: 30s, timeout: 5s", "every: 5m, timeout: 5s")
LATER = timedelta(seconds=90)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path, teams=1)
    stage.see_door(shut=False)
    stage.pass_time(45)
    yield stage
    stage.database.close()


def runs(stage: Stage, check: str = "shut") -> list[str]:
    """Return the verdicts of the closed rounds of a check, in the order of the rounds."""
    row = CheckRunRow
    with stage.database.reading() as session:
        rows = session.scalars(select(row).where(row.check == check).order_by(row.round))
        return [run.verdict for run in rows]


def looks(stage: Stage) -> list[tuple[str, str]]:
    """Return why each look that decided nothing did not, and what it saw."""
    with stage.database.reading() as session:
        rows = session.scalars(select(CheckLookRow).order_by(CheckLookRow.started_at))
        return [(look.why, look.verdict) for look in rows]


def open_rounds(stage: Stage) -> list[str]:
    with stage.database.reading() as session:
        rows = session.scalars(select(CheckRoundRow).order_by(CheckRoundRow.round))
        return [row.state for row in rows]


def test_one_look_never_books_a_check_down(stage: Stage) -> None:
    assert stage.first_look("shut") is DOWN
    assert (runs(stage), open_rounds(stage)) == ([], [RoundState.DOUBTED])
    assert stage.task("contain").checks[0].verdict is None


def test_a_second_look_of_another_worker_books_it(stage: Stage) -> None:
    stage.first_look("shut")
    assert stage.other_worker.confirm() == 1
    assert (runs(stage), open_rounds(stage)) == (["down"], [])
    assert looks(stage) == [("first", "down")]
    with stage.database.reading() as session:
        [run], [look] = session.scalars(select(CheckRunRow)), session.scalars(select(CheckLookRow))
        assert run.worker != look.worker


def test_a_second_look_that_passes_counts_and_both_are_kept(stage: Stage) -> None:
    stage.first_look("shut")
    stage.see_door(shut=True)
    stage.other_worker.confirm()
    assert (runs(stage), looks(stage)) == (["up"], [("first", "down")])


def test_a_second_look_that_is_our_fault_is_nobodys_loss(stage: Stage) -> None:
    stage.first_look("shut")
    stage.engine.fail("run", EngineUnavailableError("gone"))
    stage.other_worker.confirm()
    assert runs(stage) == ["infra_error"]


def test_a_worker_does_not_confirm_itself_while_there_is_another(stage: Stage) -> None:
    stage.other_worker.sweep()
    stage.first_look("shut")
    stage.pass_time(5)
    assert stage.scoring.confirm() == 0
    assert stage.other_worker.confirm() == 1
    assert runs(stage) == ["down"]


def test_the_only_worker_looks_again_after_a_pause(stage: Stage) -> None:
    stage.first_look("shut")
    stage.pass_time(1)
    assert stage.scoring.confirm() == 0
    stage.pass_time(1)
    assert stage.scoring.confirm() == 1
    assert runs(stage) == ["down"]


def test_a_second_look_is_taken_by_one_worker(stage: Stage) -> None:
    stage.first_look("shut")
    assert stage.other_worker.confirm(lambda _look: None) == 1
    assert stage.other_worker.confirm() == 0
    stage.clock.advance(timedelta(seconds=2))
    assert open_rounds(stage) == [RoundState.CONFIRMING]


def test_a_worker_that_is_killed_in_its_first_look_costs_a_look_and_no_team(stage: Stage) -> None:
    stage.scoring.sweep()
    stage.queue.take()  # they went with their worker
    stage.clock.advance(LATER)
    stage.scoring.sweep()
    assert set(runs(stage)) == {"missing"}
    assert stage.task("contain").checks[0].verdict is Verdict.MISSING
    assert stage.total() == 0


def test_a_lost_look_is_sent_again_while_its_round_is_on(database_url: str, tmp_path: Path) -> None:
    stage = Stage.raised(database_url, tmp_path, scenario=RARE, teams=1)
    stage.see_page()
    stage.pass_time(30)
    stage.scoring.sweep()
    assert "web" in [job.arguments[2] for job in stage.queue.take()]
    stage.pass_time(34)
    stage.scoring.sweep()
    assert "web" not in [job.arguments[2] for job in stage.queue.take()]
    stage.pass_time(2)
    stage.other_worker.sweep()
    stage.scoring.sweep()
    assert [job.arguments[2] for job in stage.queue.take()].count("web") == 1
    assert stage.first_look("web") is UP
    assert runs(stage, "web") == ["up"]
    stage.database.close()


def test_a_worker_that_is_killed_in_the_second_look_books_nothing_down(stage: Stage) -> None:
    stage.first_look("shut")
    stage.other_worker.confirm(lambda _look: None)
    stage.clock.advance(LATER)
    stage.scoring.sweep()
    assert (runs(stage)[0], looks(stage)) == ("missing", [("first", "down")])


def test_a_look_that_comes_late_is_kept_and_changes_nothing(stage: Stage) -> None:
    stage.engine.on_run = lambda _host, _command: stage.clock.advance(LATER)
    assert stage.first_look("shut") is None
    assert looks(stage) == [("late", "down")]
    stage.scoring.sweep()
    assert runs(stage) == ["missing"]


def test_rounds_are_booked_in_their_order_whichever_look_comes_first(stage: Stage) -> None:
    stage.first_look("shut")
    stage.clock.advance(timedelta(seconds=10))
    stage.see_door(shut=True)
    assert stage.first_look("shut") is UP
    assert (runs(stage), open_rounds(stage)) == ([], [RoundState.DOUBTED, RoundState.DECIDED])
    stage.other_worker.confirm()
    assert (runs(stage), open_rounds(stage)) == (["up", "up"], [])


def test_a_round_that_nobody_confirms_does_not_hold_the_next_ones_up(stage: Stage) -> None:
    stage.first_look("shut")
    stage.clock.advance(timedelta(seconds=10))
    stage.see_door(shut=True)
    stage.first_look("shut")
    stage.clock.advance(LATER)
    stage.scoring.sweep()
    assert runs(stage) == ["missing", "up"]


@pytest.mark.parametrize("jump", [timedelta(hours=3), -timedelta(hours=3)])
def test_a_clock_that_jumps_costs_no_team_anything(stage: Stage, jump: timedelta) -> None:
    stage.see_page()
    stage.see_port(opens=True)
    stage.looks("shut", 2)
    before = runs(stage)
    stage.first_look("shut")
    stage.scoring.sweep()
    stage.clock.advance(jump)
    stage.scoring.sweep()
    stage.scoring.confirm(lambda _look: None)
    assert [verdict for verdict in runs(stage)[len(before) :] if verdict == "down"] == []


def test_a_database_that_stands_still_for_30_seconds_costs_no_team_anything(
    stage: Stage,
) -> None:
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with stage.database.engine.begin() as connection:
            connection.execute(text("UPDATE teams SET slug = slug"))
            held.set()
            released.wait()
            stage.clock.advance(timedelta(seconds=30))

    def look_meanwhile(_host: HostKey, _command: tuple[str, ...]) -> None:
        threading.Thread(target=hold).start()
        held.wait()
        threading.Timer(2, released.set).start()  # the look waits for it by then
        stage.engine.on_run = lambda _host, _command: None

    stage.engine.on_run = look_meanwhile
    assert stage.first_look("shut") is DOWN
    assert (runs(stage), open_rounds(stage)) == ([], [RoundState.DOUBTED])
    stage.clock.advance(timedelta(seconds=30))
    stage.scoring.sweep()
    assert runs(stage) == ["missing"]


# Maintenance


def declare(stage: Stage, minutes: float, **more: object) -> Window:
    declared = Declared(length=timedelta(minutes=minutes), reason="a switch", **more)  # type: ignore[arg-type]
    return stage.scoring.maintenance.declare(stage.exercise, declared, by=None)


def test_rounds_in_maintenance_are_seen_and_count_on_neither_side(stage: Stage) -> None:
    stage.see_page()
    stage.looks("web", 3)
    window = declare(stage, 5)
    stage.see_page("", exit_code=7)
    assert stage.looks("web", 4) == [DOWN] * 4
    stage.pass_time(300)
    assert stage.task("keep_up").share == 1
    assert stage.total() == 20_000
    with stage.database.reading() as session:
        excused = session.scalars(select(CheckRunRow).where(CheckRunRow.window_id == window.id))
        assert [run.verdict for run in excused] == ["down"] * 4
    stage.looks("web", 1)
    assert stage.task("keep_up").share == Fraction(3, 4)


def test_one_look_in_maintenance_is_enough(stage: Stage) -> None:
    declare(stage, 5)
    assert stage.first_look("shut") is DOWN
    assert (runs(stage), open_rounds(stage)) == (["down"], [])


def test_maintenance_of_one_check_or_later_leaves_the_others_alone(stage: Stage) -> None:
    declare(stage, 5, check="mail")
    declare(stage, 5, start=stage.clock.now() + timedelta(hours=1))
    stage.see_page()
    stage.looks("web", 1)
    with stage.database.reading() as session:
        assert session.scalars(select(CheckRunRow.window_id)).all() == [None]


def test_a_pass_in_maintenance_solves_nothing(stage: Stage) -> None:
    declare(stage, 5)
    stage.engine.hosts[stage.host("office")].listening.add(22)
    assert stage.looks("login", 2) == [UP, UP]
    assert stage.total() == 0


def test_maintenance_is_told_to_the_team_and_to_the_log(stage: Stage) -> None:
    window = declare(stage, 5, team=stage.team())
    assert stage.scoring.maintenance.ahead(stage.exercise, stage.team()) == (window,)
    [*_, entry] = stage.exercises.journal.of(stage.exercise.id)
    assert (entry.act, entry.reason, entry.team) == ("check.maintenance", "a switch", "team-1")
    stage.pass_time(300)
    assert stage.scoring.maintenance.ahead(stage.exercise, stage.team()) == ()
    assert stage.scoring.maintenance.all(stage.exercise) == (window,)


def test_maintenance_that_cannot_be_is_refused(stage: Stage) -> None:
    past = stage.clock.now() - timedelta(minutes=1)
    never = datetime.max.replace(tzinfo=UTC)
    for wrong in (
        {"start": past},
        {"start": never},
        {"reason": " "},
        {"minutes": 0},
        {"minutes": 99_999},
    ):
        minutes = float(wrong.pop("minutes", 5))  # type: ignore[arg-type]
        declared = Declared(**{"length": timedelta(minutes=minutes), "reason": "x", **wrong})  # type: ignore[arg-type]
        with pytest.raises(MaintenanceInvalidError):
            stage.scoring.maintenance.declare(stage.exercise, declared, by=None)
    with pytest.raises(CheckUnknownError, match="no check 'door'"):
        declare(stage, 5, check="door")
    assert stage.scoring.maintenance.all(stage.exercise) == ()


# What teams ask


def ask(stage: Stage, task: str = "contain") -> Question:
    return stage.scoring.asking.ask(stage.exercise, stage.team(), stage.member(), task)


def answered(stage: Stage) -> list[tuple[str, str, str]]:
    """Do what a worker does with the questions, and return what the team is told of `contain`."""
    for job in stage.queue.take():
        exercise, team, question = job.arguments
        stage.scoring.asking.answer(exercise, team, question)  # type: ignore[arg-type]
    told = stage.scoring.asking.latest(stage.team())["contain"].answer
    return [(one.check, one.holds, one.output) for one in told]


def test_a_team_asks_whether_its_checks_pass_and_nothing_is_booked(stage: Stage) -> None:
    stage.see_port(opens=True)
    assert ask(stage).answer == ()
    assert answered(stage) == [("shut", "no", ""), ("mail", "yes", "")]
    stage.engine.fail("run", EngineUnavailableError("gone"))
    stage.pass_time(30)
    ask(stage)
    assert answered(stage) == [("shut", "unknown", ""), ("mail", "yes", "")]
    assert (runs(stage), open_rounds(stage), looks(stage), stage.total()) == ([], [], [], 0)


def test_a_team_sees_what_a_probe_printed_only_where_the_author_lets_it(
    database_url: str, tmp_path: Path
) -> None:
    text = SCENARIO.replace("hold: 1m}", "hold: 1m, show_output: true}")
    stage = Stage.raised(database_url, tmp_path, scenario=text)
    stage.engine.answer(("shut",), exit_code=1, output="port 22 is open\n")
    stage.see_port(opens=False)
    ask(stage)
    assert answered(stage)[0] == ("shut", "no", "port 22 is open\n")
    stage.database.close()


def test_a_team_asks_about_a_task_once_in_30_seconds(stage: Stage) -> None:
    ask(stage)
    with pytest.raises(AskedTooSoonError, match="Ask again in 30 s"):
        ask(stage)
    ask(stage, "let_in")
    stage.pass_time(29.5)
    with pytest.raises(AskedTooSoonError, match="Ask again in 1 s"):
        ask(stage)
    stage.pass_time(0.5)
    ask(stage)


def test_what_checks_do_not_decide_cannot_be_asked_about(stage: Stage) -> None:
    for task in ("who", "keep_up"):
        with pytest.raises(TaskNotAskableError):
            ask(stage, task)
    stage.exercises.pause(stage.exercise.id)
    with pytest.raises(NotNowError):
        ask(stage)


# All of it together


def test_a_replay_books_the_same_whatever_became_of_rounds(stage: Stage) -> None:
    stage.see_page()
    stage.looks("web", 2)
    stage.see_page("", exit_code=7)
    stage.looks("web", 2)
    declare(stage, 2)
    stage.looks("web", 4)
    stage.pass_time(60)
    stage.first_look("web")
    stage.clock.advance(LATER)
    stage.scoring.sweep()
    stage.see_page()
    stage.looks("web", 3)
    stage.scoring.sweep()
    seen = runs(stage, "web")
    assert (seen[:8], "missing" in seen) == (["up"] * 2 + ["down"] * 6, True)
    assert stage.task("keep_up").share == Fraction(5, 8)
    replay = Replaying(stage.database, stage.exercises).replay(stage.exercise)
    assert [team.differences for team in replay.teams] == [()]
    assert replay.teams[0].replay.milli_points == stage.total() == 12_500


def test_a_broker_that_is_away_costs_looks_and_no_team(stage: Stage) -> None:
    stage.see_page()
    stage.see_port(opens=True)
    stage.scoring.sweep()
    lost = len(stage.queue.take())  # left with a broker that forgot them
    stage.pass_time(50)
    stage.other_worker.sweep()
    sent_again = stage.queue.take()
    assert len(sent_again) >= lost
    with stage.database.reading() as session:
        assert set(session.scalars(select(CheckRunRow.verdict))) <= {"missing"}


def test_a_look_at_a_world_that_was_raised_anew_since_confirms_nothing(stage: Stage) -> None:
    stage.first_look("shut")
    stage.pass_time(1)
    stage.move_world(stage.team(), WorldPhase.READY)
    assert stage.other_worker.confirm() == 1
    assert (runs(stage), open_rounds(stage)) == ([], [RoundState.DOUBTED])
    assert stage.scoring.confirm() == 1
    assert runs(stage) == ["down"]
