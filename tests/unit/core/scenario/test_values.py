import hashlib
import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenario.folder import FileRefusedError
from core.scenario.schema import Scenario
from core.scenario.schema_values import NameValue
from core.scenario.template_world import text_of
from core.scenario.values import TooFewValuesError, Value, derive_values
from core.scenario.words.cyrillic import ALPHABETS, in_cyrillic
from core.scenario.words.people import PEOPLE, REGION
from core.scenario.words.surnames import SURNAMES

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
    "hex": {"type": "hex"},
    "digit": {"type": "hex", "length": 1},
    "stray": {"type": "ip-in-network", "network": "office"},
    "camera": {"type": "ip-in-network", "network": "plant"},
    "city": {"type": "text", "from": "lists/cities.txt", "unlike": ("Ohrid",)},
    "anybody": {"type": "name"},
    **{code: {"type": "name", "language": code} for code in PEOPLE},
    **{
        f"{code}_cyrillic": {"type": "name", "language": code, "script": "cyrillic"}
        for code in ALPHABETS
    },
}
LISTS = {
    "lists/cities.txt": "Prishtinë\n\n  Novi Pazar \r\nOhrid\nNikšić\nMaribor\nTuzla",
    "lists/same.txt": "one and the same\n" * 300,
}
SUBNETS = {"office": IPv4Network("10.1.2.16/28"), "plant": IPv4Network("10.9.0.0/22")}


class Lists:
    def read(self, relative: str) -> bytes:
        if relative not in LISTS:
            raise FileRefusedError(relative)
        return LISTS[relative].encode()


def derive(
    scenario: Scenario, *, key: bytes = b"k", team: str = "t", start: datetime = START
) -> Mapping[str, Value]:
    return derive_values(scenario, Lists(), key=key, team=team, start=start, subnets=SUBNETS)


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
            "networks": {"office": {"size": "/28"}, "plant": {"size": "/22"}},
            "hosts": {
                h: {"image": "x", "networks": {"office": {}}} for h in ("desk", "mail", "files")
            },
        }
    )


def test_the_derivation_is_the_one_of_the_golden_file() -> None:
    derived = {
        team: {
            name: text_of(value)
            for name, value in derive(
                a_scenario(EVERY_TYPE), key=b"a key of an exercise", team=team
            ).items()
        }
        for team in ("team-1", "team-2", "ekipi-š")
    }
    # Add to the file, never change it: answers of past exercises are checked by deriving again.
    assert derived == json.loads(GOLDEN.read_text())


def test_the_word_lists_are_the_ones_that_past_exercises_drew_from() -> None:
    names = {
        code: [
            (text, in_cyrillic(text, code) if code in ALPHABETS else "")
            for people in groups
            for text in (*people.given, *people.surnames)
        ]
        for code, groups in PEOPLE.items()
    }
    told = json.dumps([SURNAMES, REGION, names], ensure_ascii=False)
    assert hashlib.sha256(told.encode()).hexdigest() == (
        "7831c258be4130cc9db0c761a45cca13081bf86e1720de042ff022e1a8696562"
    )


@settings(max_examples=50)
@given(st.binary(max_size=64), st.text(max_size=20))
def test_values_are_distinct_in_range_and_the_same_again(key: bytes, team: str) -> None:
    scenario = a_scenario(EVERY_TYPE)
    values = derive(scenario, key=key, team=team)
    assert values == derive(scenario, key=key, team=team)
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
    values = derive(a_scenario(specs), key=key)
    assert set(values.values()) == {"a", "b", "c"}
    assert all(values[f"v{i}"] in of for i, of in enumerate(lists))


def test_too_short_lists_are_refused_by_name() -> None:
    scenario = a_scenario(
        {"one": {"type": "choice", "of": ("a",)}, "two": {"type": "choice", "of": ("A",)}}
    )
    with pytest.raises(TooFewValuesError, match="value two"):
        derive(scenario, key=b"")


@settings(max_examples=20)
@given(st.binary(max_size=8))
def test_unlike_holds_whatever_the_case(key: bytes) -> None:
    free = derive(a_scenario({"u": {"type": "username"}}), key=key)["u"]
    other = a_scenario({"u": {"type": "username", "unlike": (str(free).upper(),)}})
    assert derive(other, key=key)["u"] != free


def test_a_value_stays_when_another_is_added() -> None:
    one = a_scenario({"a": {"type": "password"}})
    two = a_scenario({"b": {"type": "password"}, "a": {"type": "password"}})
    first = derive(one, key=b"k")
    assert derive(two, key=b"k")["a"] == first["a"]


def test_teams_and_keys_differ() -> None:
    scenario = a_scenario({"a": {"type": "password"}})
    made = {
        derive(scenario, key=key, team=team)["a"] for key in (b"1", b"2") for team in ("a", "b")
    }
    assert len(made) == 4


