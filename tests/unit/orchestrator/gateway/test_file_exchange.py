"""Who serves a client's files is known from the host's first line; until then all may happen."""

import asyncio
from typing import Any

import pytest
from asyncssh.logging import logger

from orchestrator.gateway.files import FileExchange
from orchestrator.terminal.files.scp_watch import parsed
from orchestrator.terminal.files.transfers import Transfer

STAND_IN = b"poligon-files sh - /home/ana\n"
# Of SFTP 3, each behind its length: which version is spoken; what is at /etc, as request 7.
HELLO = bytes.fromhex("00000005 01 00000003")
STAT = bytes.fromhex("0000000d 11 00000007 00000004") + b"/etc"


class Channel:
    """A channel of a client that has sent nothing, as far as the exchange uses it."""

    def __init__(self) -> None:
        self.logger = logger

    def get_encoding(self) -> tuple[None, str]:
        return None, "strict"

    def get_recv_window(self) -> int:
        return 2**20

    def get_extra_info(self, _name: str, _default: object = None) -> str:
        return ""

    def get_connection(self) -> None:
        return None

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def get_read_datatypes(self) -> set[int]:
        return set()

    def get_write_datatypes(self) -> set[int]:
        return set()

    def is_closing(self) -> bool:
        return True

    def __getattr__(self, _name: str) -> Any:  # noqa: ANN401  # of the library's class
        return lambda *_args, **_named: None


class Host:
    """The host's side, which answers nothing."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.ended = False

    def received(self, _data: bytes) -> None:
        self.asked.set()

    def received_eof(self) -> None:
        self.ended = True

    def client_full(self) -> None:
        return

    def client_drained(self) -> None:
        return


def an_exchange() -> tuple[FileExchange, Host]:
    host, channel = Host(), Channel()
    exchange = FileExchange(channel, channel, scp=None, told=lambda *_: None)  # type: ignore[arg-type]
    exchange.begin(host)
    return exchange, host


async def all_ends(host: Host) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert others
    await asyncio.wait_for(asyncio.gather(*others), 5)
    assert host.ended


@pytest.mark.parametrize(
    ("first", "path"),
    [
        (b"poligon-files own folder /home/ana\n", "/home/ana/notes/x"),
        (b"poligon-files own - /home/ana\n", "/home/ana/notes"),
    ],
)
def test_the_first_line_says_where_a_file_goes_also_when_it_comes_in_pieces(
    first: bytes, path: str
) -> None:
    told: list[Transfer] = []
    channel = Channel()
    exchange = FileExchange(channel, channel, scp=parsed("scp -t notes"), told=told.append)  # type: ignore[arg-type]
    exchange.begin(Host())
    for byte in first + b"\0":
        exchange.write(bytes([byte]))
    exchange.received(b"C0644 2 x\n")
    exchange.write(b"\0")
    exchange.received(b"hi\0")
    exchange.write(b"\0")
    assert [(one.path, one.size, one.whole) for one in told] == [(path, 2, True)]


@pytest.mark.parametrize("first", [b"poligon-files own\n", b"Welcome\n", b"x" * 8192])
def test_a_host_that_says_something_else_first_ends_the_session(first: bytes) -> None:
    ends: list[int] = []
    channel = Channel()
    channel.exit = ends.append  # type: ignore[attr-defined]
    exchange = FileExchange(channel, channel, scp=None, told=lambda *_: None)  # type: ignore[arg-type]
    exchange.begin(Host())
    exchange.write(first)
    assert ends == [255]


def test_a_client_that_is_gone_before_it_is_served_leaves_nothing_behind() -> None:
    async def story() -> None:
        exchange, host = an_exchange()
        exchange.gone()
        exchange.write(STAND_IN)
        await all_ends(host)

    asyncio.run(story())


def test_a_client_that_is_gone_while_the_host_is_asked_leaves_nothing_behind() -> None:
    async def story() -> None:
        exchange, host = an_exchange()
        exchange.write(STAND_IN)
        exchange.received(HELLO + STAT)
        await asyncio.wait_for(host.asked.wait(), 5)
        exchange.gone()
        await all_ends(host)

    asyncio.run(story())
