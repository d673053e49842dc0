"""Limits of answers on both databases: by person and by team, over processes and restarts."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.ids import new_id
from orchestrator.domain.exercise import Member
from scoring.errors import TooManyAnswersError
from scoring.limits import AnswerLimits
from scoring.service import Scoring
from scoring.tables import SubmissionRow
from tests.fakes.scoring_stage import Stage

LIMITS = AnswerLimits(per_person=3, per_team=5)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path, limits=LIMITS, members=3)
    yield stage
    stage.prove()
    stage.database.close()


def send(stage: Stage, member: Member, *, key: str = "", scoring: Scoring | None = None) -> str:
    try:
        outcome = (scoring or stage.scoring).answer(
            stage.exercise,
            stage.team(),
            member.user,
            task="read",
            value="no",
            client_key=key or new_id(),
        )
    except TooManyAnswersError as error:
        return f"wait {error.seconds}"
    return outcome.verdict


def test_a_person_sends_so_many_a_minute_and_is_told_how_long_to_wait(stage: Stage) -> None:
    ana, ben, _ = stage.team().members
    for _ in range(3):
        assert send(stage, ana, key=f"key {stage.clock.now()}") == "wrong"
        stage.pass_time(10)
    assert send(stage, ana) == "wait 30"
    assert send(stage, ben) == "wrong"
    assert stage.answer("read", "no", number=2).verdict == "wrong"
    stage.pass_time(30)
    assert send(stage, ana) == "wrong"
    assert send(stage, ana) == "wait 10"


def test_members_of_a_team_share_its_limit(stage: Stage) -> None:
    told = [send(stage, member) for _ in range(2) for member in stage.team().members]
    assert Counter(told) == {"wrong": 5, "wait 60": 1}
    with stage.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SubmissionRow)) == 5


def test_an_answer_that_was_taken_is_told_again_whatever_the_limits(stage: Stage) -> None:
    ana = stage.team().members[0]
    assert send(stage, ana, key="one") == "wrong"
    while send(stage, ana) == "wrong":
        pass
    assert send(stage, ana, key="one") == "wrong"


def test_limits_hold_over_processes_and_a_restart(stage: Stage) -> None:
    # Two API processes: nothing is remembered in either.
    other = Scoring(stage.database, stage.clock, stage.exercises, stage.engine, limits=LIMITS)
    ana = stage.team().members[0]
    both = (stage.scoring, other)
    told = [send(stage, ana, scoring=both[n % 2]) for n in range(5)]
    assert told == ["wrong", "wrong", "wrong", "wait 60", "wait 60"]


def test_answers_at_once_never_pass_the_limits(stage: Stage) -> None:
    members = stage.team().members
    with ThreadPoolExecutor(9) as pool:
        told = list(pool.map(lambda n: send(stage, members[n % 3]), range(18)))
    assert Counter(told) == {"wrong": 5, "wait 60": 13}


def test_a_clock_that_is_set_back_locks_nobody_out(stage: Stage) -> None:
    ana = stage.team().members[0]
    set_back: Callable[[timedelta], None] = stage.clock.advance
    while send(stage, ana) == "wrong":
        pass
    set_back(-timedelta(hours=1))
    assert send(stage, ana) == "wrong"
