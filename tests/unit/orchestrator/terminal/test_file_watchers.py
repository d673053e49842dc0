"""What is written down of files that pass between a client and who serves the host's."""

import hashlib
import random
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.terminal.book import Direction
from orchestrator.terminal.files.scp_watch import ScpWatcher, parsed
from orchestrator.terminal.files.sftp_watch import SftpWatcher
from orchestrator.terminal.files.transfers import Passage, Transfer, absolute

CONTENT = random.Random(1).randbytes(100_000)  # reproducible, not secret
BY_ONE = CONTENT[:300]
TO_READ, TO_WRITE = 0x01, 0x1A
OK, END, NO_ROOM = 0, 1, 4


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def packet(kind: int, number: int | None, *parts: bytes) -> bytes:
    head = b"" if number is None else struct.pack(">I", number)
    return string(bytes([kind]) + head + b"".join(parts))


def opened(number: int, path: bytes, handle: bytes, how: int = TO_WRITE) -> list[tuple[str, bytes]]:
    return [
        ("client", packet(3, number, string(path), struct.pack(">II", how, 0))),
        ("host", packet(102, number, string(handle))),
    ]


def status(number: int, code: int) -> tuple[str, bytes]:
    return "host", packet(101, number, struct.pack(">I", code), string(b""), string(b""))


def write(
    number: int, handle: bytes, offset: int, data: bytes, code: int = OK
) -> list[tuple[str, bytes]]:
    head = string(handle) + struct.pack(">Q", offset)
    return [("client", packet(6, number, head, string(data))), status(number, code)]


def read(number: int, handle: bytes, offset: int, data: bytes) -> list[tuple[str, bytes]]:
    wanted = struct.pack(">QI", offset, 32768)
    answer = ("host", packet(103, number, string(data))) if data else status(number, END)
    return [("client", packet(5, number, string(handle), wanted)), answer]


def closed(number: int, handle: bytes, code: int = OK) -> list[tuple[str, bytes]]:
    return [("client", packet(4, number, string(handle))), status(number, code)]


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
        *opened(5, b"taken", b"h2", TO_READ),
        *read(6, b"h2", 0, BY_ONE), *read(7, b"h2", len(BY_ONE), b""), *closed(8, b"h2"),
    ]  # fmt: skip
    assert seen(conversation, SftpWatcher, size) == [
        Transfer(
            direction=Direction.TO_HOST,
            path="/tmp/put",
            size=len(CONTENT),
            sha256=digest(CONTENT),
            whole=True,
        ),
        Transfer(
            direction=Direction.FROM_HOST,
            path="taken",
            size=300,
            sha256=digest(BY_ONE),
            whole=True,
        ),
    ]


PUT, TAKEN = opened(1, b"f", b"h"), opened(1, b"f", b"h", TO_READ)
ALL = CONTENT[:40_000]
# As OpenSSH takes a file: the end shows behind it first, and then right after its last byte.
READS = [
    *read(2, b"h", 0, ALL[:32768]), *read(3, b"h", 32768, ALL[32768:]), *read(4, b"h", 65536, b""),
]  # fmt: skip
CLOSES = closed(9, b"h")
WHOLE = {
    "put": [*PUT, *write(2, b"h", 0, BY_ONE), *CLOSES],
    "an empty file put": [*PUT, *CLOSES],
    "taken": [*TAKEN, *READS, *CLOSES],
    "an empty file taken": [*TAKEN, *read(2, b"h", 0, b""), *CLOSES],
    "closed before the host agreed to a write": [
        *PUT, write(2, b"h", 0, BY_ONE)[0], CLOSES[0], status(2, OK), CLOSES[1],
    ],
}  # fmt: skip
NOT_WHOLE = {
    "put, and the client went": [*PUT, *write(2, b"h", 0, BY_ONE)],
    "put, and the host did not say that it is closed": [
        *PUT, *write(2, b"h", 0, BY_ONE), CLOSES[0],
    ],
    "put where it could not be closed": [
        *PUT, *write(2, b"h", 0, BY_ONE), *closed(9, b"h", NO_ROOM),
    ],
    "put where there was no room": [
        *PUT, *write(2, b"h", 0, BY_ONE), *write(3, b"h", 300, BY_ONE, NO_ROOM), *CLOSES,
    ],
    "put from its middle on": [*PUT, *write(2, b"h", 300, BY_ONE), *CLOSES],
    "taken, and the client went": [*TAKEN, *READS],
    "taken, and left before its end": [*TAKEN, *READS[:2], *CLOSES],
    "taken, with a look far beyond": [*TAKEN, *READS[:2], *read(4, b"h", 2**30, b""), *CLOSES],
}  # fmt: skip


@pytest.mark.parametrize("conversation", WHOLE.values(), ids=WHOLE.keys())
def test_what_both_sides_brought_to_its_end_is_whole(conversation: list[tuple[str, bytes]]) -> None:
    (told,) = seen(conversation, SftpWatcher)
    assert told.whole


@pytest.mark.parametrize("conversation", NOT_WHOLE.values(), ids=NOT_WHOLE.keys())
def test_what_was_cut_refused_or_left_is_not_whole(conversation: list[tuple[str, bytes]]) -> None:
    (told,) = seen(conversation, SftpWatcher)
    assert told.size
    assert not told.whole


def test_a_file_that_was_opened_and_left_alone_is_not_told() -> None:
    assert seen([*TAKEN, *CLOSES], SftpWatcher) == []
    assert seen(PUT, SftpWatcher) == []


