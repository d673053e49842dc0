"""A session between a fake client and a fake engine."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from core.background import spawn
from core.clock import SystemClock
from core.ids import ExerciseId
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.ports import EngineRefusedError, EngineUnavailableError, HostGoneError
from orchestrator.terminal.reaper import Reaper
from orchestrator.terminal.registry import LiveSessions
from orchestrator.terminal.session import Session, Visit
from orchestrator.terminal.stream import Chunk, ExecStream, TerminalSize

HOST = HostKey(world=WorldKey(exercise=ExerciseId("exercise"), team="team-1"), host="desk")
SIZE = TerminalSize(columns=80, rows=24)
KIB = 1024


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
        self.input_ended = False
        self.takes_input = asyncio.Event()
        self.takes_input.set()
        self.sizes: list[TerminalSize] = []
        self.sized = asyncio.Event()
        self.refuses_sizes = 0
        self.codes: list[int | None] = [0]
        self.gone = False
        self.closed = False

    async def read(self) -> Chunk | None:
        return await self.output.get()

    async def write(self, data: bytes) -> None:
        await self.takes_input.wait()
        self.input += data

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
        return self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]

    def close(self) -> None:
        self.closed = True

    def ends(self, *codes: int | None) -> None:
        """Close the output; `codes` are what is answered to who asks for the exit code."""
        self.codes = list(codes)
        self.output.put_nowait(None)


class FakeEngine:
    """An engine whose reaping execs end at once and whose other processes are the test's."""

    def __init__(self) -> None:
        self.stream = FakeStream()
        self.opened: list[tuple[Sequence[str], Mapping[str, str]]] = []
        self.reaped: list[tuple[str, ...]] = []
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
            self.reaped.append(tuple(command[4:]))
            reaping = FakeStream()
            reaping.ends(0)
            return reaping
        self.opened.append((command, environment))
        return self.stream


