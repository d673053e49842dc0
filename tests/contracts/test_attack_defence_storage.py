"""Rounds of attack and defence as they are played, on both databases."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from orchestrator.ports import RunResult
from scoring.attack_defence.tables import (
    CaptureRow,
    FlagIssueRow,
    ServiceLookRow,
    ServiceRoundRow,
    ServiceTallyRow,
)
from scoring.domain.verdicts import Verdict
from scoring.proving import Proving
from tests.fakes.duel_stage import EVERY, SCENARIO, Duel

UP, DOWN, RECOVERING = Verdict.UP, Verdict.DOWN, Verdict.RECOVERING
OURS = Verdict.INFRA_ERROR


@pytest.fixture
def duel(database_url: str, tmp_path: Path) -> Iterator[Duel]:
    duel = Duel.raised(database_url, tmp_path)
    yield duel
    duel.database.close()


def count(duel: Duel, table: type) -> int:
    with duel.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def looks(duel: Duel, number: int) -> dict[tuple[str, str], ServiceLookRow]:
    slugs: dict[str, str] = {team.id: team.slug for team in duel.exercise.teams}
    with duel.database.reading() as session:
        rows = session.scalars(select(ServiceLookRow).where(ServiceLookRow.round == number))
        return {(slugs[row.team_id], row.service): row for row in rows}


def test_a_round_issues_a_flag_to_every_service_and_somebody_is_sent_to_each(duel: Duel) -> None:
    assert duel.play() == [UP] * 6
    assert count(duel, FlagIssueRow) == 6
    assert duel.play() == [], "one look a round"
    assert list(duel.service("ana").flags.values()) == [duel.flag("ana", 1)]


def test_two_sweeps_at_once_open_one_round_and_send_once(duel: Duel) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: duel.attack_defence.sweep(), range(4)))
    assert count(duel, ServiceRoundRow) == 1
    assert len(duel.queue.take()) == 6


def test_a_round_is_closed_when_its_time_is_over_and_the_next_one_opens(duel: Duel) -> None:
    duel.play()
    duel.clock.advance(EVERY - timedelta(seconds=1))
    duel.play()
    board = duel.attack_defence.board(duel.exercise)
    assert (board.closed, board.round, board.ends) == (0, 1, EVERY)
    duel.clock.advance(timedelta(seconds=1))
    duel.play()
    board = duel.attack_defence.board(duel.exercise)
    assert (board.closed, board.round, board.ends) == (1, 2, 2 * EVERY)
    assert [line.milli_points for line in board.teams] == [2 * 1732] * 3
    assert duel.points() == dict.fromkeys(("ana", "bor", "cvet"), 2 * 1732)


def test_the_end_closes_the_round_that_is_on_and_what_was_taken_in_it_counts(duel: Duel) -> None:
    duel.play()
    assert duel.capture("ana", duel.flag("bor", 1)) == ["accepted"]
    duel.end()
    assert duel.points() == {"ana": 2000, "bor": -1000, "cvet": 0}
    assert duel.attack_defence.board(duel.exercise).round is None
    duel.attack_defence.sweep()
    assert duel.points() == {"ana": 2000, "bor": -1000, "cvet": 0}


def test_a_look_that_outlasts_its_round_is_kept_unscored_and_fails_no_other(duel: Duel) -> None:
    duel.attack_defence.sweep()
    jobs = duel.queue.take()
    slow = next(job for job in jobs if job.arguments[1:3] == (duel.team("ana").id, "locker"))
    for job in jobs:
        if job is not slow:
            assert duel.look(*job.arguments[1:]) is UP
    visit = duel.engine.on_visit

    def takes_long(command: tuple[str, ...], told: Mapping[str, str]) -> RunResult | None:
        duel.engine.on_visit = visit
        duel.clock.advance(EVERY)
        duel.attack_defence.sweep()
        return visit(command, told)

    duel.engine.on_visit = takes_long
    assert duel.look(*slow.arguments[1:]) is UP
    assert looks(duel, 1)["ana", "locker"].late
    points = duel.points()
    assert (points["ana"], points["bor"]) == (1732, 2 * 1732)
    assert duel.replaying.replay(duel.exercise).holds
    duel.clock.advance(timedelta(seconds=90))
    duel.play()
    duel.next_round()
    assert duel.points()["ana"] == duel.points()["bor"], "an average of the rounds that were seen"


def test_each_flag_of_a_hand_has_its_answer(duel: Duel) -> None:
    duel.play()
    old = duel.flag("bor", 1)
    duel.next_round()
    duel.next_round()
    flag = duel.flag("bor", 3)
    codes = duel.capture(
        "ana", flag, f"  {flag}\n", duel.flag("ana", 3), old, "LCK{x}", "", flag[:-1]
    )
    assert codes == ["accepted", "duplicate", "own", "old", "invalid", "invalid"]
    assert [a.service for a in duel.answers("ana", flag, "nothing")] == ["locker", ""]
    assert duel.capture("ana", flag) == ["duplicate"]


def test_forty_hands_with_the_same_flag_are_one_capture(duel: Duel) -> None:
    duel.play()
    flag = duel.flag("bor", 1)
    with ThreadPoolExecutor(8) as pool:
        codes = [code for [code] in pool.map(lambda _: duel.capture("ana", flag), range(40))]
    assert sorted(set(codes)) == ["accepted", "duplicate"]
    assert codes.count("accepted") == 1
    duel.next_round()
    assert duel.points()["ana"] == 2 * 1732 + 2000


def test_no_capture_falls_between_two_rounds_that_close_while_flags_come_in(duel: Duel) -> None:
    duel.play()

    def hand_in(slug: str) -> int:
        others = [other for other in ("ana", "bor", "cvet") if other != slug]
        codes: list[str] = []
        for _ in range(4):
            flags = [duel.flag(o, n) for o in others for n in (1, 2, 3)]
            codes += duel.capture(slug, *flags)
        return codes.count("accepted")

    def close() -> int:
        for _ in range(2):
            duel.clock.advance(EVERY)
            duel.attack_defence.sweep()
        return 0

    with ThreadPoolExecutor(4) as pool:
        handed = [pool.submit(hand_in, slug) for slug in ("ana", "bor", "cvet")]
        closed = pool.submit(close)
        accepted = sum(one.result() for one in handed)
        closed.result()
    duel.end()
    board = duel.attack_defence.board(duel.exercise)
    assert accepted == count(duel, CaptureRow)
    assert accepted == sum(t.captured for line in board.teams for t in line.services)
    assert duel.replaying.replay(duel.exercise).holds


def test_a_commit_that_fails_leaves_the_flag_to_be_taken(duel: Duel) -> None:
    duel.play()

    def fails(_session: object) -> None:
        raise RuntimeError("the disk is gone")

    event.listen(Session, "before_commit", fails)
    with pytest.raises(RuntimeError, match="the disk"):
        duel.capture("ana", duel.flag("bor", 1))
    event.remove(Session, "before_commit", fails)
    assert count(duel, CaptureRow) == 0
    assert duel.capture("ana", duel.flag("bor", 1)) == ["accepted"]


def test_a_second_captor_lowers_what_the_first_has_and_costs_the_owner_more(duel: Duel) -> None:
    duel.play()
    duel.capture("ana", duel.flag("bor", 1))
    duel.next_round()
    duel.capture("cvet", duel.flag("bor", 1))
    duel.next_round()
    up = 2 * 2 * 1732
    assert duel.points() == {"ana": up + 1500, "bor": up - 1681, "cvet": up + 1500}
    board = duel.attack_defence.board(duel.exercise)
    assert [line.team for line in board.teams] == ["ana", "cvet", "bor"]
    lost = board.teams[2].services[0]
    assert (lost.defence, lost.lost, lost.captured) == (-1681, 1, 0)
    assert {row.team: row.milli_points for row in duel.scoring.board(duel.exercise).rows} == {
        line.team: line.milli_points for line in board.teams
    }


@pytest.mark.parametrize("preset", ["faust", "saar"])
def test_playing_the_facts_again_gives_the_same(
    database_url: str, tmp_path: Path, preset: str
) -> None:
    duel = Duel.raised(database_url, tmp_path, scenario=SCENARIO.replace("faust", preset))
    states = {2: ("bor", "down"), 4: ("ana", "mumble")}
    for number in range(1, 6):
        for slug in ("ana", "bor", "cvet"):
            duel.service(slug).state = "up"
        if number in states:
            slug, state = states[number]
            duel.service(slug).state = state
        duel.clock.advance(EVERY if number > 1 else timedelta(0))
        duel.play()
        duel.capture("cvet", duel.flag("bor", number), duel.flag("ana", max(1, number - 1)))
        duel.capture("ana", duel.flag("bor", max(1, number - 1)))
    duel.end()
    board = duel.attack_defence.board(duel.exercise)
    assert duel.replaying.replay(duel.exercise).holds
    assert {line.team: line.milli_points for line in board.teams} == duel.points()
    assert len(set(duel.points().values())) == 3
    duel.database.close()


def test_what_is_kept_of_rounds_is_made_from_their_facts_again(duel: Duel) -> None:
    duel.play()
    duel.capture("ana", duel.flag("bor", 1))
    duel.next_round()
    kept = duel.attack_defence.board(duel.exercise)
    with duel.database.transaction() as transaction:
        transaction.session.execute(update(ServiceTallyRow).values(attack=7))
    found = duel.replaying.replay(duel.exercise)
    assert (found.rounds, found.holds) == ((1,), False)
    every = timedelta(days=1)
    Proving(duel.database, duel.clock, duel.exercises, every=every).rebuild(duel.exercise)
    assert duel.replaying.replay(duel.exercise).holds
    assert duel.attack_defence.board(duel.exercise) == kept


def test_a_fact_of_a_round_is_never_changed(duel: Duel) -> None:
    duel.play()
    duel.capture("ana", duel.flag("bor", 1))
    for table in (FlagIssueRow, ServiceLookRow, CaptureRow):
        with (
            pytest.raises(DBAPIError, match="append-only"),
            duel.database.transaction() as transaction,
        ):
            transaction.session.execute(update(table).values(round=9))
