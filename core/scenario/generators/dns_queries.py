"""`dns-queries`: what a resolver was asked, as dnsmasq logs it, with lookups that give one away."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from ipaddress import IPv4Address
from operator import itemgetter
from typing import Annotated

from pydantic import Field

from core.scenario.generators.dice import Dice
from core.scenario.generators.office import Office
from core.scenario.generators.parameters import (
    Address,
    Domain,
    LongText,
    OtherAddresses,
    Portion,
    Span,
    When,
)
from core.scenario.generators.scene import GenerationFailedError, Generator, Made, Scene
from core.scenario.generators.story_time import AMOUNT, working_times
from core.scenario.generators.syslog import Entry, Syslog, SyslogParameters

_CHUNK = 24  # bytes of hidden text in a label: 48 hexadecimal digits, of 63 that a label may have
_MOST = 20_000


class DnsQueries(SyslogParameters):
    """Parameters of `dns-queries`."""

    name: Domain = Field(description="the domain that should not have been asked for")
    at: When = Field(description="when it is for the first time")
    client: Address | None = Field(default=None, description="who asks; else a desk of the office")
    others: OtherAddresses = Field(
        default=(), max_length=50, description="who asks as well, from within a `period` on"
    )
    address: Address | None = Field(
        default=None, description="what the name leads to; else the office's attacker"
    )
    count: int = Field(default=40, ge=1, le=_MOST, description="how often, as far as there is time")
    text: Annotated[LongText, Field(min_length=1)] | None = Field(
        default=None,
        description="what is carried out below `name`: hexadecimal, a piece in each query of a TXT",
    )
    tunnel: Domain | None = Field(
        default=None, description="below which name it is carried out, besides `name`'s own queries"
    )
    period: Span = Field(default=timedelta(minutes=1), description="how long between two of them")
    jitter: Portion = Field(
        default=Fraction(), description="how far a pause between queries of `name` differs, at most"
    )
    since: Span = Field(
        default=timedelta(days=1), description="how long before `at` the log begins"
    )


def make(given: DnsQueries, scene: Scene) -> Iterator[Made]:
    """Yield the log. Raises GenerationFailedError when there is no time for the whole text."""
    since, until = scene.window(given.at, before=given.since, ends=given.until)
    dice, office = scene.dice, scene.office
    entries = list[Entry]()
    for at, client, asked, reply in _story(given, scene, until):
        entries += _lines(at, client, asked, reply, office)
    for moment in working_times(dice, since, until, a_day=150 * AMOUNT[given.noise]):
        site, address = dice.pick(list(office.sites.items()))
        person = dice.pick(office.people).address
        entries += _lines(moment, person, f"[A] {site}", str(address), office)
    log = Syslog(dice)
    log.process("dnsmasq", *sorted(entries, key=itemgetter(0)))
    text, last = log.written(given.host or scene.host, until=until, form=given.time_format)
    yield Made(content=text.encode(), mtime=last)


def _story(
    given: DnsQueries, scene: Scene, until: datetime
) -> Iterator[tuple[datetime, IPv4Address, str, str]]:
    """Yield when which client asks what, and what it is told."""
    client = given.client or scene.office.people[0].address
    if given.text is not None:
        at = given.at if given.tunnel is None else given.at + given.period / 2
        for piece in _pieces(given.text, scene.dice):
            if at > until:
                message = "the last pieces of text come after the story's start; begin earlier"
                raise GenerationFailedError(message, place=("at",))
            yield at, client, f"[TXT] {piece}.{given.tunnel or given.name}", "NXDOMAIN"
            at += given.period
    if given.text is None or given.tunnel is not None:
        address = str(given.address or scene.office.attacker)
        for asker in (client, *given.others):
            for at in _times(given, scene.dice, late=asker != client):
                if at > until:
                    break
                yield at, asker, f"[A] {given.name}", address


def _pieces(text: str, dice: Dice) -> Iterator[str]:
    data, mark = text.encode(), dice.spelled("0123456789abcdef", 4)
    for start in range(0, len(data), _CHUNK):
        yield f"{data[start : start + _CHUNK].hex()}.{mark}"


def _times(given: DnsQueries, dice: Dice, *, late: bool) -> Iterator[datetime]:
    pause = int(given.period.total_seconds())
    most, at = int(pause * given.jitter), given.at
    if late:
        at += dice.seconds(1, pause)
    for _ in range(given.count):
        yield at
        at += given.period
        if most:
            at += dice.seconds(-most, most)


def _lines(
    at: datetime, client: IPv4Address, asked: str, reply: str, office: Office
) -> Iterator[Entry]:
    name = asked.split()[1]
    yield at, f"query{asked} from {client}"
    yield at, f"forwarded {name} to {office.server('gateway')}"
    yield at, f"reply {name} is {reply}"


GENERATOR = Generator(
    summary="dnsmasq's log of queries: one name too often, or text that leaves in names",
    example="{to: /var/log/dnsmasq.log, generate: dns-queries,"
    ' with: {name: cdn-sync.example, at: "{{ values.intrusion }}",'
    ' text: "{{ values.flag_note }}"}}',
    parameters=DnsQueries,
    make=make,
)
