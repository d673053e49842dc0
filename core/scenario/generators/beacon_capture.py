"""`beacon-capture`: network traffic in which something calls home, again and again."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from ipaddress import IPv4Address
from itertools import chain

from pydantic import Field

from core.scenario.generators.dice import Dice
from core.scenario.generators.packets import (
    Conversation,
    End,
    Frame,
    capture,
    datagram,
    dns_answer,
    dns_question,
)
from core.scenario.generators.papers import SENTENCES
from core.scenario.generators.parameters import (
    Address,
    Domain,
    OfficeParameters,
    OtherAddresses,
    Portion,
    PortNumber,
    Span,
    When,
)
from core.scenario.generators.scene import GenerationFailedError, Generator, Made, Scene
from core.scenario.generators.story_time import AMOUNT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = 1_000_000
_DNS = 53
_HTTP = 80
_MOST_BEACONS = 5_000
_VISITS_AN_HOUR = 12


class BeaconCapture(OfficeParameters):
    """Parameters of `beacon-capture`."""

    server: Address = Field(description="where the beacon calls")
    port: PortNumber = Field(description="and at which TCP port")
    at: When = Field(description="when it calls for the first time")
    period: Span = Field(default=timedelta(minutes=1), description="how long between two calls")
    jitter: Portion = Field(
        default=Fraction(1, 10), description="how far a pause differs from that, at most"
    )
    for_: Span = Field(
        default=timedelta(hours=1), alias="for", description="how long after `at` the capture ends"
    )
    since: Span = Field(default=timedelta(minutes=10), description="how long before `at` it begins")
    client: Address | None = Field(default=None, description="who calls; else a desk of the office")
    others: OtherAddresses = Field(
        default=(), max_length=50, description="who calls as well, from within a `period` on"
    )
    name: Domain | None = Field(
        default=None, description="by which name the server is looked up before each call"
    )
    resolver: Address | None = Field(
        default=None, description="who is asked for names; else the office's own"
    )


def make(given: BeaconCapture, scene: Scene) -> Iterator[Made]:
    """Yield the capture."""
    since, until = scene.window(given.at, before=given.since, after=given.for_)
    if (until - given.at) / given.period * (1 + len(given.others)) > _MOST_BEACONS:
        message = f"a beacon calls more than {_MOST_BEACONS} times; take a longer period"
        raise GenerationFailedError(message, place=("period",))
    client = given.client or scene.office.people[0].address
    calls = (_calls(scene, given, caller, until) for caller in (client, *given.others))
    frames = chain(chain.from_iterable(calls), _noise(given, scene, since, until))
    content, last = capture(frame for frame in frames if frame[0] <= _micro(until))
    yield Made(content=content, mtime=_EPOCH + timedelta(microseconds=last))


def _micro(at: datetime) -> int:
    return int(at.timestamp()) * _MICRO


def _calls(
    scene: Scene, given: BeaconCapture, caller: IPv4Address, until: datetime
) -> Iterator[Frame]:
    dice, server = scene.dice, End(address=given.server, port=given.port)
    at, period = _micro(given.at), given.period // timedelta(microseconds=1)
    jitter = int(period * given.jitter)
    if caller in given.others:
        at += dice.between(_MICRO, max(period, _MICRO))
    while at <= _micro(until):
        call = at
        if given.name is not None:
            found = given.name, given.server
            yield from _lookup(dice, caller, _resolver(given, scene), at, found)
            call += dice.between(20_000, 60_000)
        yield from _call(dice, caller, server, call)
        at += max(period + dice.between(-jitter, jitter), _MICRO)


def _resolver(given: BeaconCapture, scene: Scene) -> IPv4Address:
    return given.resolver or scene.office.server("dns")


def _call(dice: Dice, client: IPv4Address, server: End, at: int) -> Iterator[Frame]:
    said = ((True, dice.data(dice.between(48, 64))), (False, dice.data(dice.between(16, 24))))
    yield from _conversation(dice, client, server).frames(at, said)


def _conversation(dice: Dice, client: IPv4Address, server: End) -> Conversation:
    return Conversation(
        client=End(address=client, port=dice.between(32_768, 60_999)),
        server=server,
        sequence=dice.below(1 << 32),
        number=dice.below(1 << 16),
        pause=dice.between(4_000, 20_000),
    )


def _noise(given: BeaconCapture, scene: Scene, since: datetime, until: datetime) -> Iterator[Frame]:
    """Yield what people do meanwhile: they look up a site and read a page of it."""
    dice, sites = scene.dice, list(scene.office.sites.items())
    length = int((until - since).total_seconds())
    for _ in range(length * AMOUNT[given.noise] * _VISITS_AN_HOUR // 3600):
        at = _micro(since) + dice.below(length * _MICRO)
        person = dice.pick(scene.office.people).address
        name, address = dice.pick(sites)
        yield from _lookup(dice, person, _resolver(given, scene), at, (name, address))
        page = _page(dice, name)
        talk = _conversation(dice, person, End(address=address, port=_HTTP))
        yield from talk.frames(at + dice.between(20_000, 60_000), page)


def _lookup(
    dice: Dice, client: IPv4Address, server: IPv4Address, at: int, found: tuple[str, IPv4Address]
) -> Iterator[Frame]:
    number, name = dice.below(1 << 16), found[0]
    mine, theirs = (
        End(address=client, port=dice.between(32_768, 60_999)),
        End(address=server, port=_DNS),
    )
    yield datagram(at, mine, theirs, dns_question(number, name), number=dice.below(1 << 16))
    answer = dns_answer(number, *found)
    later = at + dice.between(800, 15_000)
    yield datagram(later, theirs, mine, answer, number=dice.below(1 << 16))


def _page(dice: Dice, name: str) -> tuple[tuple[bool, bytes], ...]:
    path = dice.pick(("/", "/news", "/index.html", "/style.css", "/logo.png", "/search?q=hours"))
    text = "".join(f"<p>{dice.pick(SENTENCES)}</p>\n" for _ in range(dice.below(60)))
    body = f"<!doctype html>\n<title>{name}</title>\n{text}".encode()
    asked = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
    return (True, asked.encode()), (False, head.encode() + body)


GENERATOR = Generator(
    summary="pcap: a beacon that calls a server, among people who browse",
    example="{to: /evidence/edge.pcap, generate: beacon-capture,"
    ' with: {server: "{{ hosts.c2.ip }}", port: "{{ values.c2_port }}", period: 45s,'
    ' at: "{{ values.intrusion }}"}}',
    parameters=BeaconCapture,
    make=make,
)
