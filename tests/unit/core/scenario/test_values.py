import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenario.schema import Scenario
from core.scenario.template_world import text_of
from core.scenario.values import TooFewValuesError, derive_values

START = datetime(2026, 11, 23, 9, 30, 15, 987, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden_values.json"
EVERY_TYPE: dict[str, dict[str, object]] = {
    "password": {"type": "password"},
    "long_password": {"type": "password", "length": 64},
    "token": {"type": "token"},
    "long_token": {"type": "token", "length": 128},
    "flag": {"type": "flag", "format": "HB{%s}", "length": 24},
    "choice": {"type": "choice", "of": ("red", "green", "blue")},
    "username": {"type": "username", "unlike": ("agashi",)},
    "integer": {"type": "integer", "min": -5, "max": 1000},
    "port": {"type": "port"},
    "instant": {"type": "instant", "between": ("exercise.start - 36h", "exercise.start - 30h")},
    "night": {"type": "instant", "between": ("exercise.day - 23h", "exercise.day - 20h")},
    "hourly": {
        "type": "instant",
        "between": ("exercise.day - 1d", "exercise.start"),
        "step": "1h",
    },
}


def a_scenario(values: dict[str, dict[str, object]]) -> Scenario:
    return Scenario.model_validate(
        {
            "language": 1,
            "scenario": {
                "id": "x",
                "version": "1.0.0",
                "title": "X",
                "kind": "tabletop",
                "duration": "1h",
            },
            "roles": {"r": {}},
            "tasks": {"t": {"answer": "x"}},
            "values": values,
        }
    )


def test_the_derivation_is_the_one_of_the_golden_file() -> None:
    derived = {
        team: {
            name: text_of(value)
            for name, value in derive_values(
                a_scenario(EVERY_TYPE), key=b"a key of an exercise", team=team, start=START
            ).items()
        }
        for team in ("team-1", "team-2", "ekipi-š")
    }
    # Never update this file: answers of past exercises are checked by deriving them again.
    assert derived == json.loads(GOLDEN.read_text())


@settings(max_examples=50)
@given(st.binary(max_size=64), st.text(max_size=20))
def test_values_are_distinct_in_range_and_the_same_again(key: bytes, team: str) -> None:
    scenario = a_scenario(EVERY_TYPE)
    values = derive_values(scenario, key=key, team=team, start=START)
    assert values == derive_values(scenario, key=key, team=team, start=START)
    assert list(values) == list(EVERY_TYPE)
    assert len({str(v).casefold() for v in values.values()}) == len(values)
    assert isinstance(values["port"], int)
    assert 20_000 <= values["port"] <= 40_000
    assert isinstance(values["integer"], int)
    assert -5 <= values["integer"] <= 1000
    assert isinstance(values["instant"], datetime)
    whole = START.replace(microsecond=0)
    assert whole - timedelta(hours=36) <= values["instant"] <= whole - timedelta(hours=30)
    assert isinstance(values["hourly"], datetime)
    assert (values["hourly"].minute, values["hourly"].second) == (0, 0)
    assert len(str(values["long_password"])) == 64
    assert len(str(values["long_token"])) == 128


@settings(max_examples=30)
@given(st.binary(max_size=8), st.permutations([("a", "b"), ("b", "c"), ("c", "a")]))
def test_short_lists_are_shared_out_whenever_that_is_possible(
    key: bytes, lists: list[tuple[str, str]]
) -> None:
    specs: dict[str, dict[str, object]] = {
        f"v{i}": {"type": "choice", "of": of} for i, of in enumerate(lists)
    }
    values = derive_values(a_scenario(specs), key=key, team="t", start=START)
    assert set(values.values()) == {"a", "b", "c"}
    assert all(values[f"v{i}"] in of for i, of in enumerate(lists))


def test_too_short_lists_are_refused_by_name() -> None:
    scenario = a_scenario(
        {"one": {"type": "choice", "of": ("a",)}, "two": {"type": "choice", "of": ("A",)}}
    )
    with pytest.raises(TooFewValuesError, match="value two"):
        derive_values(scenario, key=b"", team="t", start=START)


@settings(max_examples=20)
@given(st.binary(max_size=8))
def test_unlike_holds_whatever_the_case(key: bytes) -> None:
    free = derive_values(a_scenario({"u": {"type": "username"}}), key=key, team="t", start=START)[
        "u"
    ]
    other = a_scenario({"u": {"type": "username", "unlike": (str(free).upper(),)}})
    assert derive_values(other, key=key, team="t", start=START)["u"] != free


def test_a_value_stays_when_another_is_added() -> None:
    one = a_scenario({"a": {"type": "password"}})
    two = a_scenario({"b": {"type": "password"}, "a": {"type": "password"}})
    first = derive_values(one, key=b"k", team="t", start=START)
    assert derive_values(two, key=b"k", team="t", start=START)["a"] == first["a"]


def test_teams_and_keys_differ() -> None:
    scenario = a_scenario({"a": {"type": "password"}})
    made = {
        derive_values(scenario, key=key, team=team, start=START)["a"]
        for key in (b"1", b"2")
        for team in ("a", "b")
    }
    assert len(made) == 4


def test_the_zone_of_the_start_changes_nothing() -> None:
    scenario = a_scenario(EVERY_TYPE)
    elsewhere = START.astimezone(timezone(timedelta(hours=2)))
    assert derive_values(scenario, key=b"k", team="t", start=elsewhere) == derive_values(
        scenario, key=b"k", team="t", start=START
    )
