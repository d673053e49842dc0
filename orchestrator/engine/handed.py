"""A connection to a process that the engine handed over, and how it is handed on.

A broker hands on the connection itself, as a descriptor beside its answer (SCM_RIGHTS, unix(7)):
what a process says never passes through the broker. The connection on which it was asked for
stays as a lease: its end tells that the process was let go.
"""

import asyncio
import contextlib
import re
import socket
from dataclasses import dataclass

_HEAD_END = b"\r\n\r\n"
_EARLY = re.compile(rb"\r\nEarly: (\d{1,6})\r\n")
_MOST_IN_HEAD = 16 * 1024
_MOST_READ = 64 * 1024
_READER_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipe:
    """The way to a process, for reading and writing."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@dataclass(slots=True, kw_only=True)
class Handed:
    """A connection to a process; `early` is what came of it already."""

    connection: socket.socket
    early: bytes = b""
    lease: socket.socket | None = None

    async def pipe(self) -> Pipe:
        """Return the way to the process; the lease ends with it."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_READER_LIMIT, loop=loop)
        protocol = _Leased(reader, loop, self.lease)
        transport, _ = await loop.create_unix_connection(lambda: protocol, sock=self.connection)
        if self.early:
            reader.feed_data(self.early)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return Pipe(reader=reader, writer=writer)

    def close(self) -> None:
        """Let go of the process."""
        self.connection.close()
        if self.lease:
            self.lease.close()


class _Leased(asyncio.StreamReaderProtocol):
    """Ends a lease when the connection is closed."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        loop: asyncio.AbstractEventLoop,
        lease: socket.socket | None,
    ) -> None:
        super().__init__(reader, loop=loop)
        self._lease = lease

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._lease:
            self._lease.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """An answer's head, what came behind it, and the connection that came beside it."""

    head: bytes
    rest: bytes
    handed: socket.socket | None


async def receive_head(connection: socket.socket) -> Head:
    """Return the head of an answer. Raises OSError, EOFError, ValueError when it is none."""
    seen, handed = b"", list[int]()
    try:
        while _HEAD_END not in seen:
            if len(seen) > _MOST_IN_HEAD:
                raise ValueError("this is no answer: its head has no end")
            seen += await _receive(connection, handed)
        head, _, rest = seen.partition(_HEAD_END)
        head += _HEAD_END
        stated = _EARLY.search(head)
        while stated and len(rest) < int(stated[1]):
            rest += await _receive(connection, handed)
    except BaseException:
        _drop(handed)
        raise
    _drop(handed[1:])
    return Head(head=head, rest=rest, handed=_connection(handed[0]) if handed else None)


def hand_on(wire: socket.socket, process: Handed) -> None:
    """Answer on `wire`, to which nothing was written yet, with the connection to a process.

    Raises OSError.
    """
    head = (
        "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Early: {len(process.early)}\r\n\r\n"
    )
    # Less than a socket takes at once: what came early is one read at most.
    socket.send_fds(wire, [head.encode(), process.early], [process.connection.fileno()])


async def _receive(connection: socket.socket, handed: list[int]) -> bytes:
    """Return some bytes, and note the descriptors beside them; raises EOFError at the end."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            data, found, _, _ = socket.recv_fds(connection, _MOST_READ, 1)
        except BlockingIOError:
            await _readable(loop, connection)
            continue
        handed += found
        if not data:
            raise EOFError
        return data


async def _readable(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, tell)
    try:
        await ready
    finally:
        loop.remove_reader(connection)


def _connection(number: int) -> socket.socket:
    connection = socket.socket(fileno=number)
    connection.settimeout(0)
    return connection


def _drop(numbers: list[int]) -> None:
    for number in numbers:
        with contextlib.suppress(OSError):
            socket.socket(fileno=number).close()
