"""What is written down of files that pass between a client and the host's own programs."""

import hashlib
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.terminal.book import Direction
from orchestrator.terminal.files.scp_watch import ScpWatcher, parsed
from orchestrator.terminal.files.sftp_watch import SftpWatcher
from orchestrator.terminal.files.transfers import Passage, Transfer

CONTENT = random.Random(1).randbytes(100_000)  # reproducible, not secret
BY_ONE = CONTENT[:300]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def packet(kind: int, number: int | None, *parts: bytes) -> bytes:
    head = b"" if number is None else struct.pack(">I", number)
    return string(bytes([kind]) + head + b"".join(parts))


def opened(number: int, path: bytes, handle: bytes) -> list[tuple[str, bytes]]:
    return [
        ("client", packet(3, number, string(path), struct.pack(">II", 26, 0))),
        ("host", packet(102, number, string(handle))),
    ]


def write(number: int, handle: bytes, offset: int, data: bytes) -> list[tuple[str, bytes]]:
    return [
        ("client", packet(6, number, string(handle), struct.pack(">Q", offset), string(data))),
        ("host", packet(101, number, struct.pack(">I", 0), string(b""), string(b""))),
    ]


def read(number: int, handle: bytes, offset: int, data: bytes) -> list[tuple[str, bytes]]:
    wanted = struct.pack(">QI", offset, 32768)
    answer = packet(103, number, string(data)) if data else packet(101, number, bytes(4))
    return [("client", packet(5, number, string(handle), wanted)), ("host", answer)]


def closed(number: int, handle: bytes) -> list[tuple[str, bytes]]:
    return [("client", packet(4, number, string(handle)))]


GREETING = [("client", packet(1, None, bytes([0, 0, 0, 3]))), ("host", packet(2, None, bytes(4)))]
LISTING = [
    ("client", packet(11, 90, string(b"/"))),
    ("host", packet(102, 90, string(b"dir"))),
    ("client", packet(12, 91, string(b"dir"))),
    ("host", packet(104, 91, bytes(4000))),
]


def seen(
    conversation: list[tuple[str, bytes]], make: Callable[..., object], size: int = 65536
) -> list[Transfer]:
    """Return what a watcher tells of a conversation that comes in pieces of `size` bytes."""
    told: list[Transfer] = []
    watcher = make(told.append)
    assert isinstance(watcher, SftpWatcher | ScpWatcher)
    for side, data in conversation:
        see = watcher.from_client if side == "client" else watcher.from_host
        for start in range(0, len(data), size):
            see(data[start : start + size])
    watcher.ended()
    return told


@pytest.mark.parametrize("size", [1, 7, 65536])
def test_a_put_and_a_taken_file_are_told_with_size_and_digest(size: int) -> None:
    conversation = [
        *GREETING, *LISTING,
        *opened(1, b"/tmp/put", b"h1"),
        *write(2, b"h1", 0, CONTENT[:30_000]), *write(3, b"h1", 30_000, CONTENT[30_000:]),
        *closed(4, b"h1"),
        *opened(5, b"taken", b"h2"),
        *read(6, b"h2", 0, BY_ONE), *read(7, b"h2", len(BY_ONE), b""), *closed(8, b"h2"),
    ]  # fmt: skip
    assert seen(conversation, SftpWatcher, size) == [
        Transfer(
            direction=Direction.TO_HOST,
            path="/tmp/put",
            size=len(CONTENT),
            sha256=digest(CONTENT),
        ),
        Transfer(
            direction=Direction.FROM_HOST, path="taken", size=300, sha256=digest(BY_ONE)
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("first", [100, 0])
def test_bytes_out_of_order_have_no_digest(first: int) -> None:
    conversation = [
        *opened(1, b"file", b"h"), *write(2, b"h", first, BY_ONE), *write(3, b"h", 0, BY_ONE),
        *closed(4, b"h"),
    ]  # fmt: skip
    (told,) = seen(conversation, SftpWatcher)
    assert (told.size, told.sha256) == (600, "")


def test_requests_under_way_together_are_told_apart() -> None:
    first, second = CONTENT[:32768], CONTENT[32768:65536]
    one, two = read(2, b"h", 0, first), read(3, b"h", 32768, second)
    conversation = [*opened(1, b"f", b"h"), one[0], two[0], one[1], two[1], *closed(4, b"h")]
    (told,) = seen(conversation, SftpWatcher)
    assert told.sha256 == digest(first + second)


def test_asking_beyond_the_end_harms_no_digest() -> None:
    passage = Passage(direction=Direction.FROM_HOST, path=b"f")
    for offset, data in ((0, BY_ONE), (32768, b""), (len(BY_ONE), b"")):
        passage.passed(offset, data)
    assert passage.transfer().sha256 == digest(BY_ONE)


def test_what_was_open_when_the_client_went_is_told_as_far_as_it_came() -> None:
    (told,) = seen([*opened(1, b"f", b"h"), *write(2, b"h", 0, BY_ONE)], SftpWatcher)
    assert (told.size, told.sha256) == (300, digest(BY_ONE))


def test_a_path_that_is_no_text_is_written_readably() -> None:
    (told,) = seen([*opened(1, b"\xff\n", b"h"), *write(2, b"h", 0, b"x")], SftpWatcher)
    assert told.path == "\\xff\n"


HOSTILE = {
    "a path longer than a path can be": packet(3, 1, string(b"p" * 5000)),
    "a string beyond its packet": packet(4, 1, struct.pack(">I", 100)),
    "a packet too short for its kind": struct.pack(">IBI", 2, 5, 0) + bytes(64),
    "a length of zero": bytes(64),
    "data beyond its packet": packet(6, 9, string(b"h"), bytes(8), struct.pack(">I", 2**31)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_packets_that_cannot_be_end_the_watching_and_nothing_else(data: bytes) -> None:
    before = [*opened(1, b"f", b"h"), *write(2, b"h", 0, BY_ONE)]
    after = [("client", data), *opened(7, b"later", b"l"), *write(8, b"l", 0, b"x")]
    assert [told.path for told in seen([*before, *after], SftpWatcher)] == ["f"]


def test_endless_requests_and_handles_are_not_remembered_without_end() -> None:
    told: list[Transfer] = []
    watcher = SftpWatcher(told.append)
    most = 0
    for number in range(10_000):
        watcher.from_client(packet(3, number, string(b"f"), bytes(8)))
        most = max(most, len(watcher._asked))
    assert 0 < most < 5000
    assert not watcher._asked


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=64)), max_size=20))
def test_no_bytes_make_the_sftp_watcher_fail(pieces: list[tuple[bool, bytes]]) -> None:
    watcher = SftpWatcher(lambda _transfer: None)
    for from_client, data in pieces:
        (watcher.from_client if from_client else watcher.from_host)(data)
    watcher.ended()


