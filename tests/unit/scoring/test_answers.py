from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.answers import (
    AnyAnswer,
    InstantAnswer,
    NumberAnswer,
    SecretAnswer,
    TextAnswer,
    instant_in,
    judge,
    numbers_in,
)

AT = datetime(2026, 11, 23, 2, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "Žana Kovač",
        "  žana   kovač\n",
        "ŽANA KOVAČ",
        "Z\u030cana Kovac\u030c",  # letters and carons apart, as some keyboards send them
        "Žana\u00a0Kovač",
        "Žana\u202fKovač\u00a0",
        "Žana\tKovač",
    ],
)
def test_text_is_right_whatever_its_case_and_white_space(value: str) -> None:
    assert judge(TextAnswer(text="Žana Kovač"), value)


@pytest.mark.parametrize("value", ["Zana Kovac", "ŽanaKovač", "Жана Ковач", "", "Žana Kovač!"])
def test_text_is_wrong_where_the_author_folded_nothing(value: str) -> None:
    assert not judge(TextAnswer(text="Žana Kovač"), value)


@pytest.mark.parametrize(
    ("right", "sent"),
    [
        ("svc-backup", "svc‐backup"),
        ("paypal", "раураl"),
        ('say "hi"', "say “hi”"),
        ("1", "١"),
    ],
)
def test_look_alike_letters_and_smart_quotes_are_not_folded(right: str, sent: str) -> None:
    assert not judge(TextAnswer(text=right), sent)


def test_nothing_but_the_ends_is_folded_when_the_author_says_so() -> None:
    answer = TextAnswer(text="Ab  c", fold=frozenset())
    assert judge(answer, " Ab  c\n")
    assert not judge(answer, "ab  c")
    assert not judge(answer, "Ab c")


@given(st.text())
def test_every_text_is_the_right_answer_to_itself(text: str) -> None:
    assert judge(TextAnswer(text=text), text)
    assert judge(TextAnswer(text=text.upper()), text.upper().casefold())


def test_a_flag_is_right_to_the_letter_only() -> None:
    answer = SecretAnswer(secret="NS{a8Kd}")
    assert judge(answer, " NS{a8Kd}\n")
    assert not judge(answer, "NS{A8KD}")
    assert not judge(answer, "NS{a8Kd")
    assert not judge(answer, "NS{a8Kdя")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("240", [240]),
        (" +240 ", [240]),
        ("-3,5", [Fraction(-7, 2)]),
        ("-3.5", [Fraction(-7, 2)]),
        ("1 000", [1000]),
        ("1\u00a0000", [1000]),
        ("1.000", [1, 1000]),
        ("1.000.000", [1_000_000]),
        ("1,000.000", []),
        ("0.125", [Fraction(1, 8)]),
        ("1e9", []),
        ("٣", []),
        ("about 240", []),
        ("nan", []),
        ("", []),
    ],
)
def test_numbers_are_read_as_people_of_the_region_write_them(
    text: str, numbers: list[Fraction | int]
) -> None:
    assert list(numbers_in(text)) == numbers


@pytest.mark.parametrize(
    ("sent", "right"), [("228", True), ("252", True), ("227.9", False), ("252,1", False)]
)
def test_a_number_may_be_so_far_away_and_no_further(sent: str, right: bool) -> None:  # noqa: FBT001
    assert judge(NumberAnswer(number=Fraction(240), within=Fraction(12)), sent) is right


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T02:05:30Z",
        "2026-11-23t02:05:30z",
        "2026-11-23 02:05:30",
        "2026-11-23 02:05:30 UTC",
        "2026-11-23T03:05:30+01:00",
        "23.11.2026 02:05:30",
        "23.11.2026. 2:05:30",
        "23. 11. 2026, 02:05:30",
        "23.11.2026\u00a002:05:30 gmt",
    ],
)
def test_a_time_is_read_in_iso_and_in_the_regions_form(text: str) -> None:
    assert instant_in(text) == AT


@pytest.mark.parametrize(
    "text", ["yesterday", "31.02.2026 10:00", "23.11.2026 25:00", "02:05", "", "9" * 1000]
)
def test_what_is_no_time_is_wrong_and_no_error(text: str) -> None:
    assert instant_in(text) is None
    assert not judge(InstantAnswer(at=AT), text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_at_the_end_of_the_calendar_is_only_wrong(text: str) -> None:
    assert not judge(InstantAnswer(at=AT, within=timedelta(days=1)), text)


def test_a_time_may_be_so_far_away_and_no_further() -> None:
    answer = InstantAnswer(at=AT, within=timedelta(seconds=60))
    assert judge(answer, "2026-11-23 02:06:30")
    assert judge(answer, "23.11.2026 02:05")
    assert not judge(answer, "2026-11-23 02:06:31")


def test_any_of_several_answers_will_do() -> None:
    answer = AnyAnswer(options=(TextAnswer(text="nobody"), NumberAnswer(number=Fraction(0))))
    assert judge(answer, "Nobody")
    assert judge(answer, "0,0")
    assert not judge(answer, "1")


@given(st.text(max_size=40))
def test_no_text_makes_the_judge_fail(text: str) -> None:
    for answer in (
        NumberAnswer(number=Fraction(1, 3)),
        InstantAnswer(at=AT, within=timedelta(days=1)),
        SecretAnswer(secret="x"),
    ):
        assert judge(answer, text) in {True, False}
