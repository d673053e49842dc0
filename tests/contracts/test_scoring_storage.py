"""Scoring on both databases: what is booked, once, whatever comes twice or at the same time."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from core.ids import new_id
from orchestrator.domain.exercise import Problem
from orchestrator.domain.exercise import Stage as WorldStage
from orchestrator.domain.phases import NotNowError, WorldPhase
from orchestrator.ports import EngineUnavailableError, RunResult
from scoring.answering import MAX_ANSWER
from scoring.append_only import guards
from scoring.domain.verdicts import Verdict
from scoring.errors import (
    AnswerInvalidError,
    AnswerKeyReusedError,
    TaskNotAnswerableError,
    TaskUnknownError,
)
from scoring.tables import CheckRunRow, ScoreEntryRow, SolveRow, SubmissionRow
from scoring.views import TaskState
from tests.fakes.scoring_stage import PAGE, SCENARIO, Stage


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path)
    yield stage
    stage.prove()  # whatever a test did
    stage.database.close()


def count(stage: Stage, table: type[CheckRunRow | ScoreEntryRow | SolveRow | SubmissionRow]) -> int:
    with stage.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def booked(stage: Stage) -> list[tuple[str, int]]:
    """Return every entry as task and thousandths, in the order of the ledger."""
    with stage.database.reading() as session:
        entries = session.scalars(select(ScoreEntryRow).order_by(ScoreEntryRow.id))
        return [(entry.task, entry.milli_points) for entry in entries]


def at_once(calls: list[Callable[[], object]], *, threads: int = 12) -> list[object]:
    with ThreadPoolExecutor(threads) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


# Answers


def test_a_right_answer_is_booked_with_its_proof(stage: Stage) -> None:
    outcome = stage.answer("who", stage.value("intruder").upper())
    assert (outcome.verdict, outcome.milli_points, outcome.attempts_left) == ("correct", 20_000, 2)
    with stage.database.reading() as session:
        entry = session.scalars(select(ScoreEntryRow)).one()
        proof = session.get_one(SubmissionRow, entry.cause_id)
    assert (entry.kind, entry.cause_type, entry.milli_points) == ("solve", "submission", 20_000)
    assert entry.effective_at == proof.received_at == stage.clock.now()
    assert entry.user_id == proof.user_id == stage.member()
    assert (stage.total(), stage.total(2)) == (20_000, 0)


def test_a_second_right_answer_adds_nothing(stage: Stage) -> None:
    stage.answer("who", stage.value("intruder"))
    again = stage.answer("who", stage.value("intruder"))
    assert (again.verdict, again.milli_points) == ("already", 20_000)
    assert booked(stage) == [("who", 20_000)]


def test_the_same_key_gets_the_same_outcome_and_has_no_effect(stage: Stage) -> None:
    wrong = stage.answer("who", "nobody", key="one")
    right = stage.answer("who", stage.value("intruder"), key="two")
    before = count(stage, SubmissionRow)
    assert stage.answer("who", "nobody", key="one") == wrong
    assert stage.answer("who", stage.value("intruder"), key="two") == right
    assert right.verdict == "correct"
    assert count(stage, SubmissionRow) == before
    assert stage.total() == 20_000


def test_the_same_key_with_another_answer_is_refused_and_changes_nothing(stage: Stage) -> None:
    stage.answer("who", "nobody", key="one")
    with pytest.raises(AnswerKeyReusedError, match="came with another answer"):
        stage.answer("who", stage.value("intruder"), key="one")
    with pytest.raises(AnswerKeyReusedError):
        stage.answer("when", "nobody", key="one")
    assert (stage.total(), count(stage, SubmissionRow), count(stage, SolveRow)) == (0, 1, 0)


def test_two_teams_may_use_the_same_key(stage: Stage) -> None:
    for number in (1, 2):
        value = stage.value("intruder", number)
        assert stage.answer("who", value, number=number, key="1").verdict == "correct"


def test_attempts_are_the_teams_and_end(stage: Stage) -> None:
    left = [stage.answer("who", f"wrong {n}").attempts_left for n in range(3)]
    late = stage.answer("who", stage.value("intruder"))
    assert left == [2, 1, 0]
    assert (late.verdict, late.attempts_left, stage.total()) == ("no_attempts_left", 0, 0)
    view = stage.task("who")
    assert (view.state, view.attempts, view.attempts_left) == (TaskState.NO_ATTEMPTS_LEFT, 3, 0)
    assert stage.answer("who", stage.value("intruder", 2), number=2).verdict == "correct"


def test_another_teams_flag_is_told_as_wrong_and_kept_as_a_signal(stage: Stage) -> None:
    stolen = stage.answer("mark", f" {stage.value('mark', 2)}\n")
    invented = stage.answer("mark", "ST{invented}")
    assert (stolen.verdict, stolen) == ("wrong", invented)
    signal = stage.scoring.signals(stage.exercise)
    assert [(s.team, s.owner, s.user, s.task, s.value) for s in signal] == [
        ("team-1", "team-2", stage.member(), "mark", "mark")
    ]
    assert booked(stage) == []
    with stage.database.reading() as session:
        kept = session.get_one(SubmissionRow, signal[0].submission)
    assert kept.verdict == "foreign"


def test_another_teams_secret_is_noticed_wherever_it_is_sent(stage: Stage) -> None:
    stage.answer("who", stage.value("mark", 2))
    stage.answer("mark", stage.value("door_key", 2))
    stage.answer("mark", stage.value("mark"))
    stage.answer("mark", stage.value("mark", 2))  # after its own: still worth a look
    stage.answer("mark", stage.value("intruder", 2))  # not a secret
    stage.answer("who", stage.value("door_key"))  # its own
    found = [(s.task, s.value) for s in stage.scoring.signals(stage.exercise)]
    assert Counter(found) == {("who", "mark"): 1, ("mark", "door_key"): 1, ("mark", "mark"): 1}
    assert stage.total() == 10_000


def test_the_same_stolen_flag_sent_again_with_its_key_is_one_signal(stage: Stage) -> None:
    for _ in range(3):
        stage.answer("mark", stage.value("mark", 2), key="one")
    assert len(stage.scoring.signals(stage.exercise)) == 1


@pytest.mark.parametrize(
    "value", ["", " \u00a0\n", "x" * (MAX_ANSWER + 1), "x" * 1_000_000, "a\0b", "\ud800"]
)
def test_what_cannot_be_an_answer_costs_no_attempt(stage: Stage, value: str) -> None:
    with pytest.raises(AnswerInvalidError):
        stage.answer("who", value)
    assert count(stage, SubmissionRow) == 0


@pytest.mark.parametrize("key", ["x" * 101, "a\nb", "\0"])
def test_a_key_that_cannot_be_stored_is_refused(stage: Stage, key: str) -> None:
    with pytest.raises(AnswerInvalidError, match="the key of an answer"):
        stage.answer("who", "nobody", key=key)


def test_an_answer_may_hold_any_script_and_every_length_allowed(stage: Stage) -> None:
    assert stage.answer("who", "𝄞" * MAX_ANSWER).verdict == "wrong"


def test_tasks_that_are_not_answered_say_so(stage: Stage) -> None:
    for task in ("contain", "keep_up"):
        with pytest.raises(TaskNotAnswerableError, match="not answered in words"):
            stage.answer(task, "done")
    with pytest.raises(TaskUnknownError, match="no task 'door'"):
        stage.answer("door", "open")


@pytest.mark.parametrize("act", ["pause", "end"])
def test_outside_running_nothing_is_taken(stage: Stage, act: str) -> None:
    getattr(stage.exercises, act)(stage.exercise.id)
    with pytest.raises(NotNowError):
        stage.answer("who", stage.value("intruder"))
    assert count(stage, SubmissionRow) == 0


@pytest.mark.parametrize("act", ["pause", "end"])
def test_an_answer_that_the_end_overtakes_is_not_taken(stage: Stage, act: str) -> None:
    seen_running = stage.exercise
    getattr(stage.exercises, act)(seen_running.id)
    with pytest.raises(NotNowError):
        stage.scoring.answer(
            seen_running,
            stage.team(),
            stage.member(),
            task="who",
            value=stage.value("intruder"),
            client_key="late",
        )
    assert count(stage, SubmissionRow) == 0


@pytest.mark.parametrize("place", ["scoring.booking.TeamBooks.book", "core.db._commit"])
def test_a_failure_after_the_claim_leaves_the_task_to_be_solved(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    # A peer claims a flag in one step and books it in another: a crash between loses the points.
    def breaks(*_: object, **__: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr(place, breaks)
        with pytest.raises(ConnectionResetError):
            stage.answer("mark", stage.value("mark"), key="one")
    assert [count(stage, table) for table in (SubmissionRow, SolveRow, ScoreEntryRow)] == [0, 0, 0]
    assert stage.answer("mark", stage.value("mark"), key="one").verdict == "correct"
    assert stage.total() == 10_000


# At the same time


def test_five_hundred_right_answers_at_once_are_one_solve(stage: Stage) -> None:
    exercise, team, user, value = (
        *(stage.exercise, stage.team(), stage.member()),
        stage.value("intruder"),
    )
    outcomes = at_once(
        [
            lambda key=f"key {n}": (
                stage.scoring.answer(  # type: ignore[misc]
                    exercise, team, user, task="who", value=value, client_key=key
                ).verdict
            )
            for n in range(500)
        ],
        threads=50,
    )
    assert Counter(outcomes) == {"correct": 1, "already": 499}
    assert booked(stage) == [("who", 20_000)]
    assert (count(stage, SolveRow), count(stage, SubmissionRow)) == (1, 500)


def test_one_answer_sent_many_times_at_once_is_taken_once(stage: Stage) -> None:
    value = stage.value("mark")
    outcomes = at_once([lambda: stage.answer("mark", value, key="one") for _ in range(40)])
    assert {str(outcome) for outcome in outcomes} == {str(outcomes[0])}
    assert (count(stage, SubmissionRow), booked(stage)) == (1, [("mark", 10_000)])


def test_wrong_answers_at_once_never_use_more_attempts_than_there_are(stage: Stage) -> None:
    outcomes = at_once(
        [lambda n=n: stage.answer("who", f"wrong {n}").verdict for n in range(40)]  # type: ignore[misc]
    )
    assert Counter(outcomes) == {"wrong": 3, "no_attempts_left": 37}


def test_one_round_carried_out_many_times_at_once_is_one_run(stage: Stage) -> None:
    stage.see_page()
    stage.pass_time(60)
    verdicts = at_once([lambda: stage.look("web") for _ in range(24)])
    assert Counter(verdicts) == {Verdict.UP: 1, None: 23}
    assert (count(stage, CheckRunRow), booked(stage)) == (1, [("keep_up", 20_000)])


@pytest.mark.parametrize("seed", range(3))
def test_any_interleaving_and_repetition_gives_the_totals_of_a_plain_order(
    stage: Stage, seed: int
) -> None:
    shuffle = random.Random(seed)
    stage.see_page()
    stage.see_door(shut=True)
    for number in (1, 2):
        stage.see_port(opens=True, number=number)
    for round_ in range(8):
        stage.pass_time(30)
        # Team 2's pages break in every other round; all that may happen in a round, in any order.
        stage.see_page(PAGE if round_ % 2 else "HTTP/1.1 500 Oops\r\n\r\n")
        calls: list[Callable[[], object]] = []
        for number in (1, 2):
            calls += [
                lambda c=check, n=number: stage.look(c, number=n)  # type: ignore[misc]
                for check in ("web", "shut", "mail")
            ]
            value = stage.value("intruder", number)
            calls.append(lambda v=value, n=number: stage.answer("who", v, number=n))  # type: ignore[misc]
        calls *= 2
        shuffle.shuffle(calls)
        at_once(calls, threads=6)
    # who 20, contain 30, keep_up 20 for 4 of 8 rounds
    assert (stage.total(), stage.total(2)) == (60_000, 60_000)
    assert Counter(task for task, _ in booked(stage))["who"] == 2
    assert count(stage, CheckRunRow) == 2 * 3 * 8


# Checks


def test_a_task_is_done_when_all_its_checks_have_held(stage: Stage) -> None:
    stage.see_door(shut=True)
    stage.see_port(opens=True)
    stage.looks("mail", 1)
    stage.looks("shut", 6)
    assert stage.task("contain").state is TaskState.HOLDING
    assert stage.total() == 0
    stage.looks("shut", 1)
    view = stage.task("contain")
    assert (view.state, view.milli_points) == (TaskState.DONE, 30_000)
    with stage.database.reading() as session:
        entry = session.scalars(select(ScoreEntryRow)).one()
        run = session.get_one(CheckRunRow, entry.cause_id)
    assert (entry.cause_type, entry.user_id, run.check) == ("check_run", None, "shut")
    assert entry.effective_at == run.started_at


def test_one_check_of_two_is_not_enough(stage: Stage) -> None:
    stage.see_door(shut=True)
    stage.see_port(opens=False)
    stage.looks("mail", 1)
    stage.looks("shut", 20)
    assert (stage.task("contain").state, stage.total()) == (TaskState.OPEN, 0)


def test_a_break_begins_the_hold_again(stage: Stage) -> None:
    stage.see_port(opens=True)
    stage.looks("mail", 1)
    for shut, times in ((True, 6), (False, 1), (True, 6)):
        stage.see_door(shut=shut)
        stage.looks("shut", times)
    assert stage.total() == 0
    stage.looks("shut", 1)
    assert stage.total() == 30_000


def test_what_was_done_stays_done(stage: Stage) -> None:
    stage.see_port(opens=True)
    stage.see_door(shut=True)
    stage.looks("mail", 1)
    stage.looks("shut", 7)
    stage.see_door(shut=False)
    stage.looks("shut", 2)
    assert booked(stage) == [("contain", 30_000)]
    assert stage.task("contain").checks[0].verdict is Verdict.DOWN


def test_a_pause_stops_rounds_and_neither_helps_nor_harms_a_hold(stage: Stage) -> None:
    stage.see_port(opens=True)
    stage.see_door(shut=True)
    stage.looks("mail", 1)
    stage.looks("shut", 6)
    held = stage.task("contain").checks[0].held
    stage.exercises.pause(stage.exercise.id)
    stage.pass_time(3600)
    assert stage.scoring.sweep() == 0
    assert stage.look("shut") is None
    stage.exercises.resume(stage.exercise.id)
    assert stage.task("contain").checks[0].held == held == timedelta(seconds=50)
    stage.looks("shut", 1)
    assert stage.total() == 30_000


def test_availability_is_the_share_of_all_scored_rounds(stage: Stage) -> None:
    # A peer counts only the failures in a row at the end of the exercise.
    for page, times in (("HTTP/1.1 500 Oops\r\n\r\n", 3), (PAGE, 7)):
        stage.see_page(page)
        stage.looks("web", times)
    assert (stage.total(), stage.task("keep_up").share) == (14_000, Fraction(7, 10))
    assert sum(milli for _, milli in booked(stage)) == 14_000


def test_our_faults_cost_no_team_anything(stage: Stage) -> None:
    stage.see_page()
    stage.looks("web", 2)
    stage.engine.fail("probe", *[EngineUnavailableError("gone")] * 5)
    assert stage.looks("web", 5) == [Verdict.INFRA_ERROR] * 5
    stage.pass_time(600)  # and nobody looks
    stage.looks("web", 1)
    assert (stage.total(), stage.task("keep_up").share) == (20_000, Fraction(1))
    record = stage.scoring.record(stage.exercise)
    assert next(t for t in record.teams[0].tasks if t.task == "keep_up").of_milli_points == 20_000


def test_a_world_that_never_became_ready_cannot_be_down(stage: Stage) -> None:
    stage.move_world(stage.team(), WorldPhase.DEGRADED)
    stage.see_door(shut=False)
    assert stage.looks("shut", 1) == [Verdict.INFRA_ERROR]
    stage.see_door(shut=True)
    assert stage.looks("shut", 1) == [Verdict.UP]


@pytest.mark.parametrize(
    ("stage_of_problem", "verdict"),
    [(WorldStage.REPAIR, Verdict.INFRA_ERROR), (WorldStage.RUNNING, Verdict.DOWN)],
    ids=["what we hold up fell", "a host ended from inside"],
)
def test_a_degraded_world_costs_points_only_when_it_ended_from_inside(
    stage: Stage, stage_of_problem: WorldStage, verdict: Verdict
) -> None:
    problem = Problem(stage=stage_of_problem, message="mail stopped", host="mail")
    stage.move_world(stage.team(), WorldPhase.DEGRADED, problem)
    stage.see_door(shut=False)
    assert stage.looks("shut", 1) == [verdict]


def test_a_host_that_we_lost_is_not_down_even_before_it_is_noticed(stage: Stage) -> None:
    stage.see_port(opens=False)
    assert stage.looks("mail", 1) == [Verdict.DOWN]
    stage.engine.lose_host(stage.host("office"))
    assert stage.looks("mail", 1) == [Verdict.INFRA_ERROR]


def test_a_network_that_we_lost_is_not_down_even_before_it_is_noticed(stage: Stage) -> None:
    stage.see_port(opens=False)
    stage.engine.lose_network(stage.host("office").world, "office")
    assert stage.looks("mail", 1) == [Verdict.INFRA_ERROR]
    assert stage.total() == 0


def test_a_look_during_which_a_repair_began_is_not_kept(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.see_door(shut=False)
    run = stage.engine.run

    def run_while_a_repair_begins(*arguments: object, **named: object) -> RunResult:
        problem = Problem(stage=WorldStage.REPAIR, message="mail is gone", host="mail")
        stage.pass_time(1)
        stage.move_world(stage.team(), WorldPhase.DEGRADED, problem)
        return run(*arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(stage.engine, "run", run_while_a_repair_begins)
        assert stage.looks("shut", 1) == [None]


def test_a_late_round_and_a_round_that_is_not_on_add_nothing(stage: Stage) -> None:
    stage.see_page()
    stage.looks("web", 3)
    exercise, team, now = stage.exercise.id, stage.team().id, stage.round("web")
    before = booked(stage)
    for number in (now, now - 1, now + 1, -1):
        assert stage.scoring.run_check(exercise, team, "web", number) is None
    assert stage.scoring.run_check(exercise, team, "no-such-check", now) is None
    assert (booked(stage), count(stage, CheckRunRow)) == (before, 3)


@pytest.mark.parametrize("act", ["pause", "end"])
def test_a_look_that_the_exercise_left_behind_is_not_kept(
    stage: Stage, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.see_door(shut=False)
    stage.pass_time(60)
    run = stage.engine.run

    def stops_meanwhile(*args: object, **options: object) -> object:
        getattr(stage.exercises, act)(stage.exercise.id)
        return run(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.engine, "run", stops_meanwhile)
    assert stage.look("shut") is None
    assert count(stage, CheckRunRow) == 0


def test_a_look_at_a_world_that_was_raised_anew_meanwhile_is_not_kept(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.pass_time(60)
    run = stage.engine.run

    def raised_anew(*args: object, **options: object) -> object:
        stage.pass_time(1)
        stage.move_world(stage.team(), WorldPhase.READY)
        return run(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(stage.engine, "run", raised_anew)
    assert stage.look("shut") is None


def test_a_team_that_ended_its_own_host_is_down(stage: Stage) -> None:
    stage.engine.end_host(stage.host("office"))
    assert stage.looks("shut", 1) == [Verdict.DOWN]
    assert stage.looks("login", 1) == [Verdict.DOWN]


# Due work


def test_a_sweep_sends_each_round_once(stage: Stage) -> None:
    stage.pass_time(31)
    assert stage.scoring.sweep() == 8  # four checks of two teams
    assert stage.scoring.sweep() == 0
    jobs = stage.queue.take()
    assert {job.name for job in jobs} == {"scoring.check"}
    assert len({job.arguments[1:3] for job in jobs}) == 8
    stage.pass_time(10)
    # The rare check is not due again yet; the frequent ones are, and only their present round.
    assert stage.scoring.sweep() >= 6
    stage.pass_time(3600)
    assert stage.scoring.sweep() == 8


def test_sweeps_of_many_workers_send_each_round_once(stage: Stage) -> None:
    stage.pass_time(31)
    assert sum(map(int, map(str, at_once([stage.scoring.sweep] * 8)))) == 8
    assert len(stage.queue.take()) == 8


def test_a_job_of_a_sweep_is_a_round_that_is_on(stage: Stage) -> None:
    stage.see_page()
    stage.pass_time(45)
    stage.scoring.sweep()
    for job in stage.queue.take():
        exercise, team, check, number = job.arguments
        assert exercise == stage.exercise.id
        found = next(t for t in stage.exercise.teams if t.id == team)
        assert stage.scoring.run_check(stage.exercise.id, found.id, check, int(number)) is not None
    stage.other_worker.confirm()
    assert count(stage, CheckRunRow) == 8


def test_no_round_is_sent_before_the_start_or_for_a_world_that_does_not_stand(
    stage: Stage,
) -> None:
    stage.pass_time(45)
    for phase in (WorldPhase.BUILDING, WorldPhase.FAILED, WorldPhase.REMOVED):
        stage.move_world(stage.team(), phase)
        stage.move_world(stage.team(2), phase)
        assert stage.scoring.sweep() == 0
        assert stage.look("shut") is None
    stage.move_world(stage.team(), WorldPhase.DEGRADED)
    assert stage.scoring.sweep() == 4
    stage.exercises.end(stage.exercise.id)
    assert stage.scoring.sweep() == 0


# The ledger


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE score_entries SET milli_points = 1",
        "UPDATE score_entries SET reason = 'x' WHERE id > 0",
        "DELETE FROM score_entries",
        "DELETE FROM score_entries WHERE id > 0",
    ],
)
def test_the_database_refuses_to_change_the_ledger(stage: Stage, statement: str) -> None:
    stage.answer("who", stage.value("intruder"))
    with (
        pytest.raises(DBAPIError, match="append-only"),
        stage.database.engine.begin() as connection,
    ):
        connection.execute(text(statement))
    assert booked(stage) == [("who", 20_000)]


def test_the_ledger_cannot_be_emptied_or_written_over_by_other_means(stage: Stage) -> None:
    stage.answer("who", stage.value("intruder"))
    columns = ", ".join(column.name for column in ScoreEntryRow.__table__.columns)
    statement = {
        "sqlite": f"INSERT OR REPLACE INTO score_entries SELECT {columns} FROM score_entries",
        "postgresql": "TRUNCATE score_entries CASCADE",
    }[stage.database.engine.dialect.name]
    with (
        pytest.raises(DBAPIError, match="append-only"),
        stage.database.engine.begin() as connection,
    ):
        connection.execute(text(statement))
    assert booked(stage) == [("who", 20_000)]


def test_the_guards_can_be_taken_down_and_put_up_again(stage: Stage) -> None:
    up, down = guards(stage.database.engine.dialect.name)
    with stage.database.engine.begin() as connection:
        for statement in [*down, *up]:
            connection.exec_driver_sql(statement)
    stage.answer("who", stage.value("intruder"))
    assert stage.total() == 20_000


# What people see


def test_the_board_and_the_record_say_the_same(stage: Stage) -> None:
    stage.see_page()
    stage.looks("web", 4)
    stage.answer("read", "yes", number=2)
    stage.answer("who", "nobody")
    stage.answer("who", stage.value("intruder"))
    stage.answer("mark", stage.value("mark"))
    board, record = stage.scoring.board(stage.exercise), stage.scoring.record(stage.exercise)
    assert [(row.team, row.rank, row.milli_points) for row in board.rows] == [
        ("team-1", 1, 50_000),
        ("team-2", 2, 0),
    ]
    assert board.rows[0].tasks == {"keep_up": 20_000, "who": 20_000, "mark": 10_000}
    assert board.upto_entry == record.upto_entry == len(booked(stage))
    team = record.teams[0]
    assert team.milli_points == board.rows[0].milli_points
    # Nobody ever looked at the checks of `contain` and `let_in`: they count on neither side.
    assert team.of_milli_points == 20_000 + 15_000 + 5_000 + 10_000 + 20_000
    logs, triage = team.objectives
    assert (str(logs.share), logs.passed) == ("2/3", True)
    assert (str(triage.share), triage.passed) == ("1", True)
    member = team.members[0]
    assert (member.user, member.solved, member.wrong_answers) == (
        *(stage.member(), ("mark", "who")),
        1,
    )
    assert record.teams[1].tasks[3].solved_by == stage.member(2)
    assert not record.final


def test_the_board_of_teams_stands_still_from_the_freeze_to_the_end(
    database_url: str, tmp_path: Path
) -> None:
    scenario = f"{SCENARIO}end: {{freeze: 45m}}\n"
    stage = Stage.raised(database_url, tmp_path, scenario=scenario)
    stage.clock.advance(timedelta(minutes=44))
    stage.answer("read", "yes")
    assert stage.scoring.board(stage.exercise, for_teams=True).frozen is None
    stage.exercises.pause(stage.exercise.id)
    stage.clock.advance(timedelta(minutes=30))
    stage.exercises.resume(stage.exercise.id)
    stage.clock.advance(timedelta(seconds=59))
    stage.answer("who", stage.value("intruder"))
    stage.clock.advance(timedelta(seconds=2))
    stage.answer("mark", stage.value("mark"))
    shown = stage.scoring.board(stage.exercise, for_teams=True)
    assert shown.frozen == timedelta(minutes=45)
    assert [row.milli_points for row in shown.rows] == [20_000, 0]
    assert stage.total() == 30_000, "staff see all"
    assert stage.task("mark").milli_points == 10_000, "a team sees its own"
    stage.exercises.end(stage.exercise.id)
    ended = stage.scoring.board(stage.exercise, for_teams=True)
    assert (ended.frozen, ended.rows[0].milli_points) == (None, 30_000)
    stage.database.close()


def test_a_record_is_final_once_the_exercise_has_ended_and_outlives_the_worlds(
    stage: Stage,
) -> None:
    started = stage.clock.now()
    stage.answer("who", stage.value("intruder"))
    stage.pass_time(600)
    stage.exercises.pause(stage.exercise.id)
    stage.pass_time(600)
    stage.exercises.end(stage.exercise.id)
    ended = stage.clock.now()
    stage.exercises.destroy(stage.exercise.id)
    for team in stage.exercise.teams:
        stage.move_world(team, WorldPhase.REMOVED)
    stage.pass_time(600)
    record = stage.scoring.record(stage.exercise)
    assert (record.final, record.started_at, record.ended_at) == (True, started, ended)
    assert record.ran == timedelta(minutes=10)
    assert record.teams[0].milli_points == 20_000
    assert record.scenario_digest == stage.exercise.scenario_digest


def test_a_task_shows_its_text_and_the_state_of_its_checks(stage: Stage) -> None:
    stage.see_door(shut=True)
    stage.looks("shut", 3)
    contain, keep_up, who = (stage.task(task) for task in ("contain", "keep_up", "who"))
    assert (contain.title, contain.ask, contain.kind) == ("Shut it", "Shut it.", "checks")
    shut, mail = contain.checks
    assert (shut.verdict, shut.held, shut.hold) == (
        *(Verdict.UP, timedelta(seconds=20)),
        timedelta(minutes=1),
    )
    assert (mail.verdict, mail.held, contain.state) == (None, None, TaskState.OPEN)
    assert (keep_up.share, keep_up.milli_points, keep_up.of_milli_points) == (None, 0, 20_000)
    assert (who.title, who.attempts_left, who.state) == ("who", 3, TaskState.OPEN)


def test_nothing_that_a_trainee_is_told_holds_an_answer(stage: Stage) -> None:
    # A shell in a team's world sees what its own team is told and no more.
    outcomes = [stage.answer("mark", f"guess {new_id()}"), stage.answer("who", "nobody")]
    told = repr([outcomes, stage.scoring.tasks(stage.exercise, stage.team())])
    secrets = [
        stage.value(name, number) for name in ("mark", "door_key", "intruder") for number in (1, 2)
    ]
    assert not any(secret in told for secret in secrets)