class Scene:
    """A session, its client and its engine."""

    def __init__(self, *, size: TerminalSize | None = None, turns: int = 1) -> None:
        self.engine = FakeEngine()
        self.client = FakeClient()
        self.reaper = Reaper(self.engine, grace=timedelta())
        self.turns = asyncio.Semaphore(turns)
        self.visit = Visit(
            login="ana", host=HOST, account="trainee", command=("sh",), size=size, greeting="Hello"
        )
        self.session = Session(
            self.visit,
            client=self.client,
            engine=self.engine,
            reaper=self.reaper,
            turns=self.turns,
        )
        self.running = spawn(self.session.run())

    async def settle(self) -> None:
        """Let every task go as far as it can."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def end(self) -> None:
        await self.running
        await self.reaper.finish()


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, timeout=10))


def test_output_errors_and_the_exit_code_reach_the_client() -> None:
    async def story() -> None:
        scene = Scene()
        scene.engine.stream.output.put_nowait(Chunk(data=b"out"))
        scene.engine.stream.output.put_nowait(Chunk(data=b"err", error=True))
        scene.engine.stream.ends(7)
        await scene.end()
        assert (scene.client.shown, scene.client.errors) == (b"out", b"err")
        assert scene.client.codes == [7]
        assert scene.engine.stream.closed
        assert scene.engine.reaped == []

    play(story())


def test_the_exit_code_is_awaited_after_the_output_ended() -> None:
    async def story() -> None:
        scene = Scene()
        scene.engine.stream.ends(None, None, 4)
        await scene.end()
        assert scene.client.codes == [4]

    play(story())


def test_the_process_carries_the_sessions_id() -> None:
    async def story() -> None:
        scene = Scene()
        scene.engine.stream.ends(0)
        await scene.end()
        [(_, environment)] = scene.engine.opened
        assert environment["POLIGON_SESSION"] == scene.visit.id
        assert environment["USER"] == "trainee"

    play(story())


def test_a_client_that_hangs_up_has_its_session_reaped() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.settle()
        scene.session.hang_up()
        await scene.end()
        assert scene.engine.reaped == [(scene.visit.id,)]

    play(story())


def test_a_client_that_hung_up_while_waiting_never_starts_anything() -> None:
    async def story() -> None:
        scene = Scene(turns=0)
        await scene.settle()
        scene.session.hang_up()
        scene.turns.release()
        await scene.end()
        assert scene.engine.opened == []
        assert scene.engine.reaped == []

    play(story())


def test_a_cut_tells_why_and_reaps() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.settle()
        scene.session.cut("the exercise is paused")
        scene.session.cut("said later")
        await scene.end()
        assert scene.client.errors == b"\nthe exercise is paused\n"
        assert scene.client.codes == [255]
        assert scene.engine.reaped == [(scene.visit.id,)]

    play(story())


def test_a_signal_ends_with_the_code_that_a_shell_gives() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.settle()
        scene.session.kill(signal=15)
        await scene.end()
        assert scene.client.codes == [143]

    play(story())


def test_a_process_that_started_late_is_reaped_again() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.settle()
        scene.engine.stream.codes = [None, 137]
        scene.session.hang_up()
        await scene.end()
        assert scene.engine.reaped == [(scene.visit.id,), (scene.visit.id,)]

    play(story())


def test_sessions_of_one_host_are_reaped_together() -> None:
    async def story() -> None:
        engine = FakeEngine()
        reaper = Reaper(engine, grace=timedelta())
        for name in ("one", "two", "three"):
            reaper.reap(HOST, "trainee", name, FakeStream())
        await reaper.finish()
        assert engine.reaped == [("one", "two", "three")]

    play(story())


@pytest.mark.parametrize(
    "error", [HostGoneError("host desk is gone"), EngineUnavailableError("no answer")]
)
def test_a_host_that_cannot_be_entered_is_told(error: Exception) -> None:
    async def story() -> None:
        scene = Scene()
        scene.engine.fails_with = error
        await scene.end()
        assert str(error).encode() in scene.client.errors
        assert scene.client.codes == [255]

    play(story())


def test_a_host_that_went_under_the_session_is_told() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.settle()
        scene.engine.stream.gone = True
        scene.engine.stream.output.put_nowait(None)
        await scene.end()
        assert b"is not running" in scene.client.errors
        assert scene.client.codes == [255]

    play(story())


def test_a_client_is_paused_while_the_process_does_not_read() -> None:
    async def story() -> None:
        scene = Scene()
        scene.engine.stream.takes_input.clear()
        for _ in range(9):
            scene.session.received(bytes(32 * KIB))
        await scene.settle()
        paused = scene.client.paused
        scene.engine.stream.takes_input.set()
        await scene.settle()
        assert (paused, scene.client.paused) == (True, False)
        assert len(scene.engine.stream.input) == 9 * 32 * KIB
        scene.engine.stream.ends(0)
        await scene.end()

    play(story())


def test_no_more_than_one_piece_is_read_for_a_client_that_is_full() -> None:
    async def story() -> None:
        scene = Scene()
        scene.session.client_full()
        for _ in range(5):
            scene.engine.stream.output.put_nowait(Chunk(data=b"x"))
        await scene.settle()
        assert scene.client.shown == b""
        assert scene.engine.stream.output.qsize() == 4
        scene.session.client_drained()
        scene.engine.stream.ends(0)
        await scene.end()
        assert scene.client.shown == b"xxxxx"

    play(story())


@pytest.mark.parametrize(
    ("size", "typed", "ended"),
    [(None, b"", True), (SIZE, b"\x04", False)],
    ids=["pipe", "terminal"],
)
def test_the_end_of_input_is_ctrl_d_on_a_terminal(
    size: TerminalSize | None, typed: bytes, *, ended: bool
) -> None:
    async def story() -> None:
        scene = Scene(size=size)
        scene.session.received_eof()
        await scene.settle()
        assert scene.engine.stream.input == typed
        assert scene.engine.stream.input_ended is ended
        scene.engine.stream.ends(0)
        await scene.end()

    play(story())


def test_a_size_is_tried_again_until_the_process_is_there() -> None:
    async def story() -> None:
        scene = Scene(size=SIZE)
        scene.engine.stream.refuses_sizes = 2
        await scene.engine.stream.sized.wait()
        assert scene.engine.stream.sizes == [SIZE]
        scene.engine.stream.ends(0)
        await scene.end()

    play(story())


def test_the_greeting_is_for_terminals() -> None:
    async def story() -> None:
        for size, shown in ((None, b""), (SIZE, b"Hello\r\n")):
            scene = Scene(size=size)
            scene.engine.stream.ends(0)
            await scene.end()
            assert scene.client.shown == shown

    play(story())


def test_closing_ends_every_live_session_and_refuses_new_ones() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = LiveSessions(engine, clock=SystemClock())
        clients = [FakeClient(), FakeClient()]
        visit = Visit(login="ana", host=HOST, account="trainee", command=("sh",))
        serving = spawn(live.serve(live.join(visit, clients[0])))
        await asyncio.sleep(0)
        assert [found.visit for found in live] == [visit]
        await live.close("going down")
        late = Visit(login="ana", host=HOST, account="trainee", command=("sh",))
        await live.serve(live.join(late, clients[1]))
        await serving
        assert [client.codes for client in clients] == [[255], [255]]
        assert list(live) == []

    play(story())
