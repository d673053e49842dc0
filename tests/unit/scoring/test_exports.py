import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from core.ids import ExerciseId, UserId
from scoring.exports.as_csv import COLUMNS, as_csv
from scoring.exports.as_json import as_json
from scoring.records.record import (
    HintRecord,
    MemberRecord,
    ObjectiveRecord,
    TaskRecord,
    TeamRecord,
    TrainingRecord,
)

AT = datetime(2026, 11, 23, 12, 4, tzinfo=UTC)
ADA, BEN = UserId("u-ada"), UserId("u-ben")


@pytest.fixture
def record() -> TrainingRecord:
    who = TaskRecord(
        task="who",
        title="Tko je ušao?",
        kind="answer",
        objective="logs",
        milli_points=20_000,
        of_milli_points=20_000,
        attempts=2,
        solved_at=datetime(2026, 11, 23, 12, 5, tzinfo=UTC),
        solved_by=ADA,
        share=None,
        hints=(HintRecord(hint=2, milli_points=5000, taken_at=AT, taken_by=BEN),),
    )
    keep_up = TaskRecord(
        task="keep_up",
        title="Keep it up",
        kind="availability",
        objective=None,
        milli_points=6666,
        of_milli_points=20_000,
        attempts=0,
        solved_at=None,
        solved_by=None,
        share=Fraction(1, 3),
    )
    logs = ObjectiveRecord(
        objective="logs",
        title="Logs",
        competency="DF-LOGS",
        share=Fraction(1),
        pass_mark=Fraction(1, 2),
        passed=True,
    )
    members = (
        MemberRecord(user=ADA, name="ada", role="responder", solved=("who",), wrong_answers=1),
        MemberRecord(user=BEN, name="ben", role="responder", solved=(), wrong_answers=0),
    )
    team = TeamRecord(
        team="team-1",
        name="Tirana",
        members=members,
        milli_points=26_666,
        of_milli_points=40_000,
        tasks=(who, keep_up),
        objectives=(logs,),
    )
    return TrainingRecord(
        exercise=ExerciseId("e1"),
        name="stage-k3f",
        scenario="stage",
        scenario_version="1.0.0",
        scenario_title="Stage",
        scenario_digest="d" * 64,
        started_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        ended_at=None,
        ran=timedelta(minutes=9),
        final=False,
        upto_entry=7,
        competencies={"DF-LOGS": "Read logs"},
        teams=(team,),
    )


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def renamed(record: TrainingRecord, name: str) -> TrainingRecord:
    return replace(record, teams=(replace(record.teams[0], name=name),))


def test_json_holds_points_shares_and_times_that_others_can_read(record: TrainingRecord) -> None:
    data = json.loads(as_json(record))
    team = data["teams"][0]
    assert (data["upto_entry"], data["final"]) == (7, False)
    assert data["exercise"]["started_at"] == "2026-11-23T12:00:00Z"
    assert data["exercise"]["ended_at"] is None
    assert (team["points"], team["of"]) == (26.666, 40.0)
    assert team["tasks"][0]["solved_by"] == ADA
    assert team["tasks"][1]["availability"] == 0.3333
    assert team["objectives"][0]["passed"] is True
    assert "Tko je ušao?" in as_json(record)


def test_csv_has_a_row_for_each_member_and_task(record: TrainingRecord) -> None:
    found = rows(as_csv(record))
    assert [(r["member"], r["task"]) for r in found] == [
        ("ada", "who"),
        ("ada", "keep_up"),
        ("ben", "who"),
        ("ben", "keep_up"),
    ]
    assert tuple(found[0]) == COLUMNS
    assert [r["solved_by_member"] for r in found] == ["yes", "no", "no", "no"]
    assert (found[0]["points"], found[1]["points"], found[1]["availability"]) == (
        *("20.0", "6.666", "0.3333"),
    )
    assert (found[0]["competency"], found[0]["passed"]) == ("DF-LOGS", "yes")
    assert (found[1]["competency"], found[1]["passed"]) == ("", "")


def test_csv_keeps_a_team_that_nobody_was_in(record: TrainingRecord) -> None:
    empty = replace(record, teams=(replace(record.teams[0], members=()),))
    assert [(r["member"], r["task"]) for r in rows(as_csv(empty))] == [
        ("", "who"),
        ("", "keep_up"),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n="])
def test_no_cell_of_the_csv_is_a_formula(record: TrainingRecord, start: str) -> None:
    name = f"{start}HYPERLINK(1)"
    assert rows(as_csv(renamed(record, name)))[0]["team_name"] == f"'{name}"


def test_a_name_with_quotes_commas_and_lines_stays_one_cell(record: TrainingRecord) -> None:
    name = 'Tim "A", drugi\nred'
    assert rows(as_csv(renamed(record, name)))[0]["team_name"] == name


def test_csv_begins_with_a_byte_order_mark_only_if_asked(record: TrainingRecord) -> None:
    assert as_csv(record).startswith("exercise,")
    assert as_csv(record, bom=True) == "\ufeff" + as_csv(record)
