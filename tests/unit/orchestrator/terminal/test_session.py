"""A session between a fake client and a fake engine."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.ports import EngineUnavailableError, HostFullError, HostGoneError
from orchestrator.terminal.commands import NO_SLOTS, NOTHING_LEFT
from orchestrator.terminal.reaper import Reaper
from orchestrator.terminal.stream import Chunk, TerminalSize
from tests.fakes.terminal_stage import (
    HOST,
    SIZE,
    FakeClient,
    FakeEngine,
    FakeStream,
    Scene,
    a_visit,
    play,
    sessions,
    settle,
)

KIB = 1024


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
        scene.attachment.hang_up()
        await scene.end()
        assert scene.engine.reaped == [(scene.visit.id,)]

    play(story())


def test_a_client_that_hung_up_while_waiting_never_starts_anything() -> None:
    async def story() -> None:
        scene = Scene(turns=0)
        await scene.settle()
        scene.attachment.hang_up()
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
        scene.attachment.kill(signal=15)
        await scene.end()
        assert scene.client.codes == [143]

    play(story())


def test_a_process_that_started_late_is_reaped_again() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.settle()
        scene.engine.stream.codes = [None, 137]
        scene.attachment.hang_up()
        await scene.end()
        assert scene.engine.reaped == [(scene.visit.id,), (scene.visit.id,)]

    play(story())


def test_a_process_that_has_shown_something_is_not_asked_after() -> None:
    async def story() -> None:
        scene = Scene()
        scene.engine.stream.output.put_nowait(Chunk(data=b"$ "))
        await scene.settle()
        scene.engine.stream.codes = [None, 137]
        scene.attachment.hang_up()
        await scene.end()
        assert scene.engine.reaped == [(scene.visit.id,)]
        assert scene.engine.stream.codes == [None, 137]

    play(story())


def test_a_session_is_reaped_whose_pipe_broke_while_its_process_lives() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.settle()
        scene.engine.stream.forgotten = True
        scene.engine.stream.output.put_nowait(None)
        await scene.end()
        assert scene.client.codes == [255]
        assert scene.engine.reaped == [(scene.visit.id,)]

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


def test_a_sweep_asks_no_more_of_a_host_than_a_command_line_holds() -> None:
    async def story() -> None:
        engine = FakeEngine()
        reaper = Reaper(engine, grace=timedelta())
        for number in range(1500):
            reaper.reap(HOST, "trainee", f"{number:012}")
        await reaper.finish()
        assert [len(sessions) for sessions in engine.reaped] == [1000, 500]

    play(story())


def test_a_host_that_does_not_answer_holds_up_no_other() -> None:
    async def story() -> None:
        engine = FakeEngine()
        engine.sweeps = [b""] * 8
        reaper = Reaper(engine, grace=timedelta(), pauses_seconds=[0.5] * 2)
        for name in ("one", "two", "three", "four"):
            reaper.reap(replace(HOST, host=name), "trainee", name)
        await asyncio.sleep(0.2)  # they are swept, and wait to be swept again
        engine.sweeps = []
        reaper.reap(HOST, "trainee", "five")
        await asyncio.sleep(0.2)
        assert ("five",) in engine.reaped
        await reaper.finish()

    play(story())


def test_who_is_seen_after_a_sweep_is_swept_again() -> None:
    async def story() -> None:
        engine = FakeEngine()
        engine.sweeps = [b"", NOTHING_LEFT]
        reaper = Reaper(engine, grace=timedelta(), pauses_seconds=[0.01] * 3)
        reaper.reap(HOST, "trainee", "one")
        await reaper.finish()
        assert engine.reaped == [("one",), ("one",)]

    play(story())


def test_a_sweep_waits_for_an_engine_that_is_away() -> None:
    async def story() -> None:
        engine = FakeEngine()
        engine.fails_with = EngineUnavailableError("no answer")
        reaper = Reaper(engine, grace=timedelta(), pauses_seconds=[0.05] * 100)
        reaper.reap(HOST, "trainee", "one")
        await asyncio.sleep(0.1)  # some tries
        engine.fails_with = None
        await reaper.finish()
        assert engine.reaped == [("one",)]

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
        assert scene.chronicle.faults == [error]

    play(story())


def test_a_host_without_a_free_slot_is_told_and_entered_all_the_same() -> None:
    async def story() -> None:
        scene = Scene()
        words = f"{NO_SLOTS}\n".encode()
        scene.engine.stream.output.put_nowait(Chunk(data=words, error=True))
        scene.engine.stream.output.put_nowait(Chunk(data=words))
        scene.engine.stream.ends(0)
        await scene.end()
        assert scene.client.errors == words
        assert scene.client.codes == [0]
        assert [type(fault) for fault in scene.chronicle.faults] == [HostFullError], "once"

    play(story())


def test_an_end_that_is_nobodys_fault_is_not_told_to_instructors() -> None:
    async def story() -> None:
        scene = Scene()
        scene.session.cut("the exercise is paused")
        await scene.end()
        assert b"the exercise is paused" in scene.client.errors
        assert scene.chronicle.faults == []

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
            scene.attachment.received(bytes(32 * KIB))
        await scene.settle()
        paused = scene.client.paused
        scene.engine.stream.takes_input.set()
        await scene.settle()
        assert (paused, scene.client.paused) == (True, False)
        assert len(scene.engine.stream.input) == 9 * 32 * KIB
        scene.engine.stream.ends(0)
        await scene.end()

    play(story())


@pytest.mark.parametrize(
    ("size", "piece", "at_once"),
    [(None, 32 * KIB, 4), (None, 1, 8), (SIZE, 32 * KIB, 1)],
    ids=["large pieces", "small pieces", "terminal"],
)
def test_others_have_a_turn_while_much_is_shown(
    size: TerminalSize | None, piece: int, at_once: int
) -> None:
    async def story() -> None:
        scene = Scene(size=size)
        await scene.settle()
        for _ in range(20):
            scene.engine.stream.output.put_nowait(Chunk(data=bytes(piece)))
        shown = len(scene.client.shown)
        while shown < 20 * piece:
            await asyncio.sleep(0)
            before, shown = shown, len(scene.client.shown)
            assert shown - before <= at_once * piece
        scene.engine.stream.ends(0)
        await scene.end()

    play(story())


def test_no_more_than_one_piece_is_read_for_a_client_that_is_full() -> None:
    async def story() -> None:
        scene = Scene()
        scene.attachment.client_full()
        for _ in range(5):
            scene.engine.stream.output.put_nowait(Chunk(data=b"x"))
        await scene.settle()
        assert scene.client.shown == b""
        assert scene.engine.stream.output.qsize() == 4
        scene.attachment.client_drained()
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
        scene.attachment.received_eof()
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
        live = sessions(FakeEngine())
        clients = [FakeClient(), FakeClient()]
        visit = a_visit(size=None)
        live.join(visit, clients[0])
        await settle()
        assert [found.visit for found in live] == [visit]
        await live.close("going down")
        live.join(a_visit(size=None), clients[1])
        await settle()
        assert [client.codes for client in clients] == [[255], [255]]
        assert list(live) == []

    play(story())