def test_the_zone_of_the_start_changes_nothing() -> None:
    scenario = a_scenario(EVERY_TYPE)
    elsewhere = START.astimezone(timezone(timedelta(hours=2)))
    assert derive(scenario, key=b"k", team="t", start=elsewhere) == derive(scenario, key=b"k")


def test_an_address_is_free_and_the_same_place_whatever_the_site_gives() -> None:
    scenario = a_scenario(EVERY_TYPE)
    elsewhere = {"office": IPv4Network("203.0.113.0/28"), "plant": IPv4Network("10.77.4.0/22")}
    for team in map(str, range(40)):
        here = derive(scenario, team=team)
        there = derive_values(
            scenario, Lists(), key=b"k", team=team, start=START, subnets=elsewhere
        )
        changed = {name for name in here if here[name] != there[name]}
        assert changed == {"stray", "camera"}
        address = here["stray"]
        assert isinstance(address, IPv4Address)
        # Three hosts come after the gateway; the last but one is kept for a router.
        assert 5 <= int(address) - int(SUBNETS["office"][0]) <= 13
        assert isinstance(there["stray"], IPv4Address)
        assert int(address) - int(SUBNETS["office"][0]) == int(there["stray"]) - int(
            elsewhere["office"][0]
        )


def test_every_free_address_can_be_drawn_and_no_more() -> None:
    spec: dict[str, object] = {"type": "ip-in-network", "network": "office"}
    free = 16 - 1 - 1 - 3 - 1 - 1  # the network's own, gateway, three hosts, router, broadcast
    full = derive(a_scenario({f"v{n}": spec for n in range(free)}))
    assert sorted(map(str, full.values())) == sorted(
        str(SUBNETS["office"][n]) for n in range(5, 14)
    )
    with pytest.raises(TooFewValuesError):
        derive(a_scenario({f"v{n}": spec for n in range(free + 1)}))


def test_without_a_subnet_an_address_is_left_out() -> None:
    values = derive_values(
        a_scenario(EVERY_TYPE), Lists(), key=b"k", team="t", start=START, subnets={}
    )
    assert set(EVERY_TYPE) - set(values) == {"stray", "camera"}


def test_a_text_is_a_line_without_space_around_it() -> None:
    spec: dict[str, object] = {"type": "text", "from": "lists/cities.txt"}
    values = derive(a_scenario({f"v{n}": spec for n in range(6)}))
    cities = {"Prishtinë", "Novi Pazar", "Ohrid", "Nikšić", "Maribor", "Tuzla"}
    assert set(values.values()) == cities


@settings(max_examples=20)
@given(st.binary(max_size=8))
def test_a_name_is_two_words_and_unlike_what_it_must_be(key: bytes) -> None:
    free = derive(a_scenario({"n": {"type": "name"}}), key=key)["n"]
    given_name, surname = str(free).split(" ")
    assert any(
        given_name in people.given and surname in people.surnames
        for code in REGION
        for people in PEOPLE[code]
    )
    other = a_scenario({"n": {"type": "name", "unlike": (str(free).upper(),)}})
    assert derive(other, key=key)["n"] != free


def test_every_language_that_may_be_asked_for_has_names_in_its_letters() -> None:
    (asked, _) = get_args(NameValue.model_fields["language"].annotation)
    assert set(get_args(asked)) == set(PEOPLE)
    assert set(ALPHABETS) <= set(PEOPLE)
    for code, groups in PEOPLE.items():
        for people in groups:
            names = (*people.given, *people.surnames)
            assert len(set(people.given)) == len(people.given) >= 24
            assert len(set(people.surnames)) == len(people.surnames) >= 36
            assert all(name.isalpha() and name.istitle() for name in names)
            if code in ALPHABETS:
                cyrillic = "".join(in_cyrillic(name, code) for name in names)
                assert all("CYRILLIC" in unicodedata.name(letter) for letter in cyrillic)


@pytest.mark.parametrize(
    ("latin", "language", "cyrillic"),
    [
        ("Ljiljana Đorđević", "sr", "Љиљана Ђорђевић"),
        ("Dženana Hodžić", "bs", "Џенана Хоџић"),
        ("Tanja Šćepanović", "cnr", "Тања Шћепановић"),
        ("Snezhana Jakimova", "mk", "Снежана Јакимова"),
        ("Ljupcho Georgiev", "mk", "Љупчо Георгиев"),
    ],
)
def test_two_latin_letters_that_are_one_become_one(
    latin: str, language: str, cyrillic: str
) -> None:
    assert in_cyrillic(latin, language) == cyrillic


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "choice", "of": ("a", "A") * 150},
        {"type": "text", "from": "lists/same.txt"},
    ],
)
def test_a_long_list_of_few_texts_is_refused_and_not_drawn_for_ever(
    spec: dict[str, object],
) -> None:
    with pytest.raises(TooFewValuesError, match="value two"):
        derive(a_scenario({"one": spec, "two": spec}))
