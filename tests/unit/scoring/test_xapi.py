"""Statements of a training record."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId, UserId
from scoring.exports.as_xapi import as_xapi, statement_id, statements_of, voided, written
from scoring.records.record import (
    MemberRecord,
    ObjectiveRecord,
    TaskRecord,
    TeamRecord,
    TrainingRecord,
)

HOME = "https://range.example/"
ADA, BEN = UserId("0ada"), UserId("0ben")
VERBS = "http://adlnet.gov/expapi/verbs/"
ACTIVITIES = "http://adlnet.gov/expapi/activities/"
SECRETS = ("Ada <b>Lovelace</b>", "Ben of Skopje", "Tirana", "Who, Tirana?", "stage-k3f")

WHO = TaskRecord(
    task="who",
    title=SECRETS[3],
    kind="answer",
    objective="logs",
    milli_points=20_000,
    of_milli_points=20_000,
    attempts=2,
    solved_at=datetime(2026, 11, 23, 12, 5, tzinfo=UTC),
    solved_by=ADA,
    share=None,
)
LOGS = ObjectiveRecord(
    objective="logs",
    title="Logs of Tirana",
    competency="DF-LOGS",
    share=Fraction(1, 3),
    pass_mark=Fraction(1, 2),
    passed=False,
)
TEAM = TeamRecord(
    team="team-1",
    name=SECRETS[2],
    members=(
        MemberRecord(user=ADA, name=SECRETS[0], role="lead", solved=("who",), wrong_answers=1),
        MemberRecord(user=BEN, name=SECRETS[1], role="lead", solved=(), wrong_answers=0),
    ),
    milli_points=26_666,
    of_milli_points=40_000,
    tasks=(WHO,),
    objectives=(LOGS,),
)
RECORD = TrainingRecord(
    exercise=ExerciseId("e1"),
    name=SECRETS[4],
    scenario="stage",
    scenario_version="1.0.0",
    scenario_title="Stage",
    scenario_digest="d" * 64,
    started_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    ended_at=datetime(2026, 11, 23, 12, 10, tzinfo=UTC),
    ran=timedelta(minutes=9, milliseconds=700),
    final=True,
    upto_entry=7,
    competencies={"DF-LOGS": "Read logs"},
    teams=(TEAM,),
)

SCENARIO = {
    "objectType": "Activity",
    "id": "https://range.example/scenarios/stage/1.0.0",
    "definition": {"type": f"{ACTIVITIES}module", "name": {"und": "Stage"}},
}
COMPETENCY = {
    "objectType": "Activity",
    "id": "https://range.example/competencies/DF-LOGS",
    "definition": {
        "type": "https://w3id.org/xapi/acrossx/activities/competency",
        "name": {"und": "Read logs"},
    },
}
EXERCISE = {
    "objectType": "Activity",
    "id": "https://range.example/exercises/e1",
    "definition": {"type": f"{ACTIVITIES}simulation", "name": {"und": "Stage"}},
}


def with_team(**changes: Any) -> TrainingRecord:  # noqa: ANN401  # whatever a team has
    return replace(RECORD, teams=(replace(TEAM, **changes),))


def bodies(record: TrainingRecord) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(as_xapi(record, HOME))
    return found


def told_of(record: TrainingRecord) -> set[tuple[str, str, str]]:
    """Return who did what to what."""
    return {
        (
            body["actor"]["account"]["name"],
            body["verb"]["id"].removeprefix(VERBS),
            body["object"]["id"].removeprefix(HOME),
        )
        for body in bodies(record)
    }


def completion(record: TrainingRecord) -> dict[str, Any]:
    found: dict[str, Any] = bodies(record)[0]["result"]
    return found


def test_each_member_completed_and_passed_or_not_and_answered() -> None:
    here = "scenarios/stage/1.0.0"
    assert told_of(RECORD) == {
        (ADA, "completed", "exercises/e1"),
        (ADA, "failed", f"{here}/objectives/logs"),
        (ADA, "answered", f"{here}/tasks/who"),
        (BEN, "completed", "exercises/e1"),
        (BEN, "failed", f"{here}/objectives/logs"),
    }


def test_a_statement_in_full() -> None:
    completed, _, answered, *_ = bodies(RECORD)
    context = {
        "registration": completed["context"]["registration"],
        "team": {
            "objectType": "Group",
            "account": {"homePage": HOME, "name": "e1/team-1"},
        },
        "platform": "Cyberpoligon",
        "contextActivities": {"grouping": [SCENARIO, COMPETENCY]},
    }
    assert UUID(context["registration"]).version == 5
    actor = {"objectType": "Agent", "account": {"homePage": HOME, "name": ADA}}
    assert completed == {
        # Another id would tell everything again that was told already.
        "id": "dfb9edc5-92f6-5625-91d2-8793aaa252c7",
        "actor": actor,
        "verb": {"id": f"{VERBS}completed", "display": {"en": "completed"}},
        "object": EXERCISE,
        "result": {
            "completion": True,
            "duration": "PT540S",
            "score": {"raw": 26.666, "min": 0.0, "max": 40.0, "scaled": 0.6666},
        },
        "context": context,
        "timestamp": "2026-11-23T12:10:00Z",
    }
    inside = {"contextActivities": {"grouping": [SCENARIO, COMPETENCY], "parent": [EXERCISE]}}
    assert answered == {
        "id": answered["id"],
        "actor": actor,
        "verb": {"id": f"{VERBS}answered", "display": {"en": "answered"}},
        "object": {
            "objectType": "Activity",
            "id": "https://range.example/scenarios/stage/1.0.0/tasks/who",
            "definition": {"type": f"{ACTIVITIES}question", "name": {"und": "who"}},
        },
        "result": {"success": True},
        "context": context | inside,
        "timestamp": "2026-11-23T12:05:00Z",
    }


def test_nothing_is_told_before_the_record_is_final() -> None:
    assert bodies(replace(RECORD, final=False)) == []


def test_what_could_not_be_assessed_has_no_score() -> None:
    nothing = replace(LOGS, share=None, passed=None)
    record = with_team(milli_points=0, of_milli_points=0, objectives=(nothing,), tasks=())
    assert completion(record) == {"completion": True, "duration": "PT540S"}
    assert {verb for _, verb, _ in told_of(record)} == {"completed"}
    assert '"score"' not in as_xapi(record, HOME)


def test_a_true_zero_is_a_score() -> None:
    score = completion(with_team(milli_points=0))["score"]
    assert score == {"raw": 0.0, "min": 0.0, "max": 40.0, "scaled": 0.0}
    none = replace(LOGS, share=Fraction(0))
    assert bodies(with_team(objectives=(none,)))[1]["result"] == {
        "success": False,
        "score": {"scaled": 0.0},
    }


@given(has=st.integers(-(10**9), 10**9), of=st.integers(1, 10**9))
def test_scores_are_within_the_bounds_of_the_specification(has: int, of: int) -> None:
    score = completion(with_team(milli_points=has, of_milli_points=of))["score"]
    assert -1 <= score["scaled"] <= 1
    assert score["min"] <= score["raw"] <= score["max"]
    assert score["min"] < score["max"]


def test_no_name_no_title_of_a_team_and_no_markup_is_told() -> None:
    text = as_xapi(RECORD, HOME)
    assert [secret for secret in SECRETS if secret in text] == []
    assert "<" not in text
    assert "mbox" not in text


def test_ids_are_those_of_what_is_said_and_no_two_are_the_same() -> None:
    ids = [body["id"] for body in bodies(RECORD)]
    assert len(set(ids)) == len(ids)
    assert all(UUID(id_).version == 5 for id_ in ids)
    other = [body["id"] for body in bodies(replace(RECORD, exercise=ExerciseId("e2")))]
    assert set(ids).isdisjoint(other)


_CHANGES: list[Callable[[TrainingRecord], TrainingRecord]] = [
    lambda r: replace(r, name="another", upto_entry=99, scenario_digest="e" * 64),
    lambda r: replace(r, teams=tuple(replace(t, name="another") for t in r.teams)),
]


@given(st.lists(st.sampled_from(_CHANGES)))
def test_a_record_that_says_the_same_has_the_same_statements(
    changes: list[Callable[[TrainingRecord], TrainingRecord]],
) -> None:
    record = RECORD
    for change in changes:
        record = change(record)
    assert as_xapi(record, HOME) == as_xapi(RECORD, HOME)


@given(
    st.tuples(st.text(), st.integers(1, 99), st.text()),
    st.tuples(st.text(), st.integers(1, 99), st.text()),
)
def test_another_revision_or_content_has_another_id(
    one: tuple[str, int, str], other: tuple[str, int, str]
) -> None:
    def id_(subject: str, revision: int, digest: str) -> str:
        return statement_id(ExerciseId("e1"), subject, revision=revision, digest=digest)

    assert id_(*one) == id_(*one)
    if "/" not in f"{one}{other}":  # subjects and digests of ours have no slash that could move
        assert (id_(*one) == id_(*other)) == (one == other)


def test_each_subject_is_told_of_once() -> None:
    subjects = [statement.subject for statement in statements_of(RECORD, HOME)]
    assert len(set(subjects)) == len(subjects)


def test_what_takes_a_statement_back_names_it_and_nobody() -> None:
    assert voided("an-id", HOME, at=datetime(2026, 11, 24, tzinfo=UTC)) == {
        "actor": {"objectType": "Agent", "account": {"homePage": HOME, "name": "poligon"}},
        "verb": {"id": f"{VERBS}voided", "display": {"en": "voided"}},
        "object": {"objectType": "StatementRef", "id": "an-id"},
        "timestamp": "2026-11-24T00:00:00Z",
    }


@pytest.mark.parametrize("home", ["https://range.example", "https://range.example/"])
def test_activities_are_pages_below_the_home_page(home: str) -> None:
    found = json.loads(as_xapi(RECORD, home))[0]
    assert found["object"]["id"] == "https://range.example/exercises/e1"
    assert found["actor"]["account"]["homePage"] == home


def test_the_same_body_is_written_in_the_same_way() -> None:
    assert written({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}' == written({"a": "ü", "b": 1})
