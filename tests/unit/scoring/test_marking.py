"""Marking: what may be marked when, blind until all are in, by whom not, and what teams read."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

import pytest
from sqlalchemy import update

from core.ids import new_id
from core.users.service import Users
from core.users.tables import UserRow
from orchestrator.domain.phases import Phase
from orchestrator.injects.service import Injects
from orchestrator.journal import By
from scoring.domain.marking import MarkingState
from scoring.exports.marks_csv import marks_csv
from scoring.marking.errors import (
    AssessorUnfitError,
    MarkHandedInError,
    MarkingNotNowError,
    MarkInvalidError,
    NotAssessorError,
    NotMarkedByPeopleError,
    SeatsTakenError,
)
from scoring.marking.views import CaseView, ReplyView, TeamResult
from tests.fakes.marking_stage import MARKED, MarkingStage, given


@pytest.fixture
def marking(tmp_path: Path) -> Iterator[MarkingStage]:
    """Lend an exercise in which the press was answered and a report handed in, 25 minutes on."""
    made = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path)
    made.pass_time(10)
    made.hand_in()
    made.pass_time(10)
    reply(made.injects, made)
    made.pass_time(5)
    yield made
    made.stage.database.close()


def reply(injects: Injects, marking: MarkingStage) -> None:
    stage = marking.stage
    told = injects.messages_to(stage.exercise, stage.team(), stage.member())
    call = next(message for message in told if message.inject == "call")
    injects.reply(
        stage.exercise,
        stage.team(),
        stage.member(),
        call.id,
        text="No comment.",
        client_key=new_id(),
    )


def over(marking: MarkingStage) -> None:
    marking.end()
    marking.pass_time(5.1)


def case(marking: MarkingStage, who: str, task: str = "report") -> CaseView:
    stage = marking.stage
    return marking.marks.case(stage.exercise, stage.team(), task, marking.people[who])


def result(marking: MarkingStage, task: str = "report") -> TeamResult:
    return marking.marks.results(marking.stage.exercise, marking.stage.team())[task]


def moderate(marking: MarkingStage, who: str, facts: int) -> None:
    stage = marking.stage
    marks = given({"facts": facts, "advice": 2, "press": 1})
    user = marking.people[who].id
    marking.marking.moderate(stage.exercise, stage.team(), user, task="report", marks=marks)


def text_of(view: CaseView | TeamResult) -> str:
    return json.dumps(asdict(view), default=str)


# When


def test_what_a_team_may_still_change_is_not_marked(marking: MarkingStage) -> None:
    with pytest.raises(MarkingNotNowError, match="may still hand in or reply"):
        marking.mark("anna", {"facts": 1})
    with pytest.raises(MarkingNotNowError):
        marking.mark("anna", {"press": 1}, place="call")
    assert (marking.line().state, marking.line("talk").state) == ("waiting", "to_mark")
    marking.pass_time(5.1)
    marking.mark("anna", {"press": 1}, place="call")  # the reply was due after ten minutes
    assert marking.line().state is MarkingState.TO_MARK
    marking.end()
    with pytest.raises(MarkingNotNowError):
        marking.mark("anna", {"facts": 1, "advice": 1})
    marking.pass_time(5.1)
    marking.mark("anna", {"facts": 1, "advice": 1})


def test_what_is_seen_and_heard_is_marked_without_a_file_while_the_team_plays(
    marking: MarkingStage,
) -> None:
    marking.mark("anna", {"calm": 1}, task="talk")
    assert marking.line("talk").state is MarkingState.DECIDED
    assert (marking.stage.total(), marking.stage.exercise.phase) == (10_000, Phase.RUNNING)


def test_a_criterion_whose_inject_never_went_out_counts_on_neither_side(tmp_path: Path) -> None:
    marking = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path)
    marking.pass_time(10)
    over(marking)
    assert [place.place for place in case(marking, "anna").places] == [""]
    for who in ("anna", "boris"):
        marking.mark(who, {"facts": 3, "advice": 2})
    assert marking.stage.total() == 40_000
    marking.stage.database.close()


def test_a_skipped_inject_is_left_out_too_and_what_waited_for_it_alone_is_decided(
    marking: MarkingStage, tmp_path: Path
) -> None:
    stage = marking.stage
    marking.pass_time(6)
    for who in ("anna", "boris"):
        marking.mark(who, {"press": 1}, place="call")
    over(marking)
    for who in ("anna", "boris"):
        marking.mark(who, {"facts": 0, "advice": 0})
    assert stage.total() == 40_000 // 6
    later = MarkingStage.raised(f"sqlite:///{tmp_path}/other", _folder(tmp_path), scenario=DUE)
    later.pass_time(10)
    later.pass_time(2)
    for who in ("anna", "boris"):
        later.mark(who, {"facts": 3, "advice": 2})
    assert later.line().state is MarkingState.TO_MARK
    later.end()
    later.marking.sweep()
    assert (later.line().state, later.stage.total()) == (MarkingState.DECIDED, 40_000)
    later.stage.database.close()


DUE = MARKED.replace("opens: {with: note}", "due: {after: note, within: 1m}")


def _folder(folder: Path) -> Path:
    (folder / "second").mkdir()
    return folder / "second"


def test_a_team_that_was_asked_for_nothing_is_marked_for_nothing(tmp_path: Path) -> None:
    marking = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path)
    over(marking)
    assert marking.line().state is MarkingState.NOTHING
    with pytest.raises(MarkInvalidError):
        marking.mark("anna", {"facts": 1})
    record = marking.stage.scoring.record(marking.stage.exercise).teams[0]
    assert {t.task: t.of_milli_points for t in record.tasks}["report"] == 0
    marking.stage.database.close()


# Blind


def test_an_assessor_sees_neither_names_nor_other_marks_until_all_are_in(
    marking: MarkingStage,
) -> None:
    over(marking)
    member = marking.stage.team().members[0].name
    marking.mark("anna", {"facts": 3, "advice": 2}, reason="SECRET")
    marking.mark("anna", {"press": 1}, place="call", reason="SECRET")
    marking.mark("boris", {"facts": 2}, hand_in=False)
    for who in ("boris", "sara", "ina"):
        shown = text_of(case(marking, who))
        assert "SECRET" not in shown
        assert "No comment." in shown
        assert member not in json.dumps([asdict(r) for r in _replies(marking, who)], default=str)
    assert marks_csv(marking.stage.exercise, marking.marks.all_in(marking.stage.exercise)) == (
        marks_csv(marking.stage.exercise, ())
    )
    marking.mark("boris", {"facts": 3, "advice": 2})
    marking.mark("boris", {"press": 1}, place="call")
    assert "SECRET" in text_of(case(marking, "boris"))
    assert [r.name for r in _replies(marking, "boris")] == [member]


def _replies(marking: MarkingStage, who: str) -> list[ReplyView]:
    return [reply for place in case(marking, who).places for reply in place.replies]


def test_a_draft_is_its_owners_and_changes_until_it_is_handed_in(marking: MarkingStage) -> None:
    over(marking)
    marking.mark("anna", {"facts": 1}, hand_in=False, reason="")
    marking.mark("anna", {"facts": 2}, hand_in=False, reason="so")
    mine = case(marking, "anna").places[0].criteria[0].mine
    assert mine is not None
    assert (mine.level, mine.reason, mine.is_draft) == (2, "so", True)
    marking.mark("anna", {"facts": 3, "advice": 2})
    marking.mark("anna", {"facts": 3, "advice": 2})  # sent again
    with pytest.raises(MarkHandedInError, match="facts"):
        marking.mark("anna", {"facts": 1, "advice": 2})


def test_marks_fit_the_rubric_and_have_reasons_when_they_are_handed_in(
    marking: MarkingStage,
) -> None:
    over(marking)
    wrong: list[tuple[dict[str, int], str, str, str]] = [
        ({"facts": 4, "advice": 1}, "", "x", "facts has no level 4"),
        ({"facts": 1}, "", "x", "missing: advice"),
        ({"facts": 1, "advice": 1}, "", " ", "missing: facts, advice"),
        ({"facts": 1, "advice": 1, "press": 1}, "", "x", "'press' is not marked here"),
        ({"press": 1}, "note", "x", "no place 'note'"),
        ({"facts": 1, "advice": 1}, "", "x" * 2001, "2000 characters"),
        ({}, "call", "x", "missing: The press"),
    ]
    for levels, place, reason, why in wrong:
        with pytest.raises(MarkInvalidError, match=why):
            marking.mark("anna", levels, place=place, reason=reason)
    assert marking.line().seats == 0
    with pytest.raises(NotMarkedByPeopleError):
        marking.mark("anna", {}, task="who")


# Who


def test_nobody_marks_who_was_not_appointed_or_is_in_a_team(marking: MarkingStage) -> None:
    stage = marking.stage
    over(marking)
    for who in ("sara", "ina"):
        with pytest.raises(NotAssessorError):
            marking.mark(who, {"facts": 1}, hand_in=False)
    trainee = Users(stage.database, stage.clock).named(stage.team(2).members[0].name)
    with pytest.raises(AssessorUnfitError, match="is a trainee"):
        marking.marking.appoint(stage.exercise, trainee)


def test_a_member_of_a_team_never_marks_in_its_exercise(tmp_path: Path) -> None:
    marking = MarkingStage.raised(f"sqlite:///{tmp_path}/db", tmp_path)
    stage = marking.stage
    # An instructor who plays along, by the roster of the launch.
    member = stage.team().members[0]
    with stage.database.transaction() as transaction:
        transaction.session.execute(
            update(UserRow).where(UserRow.id == member.user).values(role="instructor")
        )
    playing = Users(stage.database, stage.clock).named(member.name)
    with pytest.raises(AssessorUnfitError, match="a member of a team"):
        marking.marking.appoint(stage.exercise, playing)
    marking.people["playing"] = playing
    with pytest.raises(NotAssessorError):
        marking.mark("playing", {"calm": 1}, task="talk")
    assert case(marking, "playing", "talk").because == "you are a member of this team"
    marking.stage.database.close()


def test_a_dismissed_assessor_leaves_a_seat_without_marks_and_keeps_one_with(
    marking: MarkingStage,
) -> None:
    stage = marking.stage
    over(marking)
    marking.marking.appoint(stage.exercise, marking.people["sara"])
    marking.mark("anna", {"facts": 1, "advice": 1})
    marking.mark("boris", {"facts": 1}, hand_in=False)
    with pytest.raises(SeatsTakenError):
        marking.mark("sara", {"facts": 1}, hand_in=False)
    for who in ("anna", "boris"):
        marking.marking.dismiss(stage.exercise, marking.people[who])
    marking.mark("sara", {"facts": 1}, hand_in=False)
    assert marking.line(who="sara").seats == 2
    assert marking.marks.queue(marking.people["boris"]) == ()


# Apart, again, released


def test_a_third_person_moderates_and_nobody_else(marking: MarkingStage) -> None:
    stage = marking.stage
    over(marking)
    marking.marking.dismiss(stage.exercise, marking.people["boris"])
    marking.marking.appoint(stage.exercise, marking.people["ina"])
    with pytest.raises(MarkingNotNowError):
        moderate(marking, "igor", 1)
    marking.mark_report("anna", facts=0, advice=2, press=1)
    marking.mark_report("ina", facts=3, advice=2, press=1)
    assert case(marking, "ina").difference == Fraction(1, 2)
    assert [case(marking, who).may for who in ("anna", "ina", "igor", "sara")] == [
        *("", "", "moderate", "")
    ]
    with pytest.raises(NotAssessorError):
        moderate(marking, "ina", 3)
    moderate(marking, "igor", 3)
    with pytest.raises(MarkingNotNowError):
        moderate(marking, "igor", 0)
    assert marking.stage.total() == 40_000
    record = stage.scoring.record(stage.exercise).teams[0]
    report = next(o for o in record.objectives if o.objective == "report")
    assert report.share == 1  # the talk, which nobody marked, counts on neither side


def test_a_true_zero_is_a_result_and_counts_in_the_record(marking: MarkingStage) -> None:
    over(marking)
    for who in ("anna", "boris"):
        marking.mark_report(who, facts=0, advice=0, press=0)
    record = marking.stage.scoring.record(marking.stage.exercise).teams[0]
    report = next(task for task in record.tasks if task.task == "report")
    assert (report.milli_points, report.of_milli_points) == (0, 40_000)
    assert next(o.share for o in record.objectives if o.objective == "report") == 0


def test_marked_again_needs_a_reason_and_starts_blind_anew(marking: MarkingStage) -> None:
    stage = marking.stage
    over(marking)
    again = marking.marking.mark_again
    by = By(user=marking.people["ina"].id, reason="a page was missing")
    with pytest.raises(MarkingNotNowError, match="nobody has marked"):
        again(stage.exercise, stage.team(), task="report", by=by)
    for who in ("anna", "boris"):
        marking.mark_report(who, facts=3, advice=2, press=1)
    with pytest.raises(MarkHandedInError):
        marking.mark("anna", {"facts": 1}, hand_in=False)
    with pytest.raises(MarkInvalidError, match="a reason is missing"):
        again(stage.exercise, stage.team(), task="report", by=By())
    again(stage.exercise, stage.team(), task="report", by=by)
    shown = case(marking, "anna")
    assert (shown.line.number, shown.line.state, shown.others) == (2, "to_mark", False)
    assert all(c.mine is None and not c.given for p in shown.places for c in p.criteria)
    assert marking.line().milli_points == 40_000


def test_a_team_reads_levels_and_reasons_once_they_are_released(marking: MarkingStage) -> None:
    stage = marking.stage
    over(marking)
    for who in ("anna", "boris"):
        marking.mark_report(who, facts=3, advice=2, press=1)
    before = result(marking)
    assert (before.milli_points, before.released) == (40_000, False)
    assert "so it was" not in text_of(before)
    marking.marking.release(stage.exercise, "report")
    marking.marking.release(stage.exercise, "report")
    after = result(marking)
    facts = next(c for c in after.criteria if c.criterion == "facts")
    assert [(m.who, m.level, m.reason) for m in facts.given] == [
        ("assessor 1", 3, "so it was"),
        ("assessor 2", 3, "so it was"),
    ]
    assert "anna" not in text_of(after)


def test_what_a_team_gives_itself_never_scores(marking: MarkingStage) -> None:
    stage = marking.stage
    own = marking.marking.assess_own
    marks = given({"facts": 3}, "")
    own(stage.exercise, stage.team(), stage.member(), task="report", marks=marks)
    own(stage.exercise, stage.team(), stage.member(), task="report", marks=given({"facts": 2}, ""))
    with pytest.raises(NotAssessorError):
        own(stage.exercise, stage.team(), stage.member(2), task="report", marks=marks)
    assert (stage.total(), marking.line().seats) == (0, 0)
    over(marking)
    for who in ("anna", "boris"):
        assert case(marking, who).places[0].criteria[0].team is None
        marking.mark_report(who, facts=0, advice=0, press=0)
    assert case(marking, "anna").places[0].criteria[0].team == 2
    assert stage.total() == 0
    marking.marking.release(stage.exercise, "report")
    assert [c.team for c in result(marking).criteria] == [2, None, None]
    with pytest.raises(MarkingNotNowError):
        own(stage.exercise, stage.team(), stage.member(), task="report", marks=marks)


def test_a_reason_that_is_a_formula_is_text_in_a_spreadsheet(marking: MarkingStage) -> None:
    marking.mark("anna", {"calm": 1}, task="talk", reason='=HYPERLINK("http://x")')
    text = marks_csv(marking.stage.exercise, marking.marks.all_in(marking.stage.exercise))
    header, row = text.splitlines()
    assert header.startswith("exercise,team,team_name,task,marking")
    assert '"\'=HYPERLINK(""http://x"")"' in row
    assert row.endswith("yes,10.0,10")
