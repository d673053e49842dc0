"""Corrections on both databases: seen first, approved by a second person, booked once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from core.errors import PoligonError
from orchestrator.journal import Journal
from scoring.corrections.tables import CorrectionRow
from scoring.corrections.views import CorrectionState
from scoring.domain.amendments import (
    Accept,
    Adjust,
    Amendment,
    Defective,
    Exclude,
    Reprice,
    Revoke,
    Void,
)
from scoring.domain.verdicts import Verdict
from scoring.errors import (
    CorrectionDecidedError,
    CorrectionInvalidError,
    DisputeAnsweredError,
    DisputeOpenError,
    PreviewOutdatedError,
    SecondPersonError,
)
from scoring.proving import Proving
from scoring.replaying import Replaying
from tests.fakes.correction_desk import Desk
from tests.fakes.scoring_stage import PAGE, Stage

LATER = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def desk(database_url: str, tmp_path: Path) -> Iterator[Desk]:
    stage = Stage.raised(database_url, tmp_path)
    yield Desk(stage)
    found = Replaying(stage.database, stage.exercises).replay(stage.exercise)
    assert found.holds, [team.differences for team in found.teams]
    proving = Proving(stage.database, stage.clock, stage.exercises, every=timedelta(days=1))
    assert proving.verify(stage.exercise).faults == ()
    stage.database.close()


def end(desk: Desk) -> None:
    desk.stage.exercises.end(desk.stage.exercise.id)


def test_what_is_proposed_moves_nothing_until_a_second_person_approves_it(desk: Desk) -> None:
    desk.stage.answer("who", desk.stage.value("intruder"))
    end(desk)
    proposed = desk.propose(Reprice(task="who", points=12), reason="It was easy.")
    assert desk.stage.total() == 20_000
    approved = desk.approve(proposed.id)
    assert (approved.state, approved.decided_by) == (CorrectionState.APPROVED, desk.bob.id)
    assert desk.stage.total() == 12_000
    (told,) = desk.corrections.of_team(desk.stage.team())
    assert (told.reason, told.tasks) == ("It was easy.", (("who", -8_000),))
    assert desk.stage.task("who").of_milli_points == 12_000
    journal = Journal(desk.stage.database, desk.stage.clock)
    acts = [event.act for event in journal.of(desk.stage.exercise.id)]
    assert acts[-2:] == ["correction.proposed", "correction.approved"]


def test_whoever_proposed_does_not_approve_and_the_database_refuses_it_too(desk: Desk) -> None:
    proposed = desk.propose(Void(task="who"))
    with pytest.raises(SecondPersonError, match="a second person"):
        desk.approve(proposed.id, desk.ada)
    with pytest.raises(SecondPersonError):
        desk.corrections.reject(desk.stage.exercise, proposed.id, desk.ada, note="")
    row = CorrectionRow
    for by in (desk.ada.id, None):
        with pytest.raises(IntegrityError), desk.stage.database.transaction() as transaction:
            transaction.session.execute(update(row).values(state="approved", decided_by=by))


def test_a_preview_shows_each_team_before_and_after_and_first_solves_that_move(desk: Desk) -> None:
    desk.stage.answer("who", "bob")
    desk.stage.pass_time(60)
    desk.stage.answer("who", desk.stage.value("intruder", 2), number=2)
    proposed = desk.propose(Accept(task="who", value=" BOB "))
    seen = desk.corrections.preview(desk.stage.exercise, proposed.id, desk.bob)
    first, second = seen.teams
    assert (first.before, first.after, first.rank_before, first.rank_after) == (0, 20_000, 2, 1)
    assert [(t.task, t.was_done, t.is_done) for t in first.tasks] == [("who", False, True)]
    assert (second.rank_before, second.rank_after, second.tasks) == (1, 2, ())
    assert [(m.task, m.before, m.after) for m in seen.firsts] == [("who", "team-2", "team-1")]
    assert desk.stage.total() == 0
    desk.approve(proposed.id)
    assert desk.stage.total() == 20_000
    assert desk.stage.task("who").state == "done"


def test_a_rescore_moves_the_first_solve_to_the_right_team_only(desk: Desk) -> None:
    # A peer gives the first solve to the team that was judged again, whoever was before it.
    desk.stage.answer("many", "240", number=2)
    desk.stage.pass_time(60)
    desk.stage.answer("many", "many")
    proposed = desk.propose(Accept(task="many", value="many"))
    seen = desk.corrections.preview(desk.stage.exercise, proposed.id, desk.bob)
    assert seen.teams[0].after == 5_000
    assert seen.firsts == ()


def test_what_changed_since_the_preview_is_not_approved(desk: Desk) -> None:
    proposed = desk.propose(Void(task="who"))
    seen = desk.corrections.preview(desk.stage.exercise, proposed.id, desk.bob)
    desk.stage.answer("who", desk.stage.value("intruder"))
    with pytest.raises(PreviewOutdatedError, match="something else now"):
        desk.corrections.approve(desk.stage.exercise, proposed.id, desk.bob, digest=seen.digest)
    assert desk.stage.total() == 20_000
    desk.approve(proposed.id)
    assert desk.stage.total() == 0


def test_fifty_approvals_at_once_have_one_effect(desk: Desk) -> None:
    desk.stage.answer("who", desk.stage.value("intruder"))
    proposed = desk.propose(Adjust(team="team-1", task="who", points=Decimal(-5)))
    digest = desk.corrections.preview(desk.stage.exercise, proposed.id, desk.bob).digest
    exercise = desk.stage.exercise

    def approve(_: int) -> str:
        try:
            desk.corrections.approve(exercise, proposed.id, desk.bob, digest=digest)
        except PoligonError as error:
            return error.code
        return "approved"

    with ThreadPoolExecutor(10) as pool:
        told = list(pool.map(approve, range(50)))
    assert sorted(told) == ["approved", *["correction.decided"] * 49]
    assert (desk.stage.total(), desk.rows()) == (15_000, 2)


def test_a_check_that_was_defective_costs_no_team_anything(desk: Desk) -> None:
    stage = desk.stage
    stage.see_page(PAGE)
    stage.looks("web", 2)
    since = stage.clock.now() + timedelta(seconds=1)
    stage.see_page("HTTP/1.1 500 Oops\r\n\r\n")
    assert stage.looks("web", 2) == [Verdict.MUMBLE, Verdict.MUMBLE]
    until = stage.clock.now() + timedelta(seconds=1)
    stage.see_page(PAGE)
    stage.looks("web", 1)
    assert stage.total() == 20_000 * 3 // 5
    desk.correct(Defective(check="web", since=since, until=until))
    assert stage.total() == 20_000
    stage.looks("web", 1)
    stage.see_page("HTTP/1.1 500 Oops\r\n\r\n")
    stage.looks("web", 1)
    assert stage.total() == 20_000 * 4 // 5


def test_what_happens_after_a_correction_follows_it(desk: Desk) -> None:
    desk.correct(Reprice(task="who", points=12))
    desk.correct(Accept(task="many", value="lots"))
    desk.correct(Void(task="mark"))
    assert desk.stage.answer("who", desk.stage.value("intruder")).milli_points == 12_000
    assert desk.stage.answer("many", "LOTS").verdict == "correct"
    assert desk.stage.answer("mark", desk.stage.value("mark")).milli_points == 0
    assert desk.stage.total() == 17_000


def test_a_void_task_is_on_neither_side_of_the_training_record_which_names_it(desk: Desk) -> None:
    desk.stage.answer("who", desk.stage.value("intruder"))
    desk.stage.answer("mark", desk.stage.value("mark"))
    end(desk)
    desk.correct(Void(task="who"), reason="Two accounts were right.")
    team = desk.stage.scoring.record(desk.stage.exercise).teams[0]
    who = next(task for task in team.tasks if task.task == "who")
    assert (who.milli_points, who.of_milli_points) == (0, 0)
    logs = next(objective for objective in team.objectives if objective.objective == "logs")
    assert logs.share is not None
    assert (logs.share.numerator, logs.share.denominator) == (2, 5)
    assert [(c.kind, c.reason) for c in team.corrections] == [("void", "Two accounts were right.")]


def test_a_team_taken_out_of_the_ranking_and_put_back_is_where_it_was(desk: Desk) -> None:
    # A peer leaves ranks and first solves of a hidden team as they were, or loses them for good.
    desk.stage.answer("who", desk.stage.value("intruder"))
    desk.stage.pass_time(60)
    desk.stage.answer("who", desk.stage.value("intruder", 2), number=2)
    before = desk.stage.scoring.board(desk.stage.exercise).rows
    out = desk.propose(Exclude(team="team-1"))
    seen = desk.corrections.preview(desk.stage.exercise, out.id, desk.bob)
    assert [(m.task, m.before, m.after) for m in seen.firsts] == [("who", "team-1", "team-2")]
    desk.approve(out.id)
    rows = desk.stage.scoring.board(desk.stage.exercise).rows
    assert [(row.team, row.rank, row.milli_points) for row in rows] == [
        ("team-2", 1, 20_000),
        ("team-1", None, 20_000),
    ]
    desk.correct(Revoke(correction=out.id))
    assert desk.stage.scoring.board(desk.stage.exercise).rows == before


def test_a_revoked_correction_is_a_correction_of_its_own_and_rows_stay(desk: Desk) -> None:
    desk.stage.answer("who", desk.stage.value("intruder"))
    void = desk.correct(Void(task="who"))
    rows = desk.rows()
    desk.correct(Revoke(correction=void.id))
    assert (desk.stage.total(), desk.rows()) == (20_000, rows + 1)
    with pytest.raises(CorrectionInvalidError, match="revoked already"):
        desk.propose(Revoke(correction=void.id))


def test_one_who_proposed_withdraws_another_rejects_and_neither_is_approved(desk: Desk) -> None:
    withdrawn = desk.propose(Void(task="who"))
    desk.stage.pass_time(1)
    rejected = desk.propose(Void(task="many"))
    with pytest.raises(SecondPersonError, match="withdraws it"):
        desk.corrections.withdraw(desk.stage.exercise, withdrawn.id, desk.bob)
    desk.corrections.withdraw(desk.stage.exercise, withdrawn.id, desk.ada)
    desk.corrections.reject(desk.stage.exercise, rejected.id, desk.bob, note="It was fair.")
    found = desk.corrections.all(desk.stage.exercise)
    assert [(c.state, c.note) for c in found] == [("withdrawn", ""), ("rejected", "It was fair.")]
    for correction in found:
        with pytest.raises(CorrectionDecidedError, match=correction.state):
            desk.approve(correction.id)


def test_what_does_not_fit_the_exercise_is_refused(desk: Desk) -> None:
    misfits: tuple[Amendment, ...] = (
        Adjust(team="team-9", task="who", points=Decimal(1)),
        Adjust(team="team-1", task="nowhere", points=Decimal(1)),
        Void(task="nowhere"),
        Defective(check="nowhere", since=desk.stage.clock.now(), until=LATER),
        Reprice(task="who", points=-1),
        Accept(task="contain", value="x"),
        Exclude(team="team-9"),
        Revoke(correction="0123456789ab"),
    )
    for amendment in misfits:
        with pytest.raises(CorrectionInvalidError):
            desk.propose(amendment)
    assert desk.corrections.all(desk.stage.exercise) == ()


def test_without_attack_and_defence_no_checker_of_a_service_was_defective(desk: Desk) -> None:
    locker = Defective(service="locker", since=desk.stage.clock.now(), until=LATER)
    with pytest.raises(CorrectionInvalidError, match="no attack and defence"):
        desk.propose(locker)


# Disputes


def test_a_dispute_is_open_once_for_a_task_and_is_answered_once(desk: Desk) -> None:
    stage, disputes = desk.stage, desk.disputes
    end(desk)
    opened = disputes.open(
        stage.exercise, stage.team(), stage.member(), task="who", text="Bob was it too."
    )
    with pytest.raises(DisputeOpenError):
        disputes.open(stage.exercise, stage.team(), stage.member(), task="who", text="Again.")
    accepted = desk.correct(Accept(task="who", value="bob"))
    answered = disputes.answer(
        stage.exercise, opened.id, desk.ada, text="You are right.", correction=accepted.id
    )
    assert (answered.answer, answered.correction) == ("You are right.", accepted.id)
    with pytest.raises(DisputeAnsweredError):
        disputes.answer(stage.exercise, opened.id, desk.bob, text="No.")
    assert disputes.of_team(stage.exercise, stage.team()) == (answered,)
    assert disputes.of_team(stage.exercise, stage.team(2)) == ()
    disputes.open(stage.exercise, stage.team(), stage.member(), task="who", text="One more.")


# Finished exercises


def test_after_the_end_only_corrections_and_disputes_write(desk: Desk) -> None:
    stage = desk.stage
    stage.pass_time(60)
    end(desk)
    rows = desk.rows()
    for refused in (
        lambda: stage.answer("who", stage.value("intruder")),
        lambda: stage.scoring.take_hint(
            stage.exercise, stage.team(), stage.member(), task="who", hint=1
        ),
    ):
        with pytest.raises(PoligonError):
            refused()
    assert stage.look("web") is None
    assert desk.rows() == rows
    desk.correct(Adjust(team="team-2", task="who", points=Decimal(1)))
    assert desk.rows() == rows + 1
