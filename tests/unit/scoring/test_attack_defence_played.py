"""Rounds of attack and defence as they are played: what counts, and whose fault it is."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.ids import new_id
from orchestrator.domain.exercise import Problem, Stage
from orchestrator.domain.phases import WorldPhase
from orchestrator.ports import EngineUnavailableError, RunResult
from scoring.attack_defence.tables import (
    FlagIssueRow,
    ServiceLookRow,
    ServiceRoundRow,
)
from scoring.domain.verdicts import Verdict
from scoring.maintenance import Declared, Maintenance
from tests.fakes.duel_stage import EVERY, Duel

UP, DOWN, RECOVERING = Verdict.UP, Verdict.DOWN, Verdict.RECOVERING
OURS = Verdict.INFRA_ERROR


@pytest.fixture
def duel(tmp_path: Path) -> Iterator[Duel]:
    duel = Duel.raised(f"sqlite:///{tmp_path}/duel.db", tmp_path)
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


def test_a_pause_stops_the_rounds(duel: Duel) -> None:
    duel.play()
    duel.exercises.pause(duel.exercise.id)
    duel.clock.advance(EVERY)
    assert duel.play() == []
    assert count(duel, ServiceRoundRow) == 1
    duel.exercises.resume(duel.exercise.id)
    duel.clock.advance(EVERY - timedelta(seconds=1))
    duel.play()
    assert count(duel, ServiceRoundRow) == 1


def test_rounds_that_nobody_was_there_for_never_were(duel: Duel) -> None:
    duel.play()
    duel.clock.advance(4 * EVERY)
    duel.play()
    with duel.database.reading() as session:
        numbers = session.scalars(select(ServiceRoundRow.number).order_by(ServiceRoundRow.number))
        assert list(numbers) == [1, 5]


def test_a_service_that_was_down_is_recovering_until_the_flag_that_it_lacks_is_old(
    duel: Duel,
) -> None:
    duel.service("bor").state = "down"
    assert duel.play().count(DOWN) == 1
    duel.service("bor").state = "up"
    assert duel.next_round().count(RECOVERING) == 1
    assert duel.next_round() == [UP] * 6


def test_a_flag_that_is_gone_makes_a_service_recovering(duel: Duel) -> None:
    duel.play()
    duel.service("ana").flags["p0"] = "gone"
    duel.next_round()
    assert looks(duel, 2)["ana", "locker"].verdict == RECOVERING


def test_down_is_asked_for_twice_before_it_is_believed(duel: Duel) -> None:
    service = duel.service("cvet")
    service.state = "down"
    visit = duel.engine.on_visit

    def wakes_up(command: tuple[str, ...], told: Mapping[str, str]) -> RunResult | None:
        ran = visit(command, told)
        if ran is not None and ran.exit_code:
            service.state = "up"
        return ran

    duel.engine.on_visit = wakes_up
    assert duel.play() == [UP] * 6


def test_what_the_engine_cannot_do_costs_no_team_anything(duel: Duel) -> None:
    duel.play()
    duel.engine.fail("visit", *[EngineUnavailableError("away")] * 6)
    assert duel.next_round() == [OURS] * 6
    duel.next_round()
    assert duel.points() == dict.fromkeys(("ana", "bor", "cvet"), 2 * 2 * 1732)


def test_a_failing_service_in_a_world_that_never_became_ready_is_our_fault(duel: Duel) -> None:
    duel.service("bor").state = "mumble"
    problem = Problem(stage=Stage.READINESS, message="not ready")
    duel.move_world("bor", WorldPhase.DEGRADED, problem)
    duel.play()
    assert looks(duel, 1)["bor", "locker"].verdict == OURS
    assert looks(duel, 1)["bor", "slots"].verdict == UP


def test_a_service_whose_host_somebody_removed_is_not_down(duel: Duel) -> None:
    duel.play()
    duel.service("bor").state = "down"
    duel.service("bor", "slots").state = "down"
    [key] = [key for key in duel.engine.hosts if key.world.team == "bor"]
    duel.engine.lose_host(key)
    duel.next_round()
    assert {looks(duel, 2)["bor", name].verdict for name in ("locker", "slots")} == {OURS}


def test_a_lost_worker_costs_nobody_and_somebody_else_is_sent(duel: Duel) -> None:
    duel.attack_defence.sweep()
    lost = duel.queue.take()
    assert duel.play() == []
    duel.clock.advance(timedelta(seconds=90))
    assert duel.play() == [UP] * 6, "the round is long enough for another try"
    assert [duel.look(*job.arguments[1:]) for job in lost] == [None] * 6
    duel.clock.advance(timedelta(seconds=90))
    duel.attack_defence.sweep()
    duel.queue.take()
    duel.clock.advance(EVERY)
    duel.play()
    assert duel.points() == dict.fromkeys(("ana", "bor", "cvet"), 2 * 2 * 1732)
    assert duel.attack_defence.board(duel.exercise).teams[0].services[0].verdict is None


def test_checkers_are_told_nothing_of_other_teams_and_nothing_of_ours(duel: Duel) -> None:
    duel.play()
    with duel.database.reading() as session:
        secrets = {row.digest for row in session.scalars(select(FlagIssueRow))}
    places = duel.exercises.places
    for told in duel.seen:
        team = next(
            t
            for t in duel.exercise.teams
            if str(places(duel.exercise, t).addresses["vault"]["arena"]) == told["POLIGON_TARGET"]
        )
        service = {"4100": "locker", "4300": "slots"}[told["POLIGON_PORT"]]
        assert told["POLIGON_FLAG"] in {"", duel.flag(team.slug, 1, service)}
        assert not secrets & set(told.values())
        assert set(told) == {
            *("POLIGON_ACTION", "POLIGON_TARGET", "POLIGON_PORT"),
            *("POLIGON_ROUND", "POLIGON_FLAG", "POLIGON_FLAG_ID"),
        }


def test_a_flag_may_be_taken_while_it_lives_and_by_every_team_once(duel: Duel) -> None:
    duel.play()
    flag = duel.flag("bor", 1)
    duel.next_round()
    assert duel.capture("ana", flag) == ["accepted"]
    duel.clock.advance(EVERY - timedelta(seconds=1))
    assert duel.capture("cvet", flag) == ["accepted"]
    duel.clock.advance(timedelta(seconds=1))
    assert duel.capture("cvet", flag) == ["old"], "though no sweep has closed the round yet"


def test_nothing_is_taken_while_it_does_not_run(duel: Duel) -> None:
    flag = duel.flag("bor", 1)
    assert duel.capture("ana", flag) == ["not_running"], "before the first round"
    duel.play()
    duel.exercises.pause(duel.exercise.id)
    assert duel.capture("ana", flag, "nothing") == ["not_running"] * 2
    duel.exercises.resume(duel.exercise.id)
    assert duel.capture("ana", flag) == ["accepted"]
    duel.end()
    assert duel.capture("cvet", flag) == ["not_running"]


def test_a_flag_of_another_exercise_is_nobodys(duel: Duel, tmp_path: Path) -> None:
    duel.play()
    other = Duel.raised(f"sqlite:///{tmp_path / new_id()}.db", tmp_path / "other")
    other.play()
    assert duel.capture("ana", other.flag("bor", 1)) == ["invalid"]
    other.database.close()


def test_a_board_of_teams_stands_still_from_the_freeze_on(duel: Duel) -> None:
    duel.play()
    for _ in range(4):
        duel.next_round()
    for_teams = duel.attack_defence.board(duel.exercise, for_teams=True)
    assert (for_teams.closed, for_teams.frozen) == (3, timedelta(minutes=10))
    assert duel.attack_defence.board(duel.exercise).closed == 4
    duel.end()
    assert duel.attack_defence.board(duel.exercise, for_teams=True).closed == 5


def test_a_reference_team_is_attacked_and_not_ranked(tmp_path: Path) -> None:
    duel = Duel.raised(f"sqlite:///{tmp_path}/duel.db", tmp_path, reference="Cvet")
    duel.play()
    assert duel.capture("ana", duel.flag("cvet", 1), duel.flag("bor", 1)) == [
        "reference",
        "accepted",
    ]
    duel.next_round()
    up = 2 * 1414
    assert duel.points() == {"ana": up + 2000, "bor": up - 1000, "cvet": 0}
    board = duel.scoring.board(duel.exercise)
    assert [row.team for row in board.rows] == ["ana", "bor"]
    assert [(task.title, task.milli_points) for task in board.tasks][-1] == (
        "Attack and defence",
        0,
    )
    assert board.rows[0].tasks[board.tasks[-1].task] == up + 2000
    last = duel.attack_defence.board(duel.exercise).teams[-1]
    assert (last.team, last.reference, last.services[0].verdict) == ("cvet", True, UP)
    duel.database.close()


def test_a_look_that_ends_after_the_deadline_is_late_though_nobody_has_closed_the_round_yet(
    duel: Duel,
) -> None:
    duel.attack_defence.sweep()
    job = duel.queue.take()[0]
    duel.clock.advance(EVERY + timedelta(seconds=1))
    assert duel.look(*job.arguments[1:]) is UP
    [look] = looks(duel, 1).values()
    assert look.late


def test_a_round_in_a_maintenance_window_counts_on_neither_side(duel: Duel) -> None:
    duel.play()
    duel.clock.advance(EVERY)
    duel.service("ana").state = "down"
    window = Declared(length=timedelta(minutes=2), reason="a switch")
    Maintenance(duel.database, duel.clock, duel.exercises).declare(duel.exercise, window, by=None)
    assert duel.play() == [OURS] * 6
    duel.service("ana").state = "up"
    assert duel.next_round() == [UP] * 6, "nothing is lacking because of us"
    assert duel.points() == dict.fromkeys(("ana", "bor", "cvet"), 2 * 2 * 1732)
