"""`dns-queries`: what a resolver was asked, as dnsmasq logs it, with lookups that give one away."""

from collections.abc import Iterator
from datetime import datetime, timedelta
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
    address: Address | None = Field(
        default=None, description="what the name leads to; else the office's attacker"
    )
    count: int = Field(default=40, ge=1, le=_MOST, description="how often, as far as there is time")
    text: Annotated[LongText, Field(min_length=1)] | None = Field(
        default=None,
        description="what is carried out below `name`: hexadecimal, a piece in each query of a TXT",
    )
    period: Span = Field(default=timedelta(minutes=1), description="how long between two of them")
    since: Span = Field(
        default=timedelta(days=1), description="how long before `at` the log begins"
    )


def make(given: DnsQueries, scene: Scene) -> Iterator[Made]:
    """Yield the log. Raises GenerationFailedError when there is no time for the whole text."""
    since, until = scene.window(given.at, before=given.since, ends=given.until)
    dice, office = scene.dice, scene.office
    client = given.client or office.people[0].address
    entries, at = list[Entry](), given.at
    for name, kind in _asked(given, dice):
        if at > until:
            if given.text is not None:
                message = "the last pieces of text come after the story's start; begin earlier"
                raise GenerationFailedError(message, place=("at",))
            break
        reply = "NXDOMAIN" if kind == "TXT" else str(given.address or office.attacker)
        entries += _lines(at, client, f"[{kind}] {name}", reply, office)
        at += given.period
    for moment in working_times(dice, since, until, a_day=150 * AMOUNT[given.noise]):
        site, address = dice.pick(list(office.sites.items()))
        person = dice.pick(office.people).address
        entries += _lines(moment, person, f"[A] {site}", str(address), office)
    log = Syslog(dice)
    log.process("dnsmasq", *sorted(entries, key=itemgetter(0)))
    text, last = log.written(given.host or scene.host, until=until, form=given.time_format)
    yield Made(content=text.encode(), mtime=last)


def _asked(given: DnsQueries, dice: Dice) -> Iterator[tuple[str, str]]:
    if given.text is None:
        for _ in range(given.count):
            yield given.name, "A"
        return
    data, mark = given.text.encode(), dice.spelled("0123456789abcdef", 4)
    for start in range(0, len(data), _CHUNK):
        yield f"{data[start : start + _CHUNK].hex()}.{mark}.{given.name}", "TXT"


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