@pytest.mark.parametrize("first", [100, 0])
def test_bytes_out_of_order_have_no_digest(first: int) -> None:
    conversation = [
        *opened(1, b"file", b"h"), *write(2, b"h", first, BY_ONE), *write(3, b"h", 0, BY_ONE),
        *closed(4, b"h"),
    ]  # fmt: skip
    (told,) = seen(conversation, SftpWatcher)
    assert (told.size, told.sha256) == (600, "")


@pytest.mark.parametrize("again", [0, 20_000, 32768])
def test_bytes_that_are_asked_for_again_harm_nothing(again: int) -> None:
    first, *rest = [read(2, b"h", 0, ALL[:32768]), read(3, b"h", 32768, ALL[32768:])]
    repeated = read(4, b"h", again, ALL[again : again + 32768])
    for order in ([first, repeated, *rest], [first, *rest, repeated]):
        pieces = [step for piece in order for step in piece]
        (told,) = seen([*TAKEN, *pieces, *read(5, b"h", len(ALL), b""), *CLOSES], SftpWatcher)
        assert (told.size, told.sha256, told.whole) == (len(ALL), digest(ALL), True)


def test_requests_under_way_together_are_told_apart() -> None:
    first, second = CONTENT[:32768], CONTENT[32768:65536]
    one, two = read(2, b"h", 0, first), read(3, b"h", 32768, second)
    conversation = [*TAKEN, one[0], two[0], one[1], two[1], *closed(4, b"h")]
    (told,) = seen(conversation, SftpWatcher)
    assert told.sha256 == digest(first + second)


def test_asking_beyond_the_end_harms_no_digest() -> None:
    passage = Passage(direction=Direction.FROM_HOST, path=b"f")
    for offset, data in ((0, BY_ONE), (32768, b""), (len(BY_ONE), b"")):
        passage.passed(offset, data)
    assert passage.transfer(whole=True).sha256 == digest(BY_ONE)


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


@pytest.mark.parametrize(
    ("path", "from_the_root"),
    [
        ("/srv/x", "/srv/x"),
        ("notes", "/home/ana/notes"),
        ("./a/../b", "/home/ana/b"),
        ("../../../etc/x", "/etc/x"),
        ("//srv//x/", "/srv/x"),
        ("", "/home/ana"),
    ],
)
def test_a_path_is_told_from_the_root_on(path: str, from_the_root: str) -> None:
    assert absolute(path, start="/home/ana") == from_the_root


def scp(command: str, *, is_folder: bool = False) -> Callable[..., ScpWatcher]:
    found = parsed(command)
    assert found
    return lambda told: ScpWatcher(replace(found, is_folder=is_folder), told)


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
    told = seen(conversation, scp("scp -r -p -d -t there/", is_folder=True), size)
    assert [(one.path, one.size, one.sha256, one.whole) for one in told] == [
        ("there/one", 300, digest(BY_ONE), True),
        ("there/deep/empty", 0, digest(b""), True),
        ("there/two words", 5, digest(b"hello"), True),
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
    assert {(one.direction, one.whole) for one in told} == {(Direction.FROM_HOST, True)}


HELLO = sent("client", b"C0644 5 name\n", b"hello")


@pytest.mark.parametrize(
    ("conversation", "size"),
    [
        ([*HELLO[:2], ("client", b"he")], 2),
        (HELLO[:3], 5),
        ([*HELLO[:3], ("host", b"\1scp: no room\n")], 5),
        ([*HELLO[:2], ("client", b"hello\1scp: it shrank\n")], 5),
    ],
    ids=["cut", "without an answer", "refused", "taken back"],
)
def test_what_old_scp_did_not_bring_to_its_end_is_not_whole(
    conversation: list[tuple[str, bytes]], size: int
) -> None:
    (told,) = seen(conversation, scp("scp -t there"))
    assert (told.size, told.whole) == (size, False)


@pytest.mark.parametrize(
    ("command", "is_folder", "path"),
    [
        ("scp -t there", False, "there"),
        ("scp -t there", True, "there/name"),
        ("scp -t .", True, "./name"),
        ("scp -t '~'", True, "./name"),
        ("scp -t '~/there'", False, "there"),
        ("scp -t -- -dir/", True, "-dir/name"),
    ],
)
def test_a_target_is_a_folder_when_the_host_has_one_there(
    *, command: str, is_folder: bool, path: str
) -> None:
    (told,) = seen(HELLO, scp(command, is_folder=is_folder))
    assert told.path == path


@pytest.mark.parametrize(("is_folder", "path"), [(True, "new/tree/name"), (False, "new/name")])
def test_a_folder_that_is_copied_gets_the_name_of_a_target_that_is_not_there(
    *, is_folder: bool, path: str
) -> None:
    conversation = [*sent("client", b"D0755 0 tree\n", b"")[:2], *HELLO]
    (told,) = seen(conversation, scp("scp -r -t new", is_folder=is_folder))
    assert told.path == path


def test_a_folder_that_is_taken_is_told_with_its_name_once() -> None:
    folder = [("client", b"\0"), *sent("host", b"D0755 0 tree\n", b"")[:2]]
    (told,) = seen(
        [*folder, *sent("host", b"C0644 5 name\n", b"hello")], scp("scp -r -f /srv/tree/")
    )
    assert told.path == "/srv/tree/name"


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
