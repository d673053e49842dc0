import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.scenario.generators.scene import GenerationFailedError
from tests.unit.core.scenario.generators.making import AT, START, make_one

SERVER = IPv4Address("198.51.100.200")
SYN, ACK = 0x02, 0x10


@dataclass(frozen=True)
class Packet:
    at: datetime
    source: IPv4Address
    target: IPv4Address
    protocol: int
    body: bytes

    @property
    def port(self) -> int:
        return int.from_bytes(self.body[2:4], "big")

    @property
    def opens(self) -> bool:
        return self.protocol == 6 and self.body[13] & (SYN | ACK) == SYN


def ones_sum(data: bytes) -> int:
    """Add up 16 bits at a time, with the carry, as RFC 1071 says it."""
    total = 0
    for (word,) in struct.iter_unpack(">H", data + b"\0" * (len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


def packets(content: bytes) -> Iterator[Packet]:
    """Read a capture; a wrong checksum or length fails the test."""
    assert content[:4] == bytes.fromhex("d4c3b2a1")
    assert struct.unpack_from("<HH", content, 4) == (2, 4)
    place = 24
    while place < len(content):
        seconds, micro, length, original = struct.unpack_from("<IIII", content, place)
        frame = content[place + 16 : place + 16 + length]
        place += 16 + length
        assert length == original == len(frame)
        assert frame[12:14] == b"\x08\x00"
        head, body = frame[14:34], frame[34:]
        assert ones_sum(head) == 0xFFFF
        assert int.from_bytes(head[2:4], "big") == 20 + len(body)
        pseudo = head[12:20] + bytes([0, head[9]]) + len(body).to_bytes(2, "big")
        assert ones_sum(pseudo + body) == 0xFFFF
        yield Packet(
            at=datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micro),
            source=IPv4Address(head[12:16]),
            target=IPv4Address(head[16:20]),
            protocol=head[9],
            body=body,
        )


@settings(max_examples=10)
@given(st.binary(), st.integers(20, 300), st.integers(0, 50))
def test_it_calls_every_period_give_or_take_the_jitter(key: bytes, period: int, share: int) -> None:
    made = make_one(
        "beacon-capture", key=key, period=f"{period}s", jitter=f"{share}%", for_="20m", noise="low"
    )
    found = list(packets(made.content))
    assert [p.at for p in found] == sorted(p.at for p in found)
    assert abs(made.mtime - found[-1].at) < timedelta(milliseconds=1)
    calls = [p for p in found if p.opens and p.target == SERVER]
    assert {p.port for p in calls} == {24_601}
    assert calls[0].at == AT
    pauses = [(b.at - a.at).total_seconds() for a, b in pairwise(calls)]
    most = period * share / 100 + 0.001
    assert all(abs(pause - period) <= most for pause in pauses)
    assert 1200 / (period + most) - 1 <= len(calls) <= 1200 / (period - most) + 2
    assert all(p.at <= AT + timedelta(minutes=20) for p in found)


def test_between_the_calls_people_look_up_names_and_read_pages() -> None:
    found = list(packets(make_one("beacon-capture", noise="high", network="10.4.0.0/24").content))
    inside = IPv4Network("10.4.0.0/24")
    assert len([p for p in found if p.protocol == 17 and p.port == 53]) > 50
    pages = [p for p in found if p.opens and p.port == 80]
    assert len(pages) > 50
    assert {p.source for p in pages} <= set(inside)
    assert all((p.source in inside) != (p.target in inside) or p.protocol == 17 for p in found)


def test_what_is_said_in_a_connection_is_acknowledged() -> None:
    found = list(packets(make_one("beacon-capture", noise="none").content))
    port = int.from_bytes(found[0].body[:2], "big")
    one = [p for p in found if port in {p.port, int.from_bytes(p.body[:2], "big")}]
    mine = [p for p in one if p.target == SERVER]
    sent = sum(len(p.body) - (p.body[12] >> 4) * 4 for p in mine)
    first, last = (int.from_bytes(p.body[4:8], "big") for p in (mine[0], mine[-1]))
    assert (last - first) % 2**32 == sent + 2  # a SYN and a FIN count as one byte each
    assert sent > 40


def test_the_client_may_be_a_host() -> None:
    made = make_one("beacon-capture", client="10.213.0.4")
    calls = [p for p in packets(made.content) if p.opens and p.target == SERVER]
    assert {p.source for p in calls} == {IPv4Address("10.213.0.4")}


def test_others_call_as_well_each_from_within_a_period_on() -> None:
    others = ["10.213.0.5", "10.213.0.6"]
    made = make_one("beacon-capture", client="10.213.0.4", others=others, jitter="0%")
    calls = [p for p in packets(made.content) if p.opens and p.target == SERVER]
    begun = {str(p.source): p.at for p in reversed(calls)}
    assert begun.pop("10.213.0.4") == AT
    assert sorted(begun) == others
    assert all(AT < at <= AT + timedelta(minutes=1) for at in begun.values())


def test_the_server_may_be_looked_up_by_name_before_each_call() -> None:
    given = {"name": "cdn-sync.example", "resolver": "10.213.0.2", "noise": "low"}
    found = list(packets(make_one("beacon-capture", **given).content))
    asked = [p for p in found if p.protocol == 17 and b"\x08cdn-sync\x07example" in p.body]
    asked = [p for p in asked if p.port == 53]
    calls = [p for p in found if p.opens and p.target == SERVER]
    assert {p.target for p in found if p.port == 53} == {IPv4Address("10.213.0.2")}
    assert len(asked) == len(calls)
    assert all(a.at < c.at and a.source == c.source for a, c in zip(asked, calls, strict=True))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"period": "1s", "for_": "20h"}, "more than 5000 times"),
        ({"noise": "high", "since": "40d"}, "past the limit of 8 MiB"),
    ],
)
def test_a_capture_that_would_be_too_large_is_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(GenerationFailedError, match=told):
        make_one("beacon-capture", **given)


def test_it_ends_when_the_story_starts() -> None:
    made = make_one("beacon-capture", for_="40h")
    assert START - timedelta(minutes=2) <= made.mtime <= START
