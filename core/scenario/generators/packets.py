"""Packets as they cross a wire, and captures of them: Ethernet, IPv4, TCP and UDP, libpcap 2.4."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from operator import itemgetter

from core.scenario.generators.scene import MAX_BYTES, GenerationFailedError

Frame = tuple[int, bytes]
"""Microseconds since 1970, and what was seen then."""

_FILE_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)  # 1: Ethernet
_RECORD = struct.Struct("<IIII")
_IP = struct.Struct(">BBHHHBBH4s4s")
_TCP = struct.Struct(">HHIIBBHHH")
_UDP = struct.Struct(">HHHH")
_TCP_PROTOCOL, _UDP_PROTOCOL = 6, 17
_FIN, _SYN, _PSH, _ACK = 0x01, 0x02, 0x08, 0x10
_DONT_FRAGMENT, _TTL, _WINDOW = 0x4000, 64, 64_240
_SEGMENT = 1460
_MSS = struct.pack(">BBH", 2, 4, _SEGMENT)
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a conversation."""

    address: IPv4Address
    port: int


def capture(frames: Iterable[Frame]) -> tuple[bytes, int]:
    """Return a capture file of the frames, in order, and when the last one was seen.

    Raises GenerationFailedError as soon as it is past 8 MiB.
    """
    kept, size = list[Frame](), 0
    for frame in frames:
        kept.append(frame)
        size += len(frame[1]) + _RECORD.size
        if size > MAX_BYTES:
            raise GenerationFailedError(f"the capture is past the limit of {MAX_BYTES >> 20} MiB")
    kept.sort(key=itemgetter(0))
    parts = [_FILE_HEADER]
    for at, data in kept:
        parts += [_RECORD.pack(at // _MICRO, at % _MICRO, len(data), len(data)), data]
    return b"".join(parts), kept[-1][0]


def datagram(at: int, source: End, target: End, payload: bytes, *, number: int) -> Frame:
    """Return a UDP datagram; `number` is its identification."""
    head = _UDP.pack(source.port, target.port, _UDP.size + len(payload), 0)
    summed = _summed(source, target, _UDP_PROTOCOL, head + payload)
    body = head[:6] + struct.pack(">H", summed or 0xFFFF) + payload
    return at, _framed(source, target, _UDP_PROTOCOL, body, number)


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A TCP connection from its handshake to its end; `pause` is how long a packet travels."""

    client: End
    server: End
    sequence: int
    number: int
    pause: int

    def frames(self, at: int, said: Sequence[tuple[bool, bytes]]) -> Iterator[Frame]:
        """Yield the packets; `said` is who speaks (the client if true) and what, in turn."""
        places = {True: self.sequence, False: self.sequence ^ 0x5A5A_5A5A}
        for mine, flags in ((True, _SYN), (False, _SYN | _ACK), (True, _ACK)):
            yield at, self._segment(places, mine=mine, flags=flags)
            places[mine] += bool(flags & _SYN)
            at += self.pause
        for mine, payload in said:
            for start in range(0, len(payload), _SEGMENT):
                part = payload[start : start + _SEGMENT]
                yield at, self._segment(places, mine=mine, flags=_PSH | _ACK, payload=part)
                places[mine] += len(part)
                at += self.pause
                yield at, self._segment(places, mine=not mine, flags=_ACK)
            at += self.pause
        for mine, flags in ((True, _FIN | _ACK), (False, _FIN | _ACK), (True, _ACK)):
            yield at, self._segment(places, mine=mine, flags=flags)
            places[mine] += bool(flags & _FIN)
            at += self.pause

    def _segment(
        self, places: dict[bool, int], *, mine: bool, flags: int, payload: bytes = b""
    ) -> bytes:
        source, target = (self.client, self.server) if mine else (self.server, self.client)
        options = _MSS if flags & _SYN else b""
        heard = places[not mine] if flags & _ACK else 0
        head = _TCP.pack(
            source.port,
            target.port,
            places[mine] & 0xFFFF_FFFF,
            heard & 0xFFFF_FFFF,
            (_TCP.size + len(options)) << 2,
            flags,
            _WINDOW,
            0,
            0,
        )
        body = bytearray(head + options + payload)
        struct.pack_into(">H", body, 16, _summed(source, target, _TCP_PROTOCOL, bytes(body)))
        self.number += 1
        return _framed(source, target, _TCP_PROTOCOL, bytes(body), self.number)


def _framed(source: End, target: End, protocol: int, body: bytes, number: int) -> bytes:
    head = bytearray(
        _IP.pack(
            0x45,
            0,
            _IP.size + len(body),
            number & 0xFFFF,
            _DONT_FRAGMENT,
            _TTL,
            protocol,
            0,
            source.address.packed,
            target.address.packed,
        )
    )
    struct.pack_into(">H", head, 10, _checksum(bytes(head)))
    return _card(target) + _card(source) + b"\x08\x00" + bytes(head) + body


def _card(end: End) -> bytes:
    """Return a hardware address: the machine's own inside, the router's for all that is outside."""
    return b"\x02\x42" + (end.address.packed if end.address.is_private else b"\x0a\x00\x00\x01")


def _summed(source: End, target: End, protocol: int, body: bytes) -> int:
    pseudo = struct.pack(
        ">4s4sBBH", source.address.packed, target.address.packed, 0, protocol, len(body)
    )
    return _checksum(pseudo + body)


def _checksum(data: bytes) -> int:
    """Return the internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    # Sixteen bits at a time is the same as all at once, modulo 0xFFFF.
    total = int.from_bytes(data, "big") % 0xFFFF
    return (~total & 0xFFFF) if total or not any(data) else 0


def dns_question(number: int, name: str) -> bytes:
    """Return a query for a name's IPv4 address."""
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + _question(name)


def dns_answer(number: int, name: str, address: IPv4Address) -> bytes:
    """Return the answer to it."""
    answer = struct.pack(">HHHIH4s", 0xC00C, 1, 1, 300, 4, address.packed)
    return struct.pack(">HHHHHH", number, 0x8180, 1, 1, 0, 0) + _question(name) + answer


def _question(name: str) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return labels + b"\0" + struct.pack(">HH", 1, 1)
