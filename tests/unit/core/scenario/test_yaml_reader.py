import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenario.positions import Mark
from core.scenario.yaml_reader import read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("off", "off"),
        ("no", "no"),
        ("yes", "yes"),
        ("True", True),
        ("false", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("0o17", 15),
        ("017", 17),
        ("0x1f", 31),
        ("-12", -12),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2001-12-14", "2001-12-14"),
        ("1.2", 1.2),
        ("1e3", 1000.0),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("'1'", "1"),
        ('"true"', "true"),
        ("1.2.3", "1.2.3"),
        ("=", "="),
    ],
)
def test_a_scalar_is_what_yaml_1_2_core_says(text: str, value: object) -> None:
    document = read(f"key: {text}\n".encode())
    assert document.readable
    assert document.data == {"key": value}
    assert type(document.data["key"]) is type(value)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("{ask: What? Now, b: 1}", {"ask": "What? Now", "b": 1}),
        ("{ask: a?b}", {"ask": "a?b"}),
        ("[?x, y?]", ("?x", "y?")),
        ("{a?b: c}", {"a?b": "c"}),
        ("{? a : b}", {"a": "b"}),
        ("? a\n: b", {"a": "b"}),
        ("{url: http://x/?q=1}", {"url": "http://x/?q=1"}),
    ],
)
def test_a_question_mark_inside_text_is_text(text: str, data: object) -> None:
    assert read(text.encode()).data == data


def test_every_key_and_value_knows_where_it_stands() -> None:
    positions = read(b"a:\n  b: [1, {c: 2}]\n").positions
    assert positions.of_key(("a",)) == Mark(1, 1)
    assert positions.of_key(("a", "b")) == Mark(2, 3)
    assert positions.of_value(("a", "b", 0)) == Mark(2, 7)
    assert positions.of_value(("a", "b", 1, "c")) == Mark(2, 14)


def test_what_is_not_in_the_file_is_at_its_nearest_ancestor() -> None:
    positions = read(b"a:\n  b: 1\n").positions
    assert positions.of_value(("a", "missing", 3)) == Mark(2, 3)


def test_what_an_alias_brings_is_at_the_alias() -> None:
    document = read(b"a: &x {b: 1}\nc: *x\n")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.positions.of_value(("c", "b")) == Mark(2, 4)


def test_a_byte_order_mark_is_accepted() -> None:
    assert read("\ufeffa: 1".encode()).data == {"a": 1}


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_end_in_data_or_in_a_sentence(raw: bytes) -> None:
    document = read(raw)
    assert document.readable or document.findings
    assert all(f.message and f.mark for f in document.findings)


@settings(max_examples=200)
@given(st.text(alphabet="ab:-?{}[],&*!|>'\"%@`# \n\t<", max_size=60))
def test_any_yaml_like_text_ends_in_data_or_in_a_sentence(text: str) -> None:
    document = read(text.encode())
    assert document.readable or document.findings


def test_keys_are_merged_only_when_asked_for() -> None:
    text = b"a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {x: 3, <<: [*a, *b]}\n"
    assert [f.message for f in read(text).findings] == [
        "the merge key << is refused; YAML 1.2 has none"
    ]
    document = read(text, merges=True)
    assert document.findings == []
    assert document.data == {
        "a": {"x": 1, "y": 1},
        "b": {"y": 2, "z": 2},
        "c": {"x": 3, "y": 1, "z": 2},
    }
