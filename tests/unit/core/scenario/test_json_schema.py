"""The published schema and the reference: fresh, valid, and of one mind with the loader."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from core.scenario.json_schema import json_schema, json_schema_text
from core.scenario.key_reference import reference
from core.scenario.schema import Scenario
from core.scenario.yaml_reader import read
from tests.unit.core.scenario import (
    test_answers,
    test_evidence,
    test_injects,
    test_lint,
    test_message_files,
    test_rubrics,
)
from tests.unit.core.scenario.texts import SMALLEST, WITH_HOSTS

ROOT = Path(__file__).parents[4]
PUBLISHED = ROOT / "docs" / "reference"
SHIPPED = sorted((ROOT / "scenarios").glob("*/scenario.yaml"))
RIGHT = {
    "answers": test_answers.RIGHT,
    "smallest": SMALLEST,
    "hosts": WITH_HOSTS,
    "flows": test_lint.WITH_FLOWS,
    "arena": test_lint.WITH_ARENA,
    "values": test_lint.WITH_VALUES,
    "injects": test_injects.RIGHT,
    "files": test_message_files.RIGHT,
    "rubrics": test_rubrics.RIGHT,
    "evidence": test_evidence.WITH_EVIDENCE,
}
SPOILT = {
    "answers": test_answers.SPOILT,
    "hosts": test_lint.SPOILT,
    "flows": test_lint.FLOWS,
    "arena": test_lint.ARENAS,
    "values": test_lint.VALUES,
    "injects": test_injects.SPOILT,
    "files": test_message_files.SPOILT,
    "rubrics": test_rubrics.SPOILT,
    "evidence": test_evidence.WRONG,
}
# What validators of our own say and a schema can, too; the rest is arithmetic, or about several
# places of the file.
STRUCTURAL = (
    "exactly one of",
    "at least one of",
    "either host or from",
    "is not a duration",
    "is not a network size",
    "is not a SHA-256",
    "needs a size",
    "path inside",
    "absolute path",
    "before any team exists",
    "a terminal would obey",
)


def plain(node: object) -> Any:  # noqa: ANN401  # any JSON
    match node:
        case dict():
            return {str(key): plain(value) for key, value in node.items()}
        case tuple():
            return [plain(value) for value in node]
        case _:
            return node


def spoilt() -> Iterator[Any]:
    for right, cases in SPOILT.items():
        for case, (old, new, *_) in cases.items():
            yield pytest.param(RIGHT[right].replace(old, new, 1), id=f"{right}: {case}")


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(json_schema())


def test_it_is_a_schema_of_the_draft_that_it_names() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


def test_what_is_published_is_what_this_program_reads() -> None:
    again = "run ./dev reference"
    page, schema = PUBLISHED / "scenario-keys.md", PUBLISHED / "scenario.schema.json"
    assert schema.read_text() == json_schema_text(), again
    assert page.read_text() == reference(json_schema()), again
    assert json.loads(schema.read_text()) == json_schema()
    assert max(map(len, page.read_text().splitlines())) <= 100


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.parent.name)
def test_a_shipped_scenario_is_right_and_tells_editors_where_the_schema_is(
    validator: Draft202012Validator, file: Path
) -> None:
    assert list(validator.iter_errors(plain(read(file.read_bytes()).data))) == []
    first = file.read_text().splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert (file.parent / named).resolve() == PUBLISHED / "scenario.schema.json"


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_a_right_scenario_is_right(validator: Draft202012Validator, text: str) -> None:
    assert list(validator.iter_errors(plain(read(text.encode()).data))) == []


@pytest.mark.parametrize("text", [*spoilt()])
def test_what_the_types_refuse_by_its_form_the_schema_refuses_and_nothing_else(
    validator: Draft202012Validator, text: str
) -> None:
    data = read(text.encode()).data
    try:
        Scenario.model_validate(data)
    except ValidationError as exc:
        structural = any(
            error["type"] != "value_error" or any(words in error["msg"] for words in STRUCTURAL)
            for error in exc.errors()
        )
        assert not structural or not validator.is_valid(plain(data))
    else:
        assert list(validator.iter_errors(plain(data))) == []


def test_every_part_and_every_key_says_what_it_means() -> None:
    schema = json_schema()
    parts = schema["$defs"]
    for name, part in parts.items():
        assert part["description"], name
        for key, field in part["properties"].items():
            # Pydantic leaves out of a key what its part says in the same words.
            inner = parts.get(field.get("$ref", "").rpartition("/")[2], {})
            assert field.get("description") or inner.get("description"), f"{name}.{key}"
    assert all(field["description"] for field in schema["properties"].values())


def test_an_authors_own_keys_are_right_where_the_language_has_them(
    validator: Draft202012Validator,
) -> None:
    data = plain(read(WITH_HOSTS.encode()).data)
    data["x-note"] = data["hosts"]["box"]["x-note"] = data["checks"]["up"]["x-note"] = [{"any": 1}]
    assert validator.is_valid(data)
    data["hosts"]["box"]["note"] = "x"
    assert not validator.is_valid(data)


def test_a_key_has_the_name_and_the_default_that_authors_write() -> None:
    parts = json_schema()["$defs"]
    assert {"from", "pass", "as", "with", "for"} <= {
        key for part in parts.values() for key in part["properties"]
    }
    assert not [k for part in parts.values() for k in part["properties"] if k.endswith("_")]
    assert parts["ReadyProbe"]["properties"]["within"]["default"] == "1m"
    assert parts["Head"]["properties"]["team_size"]["default"] == {"min": 1, "max": 1}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tcp: 80", "tcp: '{{ values.port }}'"),
        ("answer: green", "answer: {number: '{{ values.port }}', within: 5%}"),
        ("answer: green", "answer: {number: 4.5, within: 1}"),
        ("answer: green", "answer: {any: [green, {equals: '{{ values.flag }}', fold: []}]}"),
    ],
)
def test_a_field_takes_a_template_and_each_of_its_forms(
    validator: Draft202012Validator, old: str, new: str
) -> None:
    text = WITH_HOSTS.replace(old, new)
    assert list(validator.iter_errors(plain(read(text.encode()).data))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tcp: 80", "tcp: eighty"),
        ("tcp: 80", "tcp: 80000"),
        ("answer: green", "answer: {number: many}"),
        ("answer: green", "answer: {number: 4, equals: a}"),
        ("answer: green", "answer: {number: 4, within: -5}"),
    ],
)
def test_a_field_takes_no_other_form(validator: Draft202012Validator, old: str, new: str) -> None:
    text = WITH_HOSTS.replace(old, new)
    assert not validator.is_valid(plain(read(text.encode()).data))


def test_the_reference_has_a_section_for_every_part_and_a_line_for_every_key() -> None:
    page = reference(json_schema())
    assert "### Host file\n" in page
    assert "- `mode`: text of the form" in page
    rules = " ".join(page.split())
    assert "Exactly one of `at`, `after`, `when`, `manual`." in rules
    assert "`wait` needs `after`." in rules
    for part in json_schema()["$defs"].values():
        for key in part["properties"]:
            assert f"\n- `{key}`" in page
