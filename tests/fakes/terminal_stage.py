"""A session between fake clients and a fake engine, as the tests of the terminal set it up."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from core.background import spawn
from core.errors import PoligonError
from core.ids import ExerciseId
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.ports import EngineRefusedError, HostGoneError
from orchestrator.terminal.attachment import Attachment
from orchestrator.terminal.chronicle import SessionChronicle
from orchestrator.terminal.commands import NOTHING_LEFT
from orchestrator.terminal.limits import TerminalLimits
from orchestrator.terminal.listening import Listener
from orchestrator.terminal.reaper import Reaper
from orchestrator.terminal.registry import LiveSessions
from orchestrator.terminal.session import Session
from orchestrator.terminal.stream import Chunk, ExecStream, TerminalEngine, TerminalSize
from orchestrator.terminal.surroundings import Surroundings
from orchestrator.terminal.turns import Turns
from orchestrator.terminal.visit import Visit
from tests.fakes.chronicle import FakeChronicle
from tests.fakes.clock import FakeClock

HOST = HostKey(world=WorldKey(exercise=ExerciseId("exercise"), team="team-1"), host="desk")
SIZE = TerminalSize(columns=80, rows=24)


@dataclass(kw_only=True)
class FakeClient:
    """A client that remembers everything it was told."""

    shown: bytes = b""
    errors: bytes = b""
    codes: list[int] = field(default_factory=list)
    paused: bool = False

    def write(self, data: bytes) -> None:
        self.shown += data

    def write_error(self, data: bytes) -> None:
        self.errors += data

    def exit(self, code: int) -> None:
        self.codes.append(code)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


class FakeStream(ExecStream):
    """A process that does what the test says."""

    def __init__(self) -> None:
        self.output: asyncio.Queue[Chunk | None] = asyncio.Queue()
        self.input = bytearray()
        self.sizes_when_written: list[TerminalSize | None] = []
        self.written = asyncio.Event()
        self.input_ended = False
        self.takes_input = asyncio.Event()
        self.takes_input.set()
        self.sizes: list[TerminalSize] = []
        self.sized = asyncio.Event()
        self.refuses_sizes = 0
        self.codes: list[int | None] = [0]
        self.gone = False
        self.forgotten = False
        self.closed = False

    async def read(self) -> Chunk | None:
        return await self.output.get()

    async def write(self, data: bytes) -> None:
        await self.takes_input.wait()
        self.input += data
        self.sizes_when_written.append(self.sizes[-1] if self.sizes else None)
        self.written.set()

    def write_eof(self) -> None:
        self.input_ended = True

    async def resize(self, size: TerminalSize) -> None:
        if self.refuses_sizes:
            self.refuses_sizes -= 1
            raise EngineRefusedError("not started yet")
        self.sizes.append(size)
        self.sized.set()

    async def exit_code(self) -> int | None:
        if self.gone:
            raise HostGoneError("host desk of team-1 is not running")
        if self.forgotten:
            raise EngineRefusedError("this process was not made here")
        return self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]

    def close(self) -> None:
        self.closed = True

    def ends(self, *codes: int | None) -> None:
        """Close the output; `codes` are what is answered to who asks for the exit code."""
        self.codes = list(codes)
        self.output.put_nowait(None)


class FakeEngine:
    """An engine whose reaping execs end at once and whose other processes are the test's.

    `sweeps` are what the next ones say; then nothing is left.
    """

    def __init__(self) -> None:
        self.streams: list[FakeStream] = []
        self.stream = FakeStream()
        self.opened: list[tuple[Sequence[str], Mapping[str, str]]] = []
        self.reaped: list[tuple[str, ...]] = []
        self.sweeps: list[bytes] = []
        self.fails_with: Exception | None = None

    async def open(
        self,
        host: HostKey,
        command: Sequence[str],
        *,
        account: str,
        environment: Mapping[str, str],
        size: TerminalSize | None = None,
    ) -> ExecStream:
        if self.fails_with:
            raise self.fails_with
        if "POLIGON_SESSION" not in environment:
            self.reaped.append(tuple(mark.partition("=")[2] for mark in command[5:]))
            said = self.sweeps.pop(0) if self.sweeps else NOTHING_LEFT
            reaping = FakeStream()
            reaping.output.put_nowait(Chunk(data=said))
            reaping.ends(0)
            return reaping
        self.opened.append((command, environment))
        stream = self.streams.pop(0) if self.streams else self.stream
        self.stream = stream
        return stream


class Scene:
    """A session, its client and its engine."""

    def __init__(
        self,
        *,
        size: TerminalSize | None = None,
        turns: int = 1,
        listeners: Sequence[Listener] = (),
        limits: TerminalLimits | None = None,
        is_login_shell: bool = False,
    ) -> None:
        self.engine = FakeEngine()
        self.client = FakeClient()
        self.clock = FakeClock()
        self.reaper = Reaper(self.engine, grace=timedelta(), pauses_seconds=[0.01] * 3)
        self.turns = Turns(turns)
        self.refused: PoligonError | None = None
        self.chronicle = FakeChronicle()
        self.visit = a_visit(size=size, is_login_shell=is_login_shell, greeting="Hello")
        around = Surroundings(
            engine=self.engine,
            reaper=self.reaper,
            turns=self.turns,
            clock=self.clock,
            admit=self._admit,
            on_kept=lambda _visit: None,
            chronicle=self.chronicle,
            limits=limits or TerminalLimits(),
        )
        self.session = Session(self.visit, around=around, listeners=listeners)
        self.session.attach(self.client)
        self.attachment = Attachment(self.session)
        self.running = spawn(self.session.run())

    async def _admit(self, _visit: Visit) -> None:
        if self.refused:
            raise self.refused

    async def settle(self) -> None:
        """Let every task go as far as it can."""
        await settle()

    async def end(self) -> None:
        await self.running
        await self.reaper.finish()


async def until(is_true: Callable[[], bool]) -> None:
    """Let everybody go on until something is so; `play` bounds the time."""
    while not is_true():
        await settle()


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(30):
        await asyncio.sleep(0)


def a_visit(
    *,
    login: str = "ana",
    size: TerminalSize | None = SIZE,
    is_login_shell: bool = True,
    greeting: str = "",
    host: HostKey = HOST,
    account: str = "trainee",
) -> Visit:
    return Visit(
        login=login,
        host=host,
        account=account,
        command=("sh",),
        size=size,
        greeting=greeting,
        is_login_shell=is_login_shell,
    )


async def anybody(_visit: Visit) -> None:
    """Admit whoever comes again."""


def sessions(
    engine: TerminalEngine,
    *,
    limits: TerminalLimits | None = None,
    chronicle: SessionChronicle | None = None,
) -> LiveSessions:
    return LiveSessions(
        engine,
        clock=FakeClock(),
        admit=anybody,
        limits=limits,
        chronicle=chronicle or FakeChronicle(),
    )


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=60))
