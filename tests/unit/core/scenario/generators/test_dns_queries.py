import re
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenario.generators.scene import GenerationFailedError
from tests.unit.core.scenario.generators.making import AT, START, make_one

QUERY = re.compile(
    r"(?P<at>\S+) files dnsmasq\[\d+\]: query\[(A|TXT)\] (?P<name>\S+) from (?P<by>\S+)"
)


def queries(**given: object) -> list[re.Match[str]]:
    log = make_one("dns-queries", time_format="iso", **given).content.decode().splitlines()
    return [match for line in log if (match := QUERY.fullmatch(line))]


def test_a_name_is_asked_for_every_period_from_one_desk() -> None:
    asked = [q for q in queries(count=12, period="5m") if q["name"] == "cdn-sync.example"]
    assert len(asked) == 12
    assert asked[0]["at"] == AT.isoformat()
    assert len({q["by"] for q in asked}) == 1


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="{"), min_size=1))
def test_a_text_leaves_in_names_and_can_be_put_together_again(text: str) -> None:
    names = [q["name"] for q in queries(text=text, period="1s") if "cdn-sync" in q["name"]]
    assert bytes.fromhex("".join(name.split(".")[0] for name in names)).decode() == text
    assert all(len(label) <= 63 for name in names for label in name.split("."))


def test_a_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(GenerationFailedError, match="begin earlier"):
        make_one("dns-queries", text="x" * 500, period="2h")


def test_lines_are_in_order_and_each_query_has_its_answer() -> None:
    made = make_one("dns-queries", time_format="iso", noise="high")
    log = made.content.decode().splitlines()
    times = [line.split()[0] for line in log]
    assert times == sorted(times)
    assert times[-1] == made.mtime.isoformat() <= START.isoformat()
    kinds = [line.split(": ")[1].split("[")[0].split()[0] for line in log]
    assert kinds.count("query") == kinds.count("reply") == kinds.count("forwarded")


def test_the_name_leads_where_the_author_says() -> None:
    log = make_one("dns-queries", address="203.0.113.77").content.decode()
    assert "reply cdn-sync.example is 203.0.113.77" in log


def test_others_ask_as_well_each_from_within_a_period_on() -> None:
    others = ["10.1.0.7", "10.1.0.9"]
    asked = [q for q in queries(others=others, count=5) if q["name"] == "cdn-sync.example"]
    assert [sum(q["by"] == one for q in asked) for one in others] == [5, 5]
    assert len(asked) == 15
    begun = {q["by"]: datetime.fromisoformat(q["at"]) for q in reversed(asked)}
    assert all(AT < begun[one] <= AT + timedelta(minutes=1) for one in others)


def test_a_text_may_leave_by_another_name_than_the_one_asked_for() -> None:
    found = queries(text="forty registers", tunnel="static.example", count=7, noise="none")
    assert [q["name"] for q in found].count("cdn-sync.example") == 7
    (carried,) = (q["name"] for q in found if q["name"].endswith(".static.example"))
    assert bytes.fromhex(carried.split(".")[0]).decode() == "forty registers"


@settings(max_examples=10)
@given(st.binary(), st.integers(0, 50))
def test_pauses_differ_by_the_jitter_at_most(key: bytes, share: int) -> None:
    found = queries(key=key, noise="none", period="40s", jitter=f"{share}%")
    times = [datetime.fromisoformat(q["at"]) for q in found]
    pauses = [(b - a).total_seconds() for a, b in pairwise(times)]
    assert all(abs(pause - 40) <= 40 * share / 100 for pause in pauses)


def test_the_log_ends_when_the_author_says() -> None:
    made = make_one("dns-queries", until=(AT + timedelta(hours=3)).isoformat(), count=20_000)
    assert AT + timedelta(hours=2, minutes=59) <= made.mtime <= AT + timedelta(hours=3)
