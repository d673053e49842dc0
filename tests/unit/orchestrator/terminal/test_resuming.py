"""A login shell outlives its client for a while, and its person gets it back."""

from datetime import timedelta

import pytest

from orchestrator.domain.world import HostKey
from orchestrator.terminal.limits import TerminalLimits
from orchestrator.terminal.session import Session
from orchestrator.terminal.stream import Chunk, TerminalSize
from orchestrator.terminal.visit import Visit
from tests.fakes.terminal_stage import (
    HOST,
    SIZE,
    FakeClient,
    FakeEngine,
    FakeStream,
    a_visit,
    play,
    sessions,
    settle,
)

BACK = b"You are back in the terminal that you left"
SHORT = TerminalLimits(keep=timedelta(milliseconds=30))


async def ended(session: Session) -> None:
    async for _event in session.watch():
        pass


def test_a_dropped_shell_comes_back_with_its_last_screen() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        first, second = FakeClient(), FakeClient()
        hold = live.join(a_visit(), first)
        await settle()
        engine.stream.output.put_nowait(Chunk(data=b"$ make\r\nbuilding"))
        await settle()
        hold.hang_up()
        engine.stream.output.put_nowait(Chunk(data=b" done\r\n"))
        await settle()
        again = live.join(a_visit(login="ana.desk"), second)
        again.received(b"ls\n")
        await engine.stream.written.wait()
        assert b"$ make\r\nbuilding done\r\n" in second.shown
        assert BACK in second.shown
        assert b"done" not in first.shown
        assert bytes(engine.stream.input) == b"ls\n"
        assert len(engine.opened) == 1
        await live.close("over")

    play(story())


def test_what_is_typed_at_once_is_typed_on_the_new_size() -> None:
    async def story() -> None:
        wide = TerminalSize(columns=120, rows=40)
        engine = FakeEngine()
        live = sessions(engine)
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        engine.stream.sizes.clear()
        live.join(a_visit(size=wide), FakeClient()).received(b"stty size\n")
        await engine.stream.written.wait()
        assert engine.stream.sizes_when_written == [wide]
        await live.close("over")

    play(story())


def test_the_first_client_can_do_nothing_to_a_shell_that_it_left() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        live.join(a_visit(), FakeClient())
        hold.received(b"rm\n")
        hold.received_eof()
        hold.client_full()
        hold.resized(TerminalSize(columns=1, rows=1))
        hold.kill(signal=9)
        hold.hang_up()
        await settle()
        [kept] = live
        assert kept.kept_since is None
        assert bytes(engine.stream.input) == b""
        assert TerminalSize(columns=1, rows=1) not in engine.stream.sizes
        await live.close("over")

    play(story())


def test_a_full_screen_program_is_made_to_paint_again() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        engine.stream.sizes.clear()
        live.join(a_visit(size=SIZE), FakeClient())
        while SIZE not in engine.stream.sizes:
            engine.stream.sized.clear()
            await engine.stream.sized.wait()
        assert engine.stream.sizes == [TerminalSize(columns=80, rows=23), SIZE]
        await live.close("over")

    play(story())


def test_a_kept_shell_is_reaped_when_its_time_is_over() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine, limits=SHORT)
        visit = a_visit()
        hold = live.join(visit, FakeClient())
        await settle()
        hold.hang_up()
        [kept] = live
        assert kept.kept_since is not None
        await ended(kept.session)
        await live.close("over")
        assert engine.reaped == [(visit.id,)]

    play(story())


def test_a_shell_that_came_back_has_no_time_to_be_over() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine, limits=SHORT)
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        client = FakeClient()
        live.join(a_visit(), client)
        other = live.join(a_visit(login="ben"), FakeClient())
        await settle()
        other.hang_up()
        await ended(other.session)  # left later: the first one's time would be over, too
        assert client.codes == []
        await live.close("over")

    play(story())


@pytest.mark.parametrize(
    "visit",
    [a_visit(size=None), a_visit(is_login_shell=False)],
    ids=["no terminal", "a command on a terminal"],
)
def test_what_is_no_login_shell_on_a_terminal_ends_with_its_client(visit: Visit) -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        hold = live.join(visit, FakeClient())
        await settle()
        hold.hang_up()
        await settle()
        assert list(live) == []
        await live.close("over")
        assert engine.reaped == [(visit.id,)]

    play(story())


def test_without_time_to_keep_a_shell_ends_with_its_client() -> None:
    async def story() -> None:
        live = sessions(FakeEngine(), limits=TerminalLimits(keep=timedelta()))
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        await settle()
        assert list(live) == []

    play(story())


@pytest.mark.parametrize(
    "other",
    [
        a_visit(login="anabel"),
        a_visit(account="root"),
        a_visit(host=HostKey(world=HOST.world, host="mail")),
        a_visit(size=None),
        a_visit(is_login_shell=False),
    ],
    ids=["person", "account", "host", "no terminal", "a command"],
)
def test_nothing_else_gets_a_kept_shell(other: Visit) -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        client = FakeClient()
        live.join(other, client)
        await settle()
        assert len(engine.opened) == 2
        assert BACK not in client.shown
        await live.close("over")

    play(story())


def test_beside_an_attached_shell_a_second_login_opens_a_new_one() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        live.join(a_visit(), FakeClient())
        live.join(a_visit(), FakeClient())
        await settle()
        assert len(engine.opened) == 2
        await live.close("over")

    play(story())


def test_of_several_kept_shells_the_one_left_last_comes_back_and_the_oldest_goes() -> None:
    async def story() -> None:
        engine = FakeEngine()
        engine.streams = [FakeStream() for _ in range(4)]
        live = sessions(engine, limits=TerminalLimits(kept_per_person=3))
        visits = [a_visit() for _ in range(4)]
        holds = [live.join(visit, FakeClient()) for visit in visits]
        await settle()
        for hold in holds:
            hold.hang_up()
        await settle()
        assert [kept.visit for kept in live] == visits[1:]
        assert live.join(a_visit(), FakeClient()).visit == visits[3]
        await live.close("over")

    play(story())


def test_a_shell_that_ends_while_it_is_kept_is_not_given_to_anybody() -> None:
    async def story() -> None:
        engine = FakeEngine()
        engine.streams = [FakeStream(), FakeStream()]
        live = sessions(engine)
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        engine.stream.ends(0)
        await settle()
        assert list(live) == []
        live.join(a_visit(), FakeClient())
        await settle()
        assert len(engine.opened) == 2
        await live.close("over")

    play(story())


def test_a_kept_shell_is_cut_like_every_other() -> None:
    async def story() -> None:
        live = sessions(FakeEngine())
        hold = live.join(a_visit(), FakeClient())
        await settle()
        hold.hang_up()
        [kept] = live
        kept.session.cut("the exercise is paused")
        await settle()
        assert list(live) == []

    play(story())


def test_a_full_screen_programs_modes_are_left_at_the_end() -> None:
    async def story() -> None:
        engine = FakeEngine()
        live = sessions(engine)
        client = FakeClient()
        live.join(a_visit(), client)
        await settle()
        engine.stream.output.put_nowait(Chunk(data=b"\x1b[?1049h\x1b[?25l\x1b[?1000h"))
        await settle()
        await live.close("over")
        left = client.shown[client.shown.rindex(b"\x1b[?1000h") + 8 :]
        for reset in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l"):
            assert reset in left

    play(story())