def scp(command: str) -> Callable[..., ScpWatcher]:
    found = parsed(command)
    assert found
    return lambda told: ScpWatcher(found, told)


def sent(mine: str, line: bytes, data: bytes, *, reply: bytes = b"\0") -> list[tuple[str, bytes]]:
    other = "host" if mine == "client" else "client"
    body = [(mine, data + b"\0"), (other, b"\0")] if reply == b"\0" else []
    return [(mine, line), (other, reply), *body]


@pytest.mark.parametrize("size", [1, 7, 65536])
def test_old_scp_to_the_host_is_told_file_by_file(size: int) -> None:
    conversation = [
        ("host", b"\0"),
        *sent("client", b"T1 0 2 0\n", b"")[:2],
        *sent("client", b"C0644 300 one\n", BY_ONE),
        *sent("client", b"D0755 0 deep\n", b"")[:2],
        *sent("client", b"C0644 7 refused\n", b"", reply=b"\1scp: no room\n"),
        *sent("client", b"C0644 0 empty\n", b""),
        *sent("client", b"E\n", b"")[:2],
        *sent("client", b"C0644 5 two words\n", b"hello"),
    ]
    told = seen(conversation, scp("scp -r -p -d -t there/"), size)
    assert [(one.path, one.size, one.sha256) for one in told] == [
        ("there/one", 300, digest(BY_ONE)),
        ("there/deep/empty", 0, digest(b"")),
        ("there/two words", 5, digest(b"hello")),
    ]
    assert {one.direction for one in told} == {Direction.TO_HOST}


def test_old_scp_from_the_host_is_told_by_what_it_sends() -> None:
    conversation = [
        ("client", b"\0"),
        *sent("host", b"C0644 5 a.txt\n", b"hello"),
        ("host", b"\1scp: b.txt: Permission denied\n"),
        *sent("host", b"C0644 300 c.txt\n", BY_ONE),
    ]
    told = seen(conversation, scp("scp -f '/srv/*.txt'"))
    assert [(one.path, one.size) for one in told] == [("/srv/a.txt", 5), ("/srv/c.txt", 300)]
    assert {one.direction for one in told} == {Direction.FROM_HOST}


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("scp -t there", "there (name)"),
        ("scp -t dir/name", "dir/name"),
        ("scp -t .", "./name"),
        ("scp -d -t dir", "dir/name"),
        ("scp -t -- -dir/", "-dir/name"),
    ],
)
def test_a_target_that_may_be_a_name_or_a_folder_is_told_with_both(command: str, path: str) -> None:
    (told,) = seen(sent("client", b"C0644 5 name\n", b"hello"), scp(command))
    assert told.path == path


@pytest.mark.parametrize(
    "line", [b"C0644 -5 x\n", b"C0644 many x\n", b"C0644\n", b"what\n", b"x" * 9000]
)
def test_lines_that_cannot_be_end_the_watching_of_scp(line: bytes) -> None:
    conversation = [
        *sent("client", b"C0644 5 name\n", b"hello"),
        ("client", line),
        *sent("client", b"C0644 5 later\n", b"hello"),
    ]
    assert len(seen(conversation, scp("scp -t dir/"))) == 1


@pytest.mark.parametrize(
    "command", ["scp a b", "scp", "ls -t x", "scp -t 'x", "scp -r dir there", "echo scp -t x"]
)
def test_a_command_that_no_scp_client_sends_is_left_to_the_shell(command: str) -> None:
    assert parsed(command) is None


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=64)), max_size=20))
def test_no_bytes_make_the_scp_watcher_fail(pieces: list[tuple[bool, bytes]]) -> None:
    found = parsed("scp -t there")
    assert found
    watcher = ScpWatcher(found, lambda _transfer: None)
    for from_client, data in pieces:
        (watcher.from_client if from_client else watcher.from_host)(data)
    watcher.ended()
