import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.core.scenario.generators.making import AT, START, make_one

STAMP = re.compile(r"(\w{3} [ \d]\d \d\d:\d\d:\d\d) files \S+?(\[\d+\])?: ")
USER = "lberisha"


def lines(**given: object) -> list[str]:
    return make_one("ssh-bruteforce", **given).content.decode().splitlines()


def time_of(line: str) -> datetime:
    match = STAMP.match(line)
    assert match is not None, line
    return datetime.strptime(f"2026 {match[1]}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)


@settings(max_examples=20)
@given(st.integers(1, 400), st.sampled_from(["none", "low", "medium", "high"]), st.binary())
def test_so_many_fail_as_is_said_and_then_one_fits(attempts: int, noise: str, key: bytes) -> None:
    log = lines(attempts=attempts, noise=noise, key=key)
    failed = [line for line in log if f"Failed password for {USER} from " in line]
    accepted = [line for line in log if f"Accepted password for {USER} from " in line]
    assert len(failed) == attempts == sum("Failed password" in line for line in log)
    assert len(accepted) == 1
    assert time_of(accepted[0]) == AT
    assert all(time_of(line) < AT for line in failed)
    times = [time_of(line) for line in log]
    assert times == sorted(times)
    assert times[-1] <= START


def test_it_is_dated_by_its_last_line() -> None:
    made = make_one("ssh-bruteforce")
    assert made.mtime == time_of(made.content.decode().splitlines()[-1])


def test_all_attempts_come_from_one_address_outside_the_office() -> None:
    log = lines()
    sources = {line.split(" from ")[1].split()[0] for line in log if f" {USER} from " in line}
    assert len(sources) == 1
    assert sources.pop().startswith(("192.0.2.", "198.51.100.", "203.0.113."))
    assert any(" from 192.0.2.9 " in line for line in lines(from_="192.0.2.9"))


def test_the_account_is_nobody_of_the_noise() -> None:
    guessed = lines(user="admin", noise="high")
    assert not any("Invalid user admin" in line for line in guessed)
    visitor = next(line.split(" for ")[1].split()[0] for line in lines() if "Accepted" in line)
    assert visitor != USER
    log = lines(user=visitor)
    assert sum(f"Accepted password for {visitor}" in line for line in log) == 1


def test_processes_have_ids_that_grow() -> None:
    opened = [line for line in lines(noise="high") if "session opened" in line]
    ids = [int(m[2][1:-1]) for m in map(STAMP.match, opened) if m and m[2]]
    assert ids == sorted(ids)
    assert len(set(ids)) > 50


def test_people_and_their_network_may_be_the_scenarios() -> None:
    log = lines(people=("postadmin",), network="10.213.4.0/28")
    visits = [line for line in log if "Accepted" in line and USER not in line]
    assert {line.split(" for ")[1].split(" port")[0] for line in visits} == {
        "postadmin from 10.213.4.13"
    }


def test_people_may_be_values_and_the_account_is_none_of_the_noise_even_so() -> None:
    log = lines(people=("{{ values.user }}",), noise="high")
    assert sum(f"Accepted password for {USER}" in line for line in log) == 1
    assert not any("Accepted" in line and USER not in line for line in log)


def test_without_noise_there_is_the_story_alone() -> None:
    log = lines(noise="none", from_="192.0.2.9")
    assert all(USER in line or "Received disconnect from 192.0.2.9" in line for line in log)


def test_it_can_be_dated_as_debian_12_does() -> None:
    log = lines(time_format="iso")
    moments = [datetime.fromisoformat(line.split()[0]) for line in log]
    assert moments == sorted(moments)
    assert AT in moments


@pytest.mark.parametrize("since", ["1h", "20d"])
def test_it_begins_so_long_before(since: str) -> None:
    first = time_of(lines(since=since, noise="high")[0])
    asked = timedelta(hours=1) if since == "1h" else timedelta(days=20)
    assert AT - asked <= first <= AT - asked + timedelta(hours=4)
