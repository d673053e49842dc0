"""What is generated for a team is of one office, whatever the file."""

import re
from ipaddress import IPv4Network

from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenario.generators.office import invent_office
from core.scenario.words.surnames import SURNAMES
from tests.unit.core.scenario.generators.making import make_one


def text(name: str, **given: object) -> str:
    return make_one(name, **given).content.decode()


MAILED = re.compile(
    r"unknown|\[(10\.\S+)\]\) by \S+ \(Postfix\) with ESMTP.*?From: [^<\n]*<(\w+)@", re.DOTALL
)
ENTERED = re.compile(r"Accepted password for lberisha from (\S+)")
UPLOADED = re.compile(r'(\S+) - - \S+ \S+ "POST')
LED_TO = re.compile(r"reply cdn-sync.example is (\S+)")


def test_people_and_their_desks_are_the_same_in_every_file_of_a_team() -> None:
    visits = re.findall(r"Accepted password for (\w+) from (10\.\S+)", text("ssh-bruteforce"))
    mail = {login: desk for desk, login in MAILED.findall(text("mailbox", noise="high")) if desk}
    asking = re.findall(r"from (10\.\S+)", text("dns-queries", noise="high"))
    both = [(login, desk) for login, desk in visits if login in mail]
    assert len(set(both)) > 4
    assert all(mail[login] == desk for login, desk in both)
    assert {desk for _, desk in visits} | set(mail.values()) <= set(asking)


def test_the_attacker_is_the_same_in_every_file_of_a_team_and_another_for_others() -> None:
    def attackers(team: str) -> set[str]:
        logs = {"ssh-bruteforce": ENTERED, "web-access": UPLOADED, "dns-queries": LED_TO}
        return {found for log, form in logs.items() for found in form.findall(text(log, team=team))}

    assert len(attackers("team-1")) == 1
    assert len(attackers("team-1") | attackers("team-2")) == 2


@settings(max_examples=30)
@given(st.binary(), st.sets(st.sampled_from(SURNAMES), max_size=60), st.integers(16, 28))
def test_an_office_has_eight_people_with_desks_and_names_of_their_own(
    seed: bytes, surnames: set[str], prefix: int
) -> None:
    avoid = frozenset(f"{letter}{name}" for letter in "abcdefgh" for name in surnames)
    network = IPv4Network((10 << 24, prefix))
    office = invent_office(seed, avoid=avoid, network=network)
    assert len({p.login for p in office.people}) == 8
    assert not {p.login for p in office.people} & avoid
    seats = {p.address for p in office.people}
    servers = {office.server(name) for name in ("gateway", "dns", "mail", "web", "files")}
    assert len(seats) == 8 or prefix == 28
    assert seats | servers <= set(network.hosts())
    assert not seats & servers
    roles = [office.attacker, office.sender, *office.sites.values(), *office.scanners]
    assert len(set(roles) | set(office.visitors)) == len(roles) + len(office.visitors)


@settings(max_examples=30)
@given(st.binary(), st.sets(st.integers(0, 761), max_size=50))
def test_an_address_that_somebody_has_is_nobody_elses_and_the_others_stay(
    seed: bytes, numbers: set[int]
) -> None:
    before = invent_office(seed, avoid=frozenset()).outside
    taken = frozenset(before[number] for number in numbers if number < len(before))
    after = invent_office(seed, avoid=frozenset(), taken=taken).outside
    assert not taken & set(after)
    assert len(set(after)) == len(after) == len(before)
    assert [a for a in before if a not in taken] == [
        b for a, b in zip(before, after, strict=True) if a not in taken
    ]


def test_an_address_of_a_parameter_is_of_nobody_else() -> None:
    attacker = ENTERED.findall(text("ssh-bruteforce"))[0]
    scanned = text("web-access", from_="192.0.2.9", noise="none")
    other = text("web-access", from_="192.0.2.9", noise="high")
    mine = [line for line in other.splitlines() if line.startswith("192.0.2.9 ")]
    assert mine == [line for line in scanned.splitlines() if line.startswith("192.0.2.9 ")]
    led = text("dns-queries", address=attacker)
    assert set(re.findall(rf"reply (\S+) is {attacker}\n", led)) == {"cdn-sync.example"}


@settings(max_examples=30)
@given(st.binary())
def test_what_an_author_gives_changes_nothing_else(seed: bytes) -> None:
    invented = invent_office(seed, avoid=frozenset())
    given = invent_office(seed, avoid=frozenset(), people=("keeper",), domain="harbour.test")
    assert given.outside == invented.outside
    assert given.network == invented.network
    assert [p.login for p in given.people] == ["keeper"]
    assert given.domain == "harbour.test"
