"""A host that goes under a terminal is waited for; everything else ends with a sentence."""

import asyncio
from datetime import timedelta

import pytest

from core import waiting
from core.errors import PoligonError
from orchestrator.doorkeeper import EntryRefusedError
from orchestrator.ports import EngineUnavailableError, HostGoneError
from orchestrator.terminal.limits import TerminalLimits
from orchestrator.terminal.stream import Chunk
from tests.fakes.terminal_stage import SIZE, FakeStream, Scene, play

QUICK = timedelta(milliseconds=1)
WAITING = b"[desk stopped or is being reset; waiting for it, Ctrl-C leaves]"
GONE = HostGoneError("host desk of team-1 is not running")


def a_shell(*, wait: timedelta = timedelta(seconds=5), is_login_shell: bool = True) -> Scene:
    return Scene(
        size=SIZE,
        is_login_shell=is_login_shell,
        limits=TerminalLimits(host_wait=wait, host_look=QUICK),
    )


async def lose_the_host(scene: Scene, *, until_shown: bytes = WAITING) -> None:
    """Have the host go, and return when the client was told."""
    await scene.settle()
    scene.engine.fails_with = GONE
    scene.engine.stream.gone = True
    scene.engine.stream.output.put_nowait(None)
    await shown(scene, until_shown)


async def shown(scene: Scene, wanted: bytes) -> None:
    await asyncio.to_thread(
        waiting.until,
        lambda: wanted in scene.client.shown,
        what=f"{wanted!r} to be shown",
        within=timedelta(seconds=5),
        every=timedelta(milliseconds=1),
    )


def test_the_terminal_enters_the_new_host_when_it_runs() -> None:
    async def story() -> None:
        scene = a_shell()
        await lose_the_host(scene)
        scene.attachment.received(b"typed to nobody\n")
        old, scene.engine.stream = scene.engine.stream, FakeStream()
        scene.engine.fails_with = None
        await shown(scene, b"[desk runs again; this is a new login]")
        scene.attachment.received(b"ls\n")
        scene.engine.stream.output.put_nowait(Chunk(data=b"file"))
        await shown(scene, b"file")
        assert scene.engine.stream.input == b"ls\n"
        assert scene.engine.stream.sizes == [SIZE]
        assert old.closed
        scene.engine.stream.ends(3)
        await scene.end()
        assert scene.client.codes == [3]
        assert len(scene.engine.opened) == 2

    play(story())


def test_the_processes_of_a_host_that_ran_anew_at_once_are_not_reaped_with_the_old_ones() -> None:
    async def story() -> None:
        scene = a_shell()
        await scene.settle()
        old, scene.engine.stream = scene.engine.stream, FakeStream()
        old.gone = True
        old.output.put_nowait(None)
        await shown(scene, b"[desk runs again; this is a new login]")
        await scene.reaper.finish()
        assert scene.engine.reaped == []
        scene.engine.stream.ends(0)
        await scene.end()

    play(story())


@pytest.mark.parametrize("error", [GONE, EngineUnavailableError("no answer")])
def test_the_wait_has_an_end(error: PoligonError) -> None:
    async def story() -> None:
        scene = a_shell(wait=timedelta(milliseconds=20))
        await scene.settle()
        await lose_the_host(scene)
        scene.engine.fails_with = error
        await scene.end()
        assert b"is not running" in scene.client.errors
        assert scene.client.codes == [255]

    play(story())


def test_who_may_not_enter_any_more_is_told_instead() -> None:
    async def story() -> None:
        scene = a_shell()
        scene.refused = EntryRefusedError("the exercise is paused")
        await lose_the_host(scene)
        scene.engine.fails_with = None
        await scene.end()
        assert b"the exercise is paused" in scene.client.errors
        assert len(scene.engine.opened) == 1

    play(story())


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_one_can_leave_while_waiting(key: bytes) -> None:
    async def story() -> None:
        scene = a_shell()
        await lose_the_host(scene)
        scene.attachment.received(key)
        await scene.end()
        assert scene.client.codes == [255]

    play(story())


@pytest.mark.parametrize("how", ["hang up", "cut"])
def test_who_goes_or_is_cut_while_waiting_leaves_nothing(how: str) -> None:
    async def story() -> None:
        scene = a_shell()
        await lose_the_host(scene)
        scene.attachment.hang_up() if how == "hang up" else scene.session.cut("enough")
        await scene.end()
        assert len(scene.engine.opened) == 1

    play(story())


def test_a_command_ends_when_its_host_goes() -> None:
    async def story() -> None:
        scene = a_shell(is_login_shell=False)
        await lose_the_host(scene, until_shown=b"")
        await scene.end()
        assert WAITING not in scene.client.shown
        assert b"is not running" in scene.client.errors

    play(story())


def test_a_kept_terminal_ends_when_its_host_goes() -> None:
    async def story() -> None:
        scene = a_shell()
        await scene.settle()
        scene.attachment.hang_up()
        await lose_the_host(scene, until_shown=b"")
        await scene.end()
        assert len(scene.engine.opened) == 1

    play(story())
