from datetime import UTC, datetime, timedelta
from fractions import Fraction
from ipaddress import ip_address, ip_network
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.domain.answers import (
    AddressAnswer,
    AllAnswer,
    Answer,
    AnyAnswer,
    DigestAnswer,
    InstantAnswer,
    ListAnswer,
    NetworkAnswer,
    NumberAnswer,
    PatternAnswer,
    SecretAnswer,
    SetAnswer,
    TextAnswer,
    judge,
)
from scoring.domain.readings import instant_in, items_in, numbers_in

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
        "2026-11-23 03:05:30 +01:00",
        "2026-11-23 03:05:30 +0100",
        "23.11.2026 03:05:30 +1",
        "23.11.2026 03:05:30 UTC+1",
        "23.11.2026 03:05:30 CET",
        "2026-11-23T04:05:30 cest",
        "22.11.2026. 20:35:30 -05:30",
        "20261123T030530+0100",
    ],
)
def test_a_time_is_read_in_iso_and_in_the_regions_form(text: str) -> None:
    assert instant_in(text) == AT


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "23.11.2026 02:05:30 XYZ",
        "23.11.2026 02:05 +99:00",
        "31.02.2026 10:00",
        "23.11.2026 25:00",
        "02:05",
        "",
        "9" * 1000,
    ],
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


PORTS = SetAnswer(items=tuple(TextAnswer(text=port) for port in ("22", "80", "443")))
STEPS = ListAnswer(items=tuple(TextAnswer(text=step) for step in ("scan", "log in", "copy")))


@pytest.mark.parametrize("between", [", ", ";", "\n", " ", "\r\n", " ,\t", ",\n"])
def test_a_set_is_right_in_any_order_however_it_is_parted(between: str) -> None:
    for order in permutations(("22", "80", "443")):
        assert judge(PORTS, between.join(order))


@pytest.mark.parametrize("value", ["22, 80", "22, 80, 443, 8080", "22 22 80", "", ",", "2280443"])
def test_a_set_is_right_with_each_of_its_items_and_nothing_else(value: str) -> None:
    assert not judge(PORTS, value)


def test_items_of_a_set_each_need_an_answer_of_their_own() -> None:
    near = NumberAnswer(number=Fraction(10), within=Fraction(5))
    far = NumberAnswer(number=Fraction(10))
    assert judge(SetAnswer(items=(near, far)), "10, 12")
    assert judge(SetAnswer(items=(far, near)), "12, 10")
    assert not judge(SetAnswer(items=(far, near)), "12, 13")
    assert judge(SetAnswer(items=(NumberAnswer(number=Fraction(3, 2)), far)), "10; 1,5")


def test_a_long_set_of_alternatives_is_paired_up_in_time() -> None:
    letters = [chr(ord("a") + n) for n in range(26)]
    options = AnyAnswer(options=tuple(TextAnswer(text=letter) for letter in letters[:-1]))
    items: tuple[Answer, ...] = (*(options for _ in letters[:-1]), TextAnswer(text="z"))
    assert judge(SetAnswer(items=items), ",".join(reversed(letters)))
    assert not judge(SetAnswer(items=items), ",".join(["z", *letters[:-2], "z"]))


def test_a_list_is_right_in_its_order_only() -> None:
    assert judge(STEPS, "Scan, log in, copy")
    assert judge(STEPS, "scan\nlog  in\ncopy\n")
    assert not judge(STEPS, "log in, scan, copy")
    assert not judge(STEPS, "scan, log in")


def test_an_item_may_hold_what_does_not_part_it() -> None:
    assert ("Smith, J.", "Doe, K.") in items_in("Smith, J.; Doe, K.")
    assert ("a b", "c") in items_in("a b, c")


@pytest.mark.parametrize(
    ("right", "sent", "fits"),
    [
        ("10.1.2.3", " 10.1.2.3 ", True),
        ("10.1.2.3", "10.1.2.30", False),
        ("10.1.2.3", "10.1.2.003", False),
        ("2001:db8::1", "2001:0DB8:0:0::1", True),
        ("2001:db8::1", "10.1.2.3", False),
    ],
)
def test_an_address_is_right_however_it_is_written(right: str, sent: str, *, fits: bool) -> None:
    assert judge(AddressAnswer(address=ip_address(right)), sent) is fits


@pytest.mark.parametrize(
    ("sent", "fits"),
    [
        ("10.1.2.0/28", True),
        ("10.1.2.0 / 255.255.255.240", True),
        ("10.1.2.0/27", False),
        ("10.1.2.1/28", False),
        ("10.1.2.0", False),
        ("office", False),
    ],
)
def test_a_network_is_right_when_it_is_exactly_that_one(sent: str, *, fits: bool) -> None:
    assert judge(NetworkAnswer(network=ip_network("10.1.2.0/28")), sent) is fits


@pytest.mark.parametrize(
    ("sent", "fits"),
    [("DEADBEEF", True), ("de ad be ef", True), ("de:ad:be:ef", True), ("deadbee", False)],
)
def test_digits_of_a_hash_are_right_in_any_case(sent: str, *, fits: bool) -> None:
    assert judge(DigestAnswer(digits="deadBEEF"), sent) is fits


def test_an_expression_fits_the_whole_text_and_nothing_around_it() -> None:
    answer = PatternAnswer(pattern="(?i)cve-2026-0*17|seventeen")
    assert judge(answer, " CVE-2026-0017\n")
    assert judge(answer, "Seventeen")
    assert not judge(answer, "it was CVE-2026-17")
    assert not judge(answer, "seventeenth")


def test_an_expression_takes_no_longer_than_its_text_is_long() -> None:
    assert not judge(PatternAnswer(pattern="(a+)+b"), "a" * 100_000)


def test_all_of_several_answers_must_fit_the_same_text() -> None:
    inside = AllAnswer(
        options=(
            PatternAnswer(pattern=r"10\..*"),
            AnyAnswer(options=(TextAnswer(text="10.0.0.9"),)),
        )
    )
    assert judge(inside, "10.0.0.9")
    assert not judge(inside, "10.0.0.8")


_EVERY_KIND: tuple[Answer, ...] = (
    NumberAnswer(number=Fraction(1, 3)),
    InstantAnswer(at=AT, within=timedelta(days=1)),
    SecretAnswer(secret="x"),
    AddressAnswer(address=ip_address("10.0.0.1")),
    NetworkAnswer(network=ip_network("10.0.0.0/8")),
    DigestAnswer(digits="00"),
    PatternAnswer(pattern="[a-z]{9}"),
    TextAnswer(text="x", fold=frozenset({"case", "space", "accent", "script", "punctuation"})),
    PORTS,
    STEPS,
)


@given(st.text(max_size=40) | st.text("0123456789.:/,;TZ-+ \n\ud800", max_size=40))
def test_no_text_makes_the_judge_fail(text: str) -> None:
    for answer in _EVERY_KIND:
        assert judge(answer, text) in {True, False}
