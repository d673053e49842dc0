"""Many clients of one HTTP service, with as little of their own as can be measured beside it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Taken:
    """How long answers took, in seconds, and how many had which status."""

    seconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    wall: float = 0.0

    def note(self, took: float, status: int) -> None:
        """Count one answer."""
        self.seconds.append(took)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def percentile(self, share: float) -> float:
        """Return the time within which such a share of the answers came, in milliseconds."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, headers and body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One connection that is kept open, as a browser does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def opened(cls, port: int) -> "Connection":
        """Return a connection to this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=4 << 20))

    async def ask(self, method: str, path: str, headers: str, body: bytes = b"") -> Answer:
        """Send a request and return what came back; `headers` are lines that end in CRLF."""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{headers}{length}\r\n"
        self._writer.write(head.encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        told = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        size = int(told.get("content-length", "0"))
        got = await self._reader.readexactly(size) if size else b""
        return Answer(int(lines[0].split()[1]), told, got)


Act = Callable[[Connection, int], Awaitable[int]]


async def as_fast_as_they_can(port: int, clients: int, seconds: float, act: Act) -> Taken:
    """Let so many clients act one time after another, each on a connection of its own."""
    taken, end = Taken(), time.perf_counter() + seconds

    async def client(number: int) -> None:
        connection = await Connection.opened(port)
        while (begun := time.perf_counter()) < end:
            status = await act(connection, number)
            taken.note(time.perf_counter() - begun, status)

    begun = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    taken.wall = time.perf_counter() - begun
    return taken


async def at_a_rate(port: int, rate: float, seconds: float, act: Act, *, clients: int) -> Taken:
    """Act so many times a second; a time counts from when it was due, not from when it began."""
    taken, begun = Taken(), time.perf_counter()
    due = iter(range(int(rate * seconds)))

    async def client() -> None:
        connection = await Connection.opened(port)
        for number in due:
            at = begun + number / rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            status = await act(connection, number)
            taken.note(time.perf_counter() - at, status)

    await asyncio.gather(*(client() for _ in range(clients)))
    taken.wall = time.perf_counter() - begun
    return taken
