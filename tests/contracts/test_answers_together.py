"""Answers that wait for each other are taken in one transaction, on both databases."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.waiting import until
from orchestrator.domain.phases import NotNowError
from orchestrator.timekeeping import Timekeeping
from scoring.answer_turn import AnswerTurn
from scoring.errors import AnswerKeyReusedError, TooManyAnswersError, TooSoonError
from scoring.limits import AnswerLimits
from scoring.repository import ScoreRepository
from scoring.tables import FactRow, SolveRow, SubmissionRow
from scoring.views import Outcome
from tests.contracts.test_answer_cost import statements
from tests.fakes.scoring_stage import SCENARIO, Stage

TEAMS = 8
DEAR = SCENARIO.replace("attempts: 3,", "attempts: 3, wrong_cost: 5, cooldown: 30s,")
Answer = tuple[int, str, str, str]
"""The team's number, the task, what is sent, and its key."""


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path, teams=TEAMS)
    stage.answer("read", "first", number=TEAMS)  # what is derived once is
    yield stage
    stage.prove()
    stage.database.close()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many answers were taken in each turn."""
    counted: list[int] = []
    real = AnswerTurn.take

    def take(turn: AnswerTurn, *told: object) -> object:
        result: Sequence[object] = real(turn, *told)  # type: ignore[arg-type]
        counted.append(len(result))
        return result

    monkeypatch.setattr(AnswerTurn, "take", take)
    return counted


@contextmanager
def held_up(stage: Stage, number: int = 1) -> Iterator[None]:
    """Let nobody else take the turn of a team until the block ends."""
    holds, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with stage.database.transaction() as transaction:
            team = stage.team(number)
            ScoreRepository(transaction.session).take_turn(stage.exercise.id, team.id)
            holds.set()
            go_on.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert holds.wait(30)
    try:
        yield
    finally:
        go_on.set()
        thread.join()


def send(stage: Stage, answers: Sequence[Answer]) -> list[Future[Outcome]]:
    exercise = stage.exercise
    return [
        stage.scoring.answer_soon(
            exercise,
            exercise.teams[number - 1],
            exercise.teams[number - 1].members[0].user,
            task=task,
            value=value,
            client_key=key,
        )
        for number, task, value, key in answers
    ]


def send_together(stage: Stage, answers: Sequence[Answer]) -> list[Future[Outcome]]:
    """Send answers while another one of team 1 holds the line up."""
    with held_up(stage):
        first = send(stage, [(1, "read", "hold", "hold")])
        until(first[0].running, what="the first answer", within=timedelta(seconds=30))
        told = send(stage, answers)
    assert first[0].result(30).verdict == "wrong"
    return told


def verdict(future: Future[Outcome]) -> str:
    error = future.exception(30)
    return type(error).__name__ if error is not None else future.result().verdict


def count(stage: Stage, table: type[SubmissionRow | SolveRow | FactRow]) -> int:
    with stage.database.reading() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_those_that_wait_are_taken_in_one_turn_and_each_is_told_its_own(
    stage: Stage, turns: list[int]
) -> None:
    mark = {number: stage.value("mark", number) for number in range(1, TEAMS + 1)}
    told = send_together(
        stage,
        [
            (1, "mark", mark[1], "one"),
            (1, "mark", mark[1], "one"),  # the same once more
            (2, "mark", mark[1], "one"),  # stolen
            (3, "mark", mark[3], "one"),
            (3, "mark", mark[3], "two"),  # done already, by the one before
            (3, "who", "nobody", "one"),  # the key of another
            (4, "who", "nobody", "a"),
            (4, "who", "nobody", "b"),
            (4, "who", "nobody", "c"),
            (4, "who", stage.value("intruder", 4), "d"),  # no attempts are left
        ],
    )
    assert list(map(verdict, told)) == [
        *("correct", "correct", "wrong", "correct", "already", AnswerKeyReusedError.__name__),
        *("wrong", "wrong", "wrong", "no_attempts_left"),
    ]
    assert turns == [1, 10]
    assert [one.result().attempts_left for one in told[6:]] == [2, 1, 0, 0]
    assert (count(stage, SubmissionRow), count(stage, SolveRow)) == (10, 2)
    signals = stage.scoring.signals(stage.exercise)
    assert [(s.team, s.owner, s.value) for s in signals] == [("team-2", "team-1", "mark")]


def test_many_together_ask_hardly_more_of_the_database_than_one(stage: Stage) -> None:
    alone = statements(lambda: stage.answer("who", "nobody"))
    answers = [(n, "who", f"wrong {n} {m}", f"key {n} {m}") for n in range(1, 9) for m in (1, 2)]
    told: list[Future[Outcome]] = []

    def together() -> None:
        told.extend(send_together(stage, answers))
        assert {verdict(one) for one in told} == {"wrong"}

    asked = statements(together)
    # Those of the one that held the line up, and of the transaction that did.
    assert len(asked) <= 2 * len(alone) + 10, "\n\n".join(asked)


def test_one_that_breaks_the_turn_is_told_so_and_the_others_count_once(
    stage: Stage, turns: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., object] = AnswerTurn._taken

    def breaks(turn: AnswerTurn, sent: object, *rest: object) -> object:
        written = real(turn, sent, *rest)
        if "bomb" in str(sent):
            raise ZeroDivisionError
        return written

    monkeypatch.setattr(AnswerTurn, "_taken", breaks)
    told = send_together(
        stage,
        [
            (2, "mark", stage.value("mark", 2), "one"),
            (3, "mark", "bomb", "one"),
            (4, "mark", stage.value("mark", 4), "one"),
        ],
    )
    assert list(map(verdict, told)) == ["correct", "ZeroDivisionError", "correct"]
    assert turns == [1, 1, 1], "the turn was not broken"
    assert (count(stage, SubmissionRow), count(stage, SolveRow)) == (4, 2)
    monkeypatch.undo()
    assert verdict(send(stage, [(3, "mark", "bomb", "one")])[0]) == "wrong"  # nothing was kept


def test_an_answer_counts_by_the_clock_as_it_is_and_not_as_the_exercise_was_read(
    stage: Stage,
) -> None:
    clocks = Timekeeping(stage.database, stage.clock, stage.exercises)
    before = stage.exercise

    def answered(number: int, key: str) -> str:
        team = before.teams[number - 1]
        user = team.members[0].user
        return verdict(
            stage.scoring.answer_soon(before, team, user, task="read", value="no", client_key=key)
        )

    clocks.pause_team(before.id, "team-1")
    assert (answered(1, "a"), answered(2, "a")) == (NotNowError.__name__, "wrong")
    clocks.resume_team(before.id, "team-1")
    assert answered(1, "a") == "wrong"
    stage.exercises.end(before.id)
    assert answered(2, "b") == NotNowError.__name__


def test_costs_and_rests_count_among_answers_of_one_turn(database_url: str, tmp_path: Path) -> None:
    stage = Stage.raised(database_url, tmp_path, scenario=DEAR, teams=2)
    with closing(stage.database):
        one, two = (stage.value("intruder", number) for number in (1, 2))
        answers = [(2, "who", "nobody", "a"), (2, "who", two, "b"), (1, "who", one, "a")]
        told = send_together(stage, answers)
        assert list(map(verdict, told)) == ["wrong", TooSoonError.__name__, "correct"]
        stage.pass_time(30)
        told = send_together(stage, [(2, "who", two, "b")])
        assert [one.result(30).milli_points for one in told] == [15_000]
        stage.prove()


def test_limits_count_those_of_the_same_turn(database_url: str, tmp_path: Path) -> None:
    limits = AnswerLimits(per_person=3, per_team=3)
    stage = Stage.raised(database_url, tmp_path, teams=2, limits=limits)
    answers = [(team, "read", "no", f"key {number}") for team in (1, 2) for number in range(4)]
    with closing(stage.database):
        refused = TooManyAnswersError.__name__
        assert list(map(verdict, send_together(stage, answers))) == [
            *("wrong", "wrong", refused, refused),  # its first one held the line up
            *("wrong", "wrong", "wrong", refused),
        ]
