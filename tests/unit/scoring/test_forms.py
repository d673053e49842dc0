"""What is said of the form of a text, which tells nothing of what is right."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from core.scenario.schema_tasks import FlagTask, QuestionTask
from scoring.domain.forms import form_hint, form_of

_QUESTION = TypeAdapter(QuestionTask)
ACCOUNT = {"equals": "s.hoxha", "format": "an account name"}
MD5 = "d41d8cd98f00b204e9800998ecf8427e"


def question(answer: object) -> QuestionTask:
    return _QUESTION.validate_python({"ask": "?", "answer": _as_read(answer)})


def _as_read(data: object) -> object:
    """Return data with tuples for lists, as the reader of YAML gives them."""
    if isinstance(data, dict):
        return {key: _as_read(value) for key, value in data.items()}
    return tuple(map(_as_read, data)) if isinstance(data, list) else data


@pytest.mark.parametrize(
    ("answer", "text", "hint"),
    [
        (ACCOUNT, MD5, "That looks like a hash; an account name is asked for."),
        (ACCOUNT, "10.1.2.3", "That looks like an IP address; an account name is asked for."),
        (ACCOUNT, "10.1.2.0/28", "That looks like a network; an account name is asked for."),
        (ACCOUNT, "23.11.2026 02:05", "That looks like a time; an account name is asked for."),
        (ACCOUNT, "1 000", "That looks like a number; an account name is asked for."),
        (ACCOUNT, "m.kovac", ""),
        ("s.hoxha", MD5, ""),
        (
            {"regex": "a+", "format": "a word"},
            "7",
            "That looks like a number; a word is asked for.",
        ),
        ({"regex": "a+"}, "7", ""),
        ({"number": 240}, "about 240", "That cannot be read as a number."),
        ({"number": 240}, "10.0.0.1", "That looks like an IP address; a number is asked for."),
        ({"number": 240}, "241", ""),
        ({"instant": "2026-11-23T02:05:30Z"}, "yesterday", "That cannot be read as a time."),
        ({"ip": "10.1.2.3"}, "mail", "That cannot be read as an IP address."),
        ({"cidr": "10.1.2.0/28"}, "10.1.2.0/99", "That cannot be read as a network."),
        ({"cidr": "10.1.2.0/28"}, "10.1.2.3", ""),
        ({"hash": "00ff"}, "decoy.bin", "That cannot be read as a hash."),
        ({"file": "a.bin"}, "a.bin", "That cannot be read as a hash."),
        ({"any": [{"ip": "10.1.2.3"}, {"cidr": "10.1.2.0/28"}]}, "10.1.2.9", ""),
        (
            {"any": [{"number": 1}, {"ip": "10.1.2.3"}]},
            "mail",
            "That cannot be read as a number or an IP address.",
        ),
        ({"any": [{"number": 1}, "one"]}, MD5, ""),
        (
            {"any": [{"number": 1}, ACCOUNT]},
            MD5,
            "That looks like a hash; a number or an account name is asked for.",
        ),
        ({"all": [{"regex": "1.*"}, {"number": 1}]}, "one", "That cannot be read as a number."),
        ({"set": ["22", "80"]}, MD5, ""),
        ({"choice": "a", "of": {"a": "A", "b": "B"}}, MD5, ""),
    ],
)
def test_a_text_of_another_form_is_told_what_is_asked_for(
    answer: object, text: str, hint: str
) -> None:
    assert form_hint(form_of(question(answer)), text) == hint


def test_what_looks_like_something_else_than_a_flag_is_told_so() -> None:
    flag = TypeAdapter(FlagTask).validate_python({"ask": "?", "flag": "mark"})
    assert form_hint(form_of(flag), MD5) == "That looks like a hash; a flag is asked for."
    assert form_hint(form_of(flag), "HB{a8Kd}") == ""


_TEXTS = st.text(max_size=40) | st.sampled_from([MD5, "10.1.2.3", "7", "23.11.2026 02:05", "x y"])
_DIGITS = st.text("0123456789abcdef", min_size=1, max_size=64)
_ADDRESS = st.ip_addresses().map(str)
_KINDS: dict[str, st.SearchStrategy[Any]] = {
    "equals": st.text(min_size=1, max_size=40).map(lambda t: {**ACCOUNT, "equals": t}),
    "number": st.integers().map(lambda n: {"number": n}),
    "instant": st.datetimes().map(lambda t: {"instant": f"{t.isoformat()}Z"}),
    "ip": _ADDRESS.map(lambda a: {"ip": a}),
    "cidr": _ADDRESS.map(lambda a: {"cidr": a}),
    "hash": _DIGITS.map(lambda d: {"hash": d}),
}


@given(st.sampled_from(sorted(_KINDS)), st.data(), _TEXTS)
def test_what_is_said_does_not_depend_on_what_is_right(
    kind: str, data: st.DataObject, text: str
) -> None:
    one, other = (question(data.draw(_KINDS[kind])) for _ in range(2))
    assert form_hint(form_of(one), text) == form_hint(form_of(other), text)


@given(st.sampled_from(sorted(_KINDS)), st.data())
def test_what_is_right_is_never_refused_for_its_form(kind: str, data: st.DataObject) -> None:
    answer = data.draw(_KINDS[kind])
    form = form_of(question(answer))
    assert form is not None
    assert not form.refuses(str(answer[kind]))
