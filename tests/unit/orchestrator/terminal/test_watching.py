"""Watchers see everything, hold nothing up, and are told what they lost."""

import pytest

from orchestrator.terminal.stream import Chunk, TerminalSize
from orchestrator.terminal.watching import Ended, Event, Lost, Marked, Resized, Shown, Watcher
from tests.fakes.terminal_stage import SIZE, Scene, play

WIDE = TerminalSize(columns=132, rows=50)


async def seen(watcher: Watcher) -> list[Event]:
    return [event async for event in watcher]


def screen_of(events: list[Event]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Shown))


def test_a_watcher_has_the_last_screen_first_and_then_everything() -> None:
    async def story() -> None:
        scene = Scene(size=SIZE)
        scene.engine.stream.output.put_nowait(Chunk(data=b"before "))
        await scene.settle()
        watcher = scene.session.watch()
        scene.engine.stream.output.put_nowait(Chunk(data=b"after"))
        await scene.settle()
        scene.attachment.resized(WIDE)
        scene.session.say("ten minutes left")
        scene.engine.stream.ends(3)
        await scene.end()
        events = await seen(watcher)
        assert events[0] == Resized(SIZE)
        assert screen_of(events).endswith(b"before after\r\n[ten minutes left]\r\n")
        assert Resized(WIDE) in events
        assert Marked("ten minutes left") in events
        assert events[-1] == Ended(3)

    play(story())


def test_a_slow_watcher_is_told_what_it_lost_and_shown_the_last_screen() -> None:
    async def story() -> None:
        now: list[Event] = [Shown(b"screen")]
        watcher = Watcher(now=lambda: now, leave=lambda _watcher: None, most_waiting=10)
        watcher.output(b"1234")
        watcher.output(b"12345")
        watcher.output(b"1")
        now[:] = [Shown(b"later")]
        first = [await anext(watcher) for _ in range(4)]
        assert first == [Shown(b"screen"), Shown(b"1234"), Lost(6), Shown(b"later")]
        watcher.output(b"!")
        assert await anext(watcher) == Shown(b"!")

    play(story())


def test_the_end_comes_after_what_was_lost() -> None:
    async def story() -> None:
        watcher = Watcher(now=list, leave=lambda _watcher: None, most_waiting=1)
        watcher.output(b"12")
        watcher.ended(0)
        assert await seen(watcher) == [Lost(2), Ended(0)]

    play(story())


def test_a_watcher_that_takes_nothing_costs_a_bounded_memory() -> None:
    async def story() -> None:
        watcher = Watcher(now=list, leave=lambda _watcher: None, most_waiting=1000)
        for _ in range(10_000):
            watcher.output(b"x")
            watcher.resized(SIZE)
            watcher.marked("m")
        assert len(watcher._events) <= 5000

    play(story())


def test_a_watcher_that_does_not_read_holds_nothing_up() -> None:
    async def story() -> None:
        scene = Scene(size=SIZE)
        scene.session.watch()
        for _ in range(40):
            scene.engine.stream.output.put_nowait(Chunk(data=bytes(64 * 1024)))
        scene.engine.stream.ends(0)
        await scene.end()
        assert len(scene.client.shown) == len("Hello\r\n") + 40 * 64 * 1024

    play(story())


def test_a_watcher_can_leave_and_can_do_nothing_else() -> None:
    async def story() -> None:
        scene = Scene(size=SIZE)
        await scene.settle()
        watcher = scene.session.watch()
        watcher.close()
        scene.engine.stream.output.put_nowait(Chunk(data=b"unseen"))
        await scene.settle()
        assert b"unseen" not in screen_of(await seen(watcher))
        assert not hasattr(watcher, "type")
        scene.session.cut("enough")
        await scene.end()

    play(story())


@pytest.mark.parametrize("size", [SIZE, None])
def test_who_comes_after_the_end_is_told_so(size: TerminalSize | None) -> None:
    async def story() -> None:
        scene = Scene(size=size)
        scene.engine.stream.ends(4)
        await scene.end()
        assert (await seen(scene.session.watch()))[-1] == Ended(4)

    play(story())
