"""The inner door with real sockets and frames, in front of a fake engine."""

import asyncio
import json
import socket
from pathlib import Path

import pytest
from websockets.asyncio.client import unix_connect

from orchestrator.gateway.doors import SocketDoors
from orchestrator.gateway.inner_calls import Gateways, TerminalClosedError
from orchestrator.gateway.inner_door import InnerDoor, InnerDoorUnusableError
from orchestrator.gateway.inner_line import GatewayAwayError
from orchestrator.gateway.inner_words import Enter
from orchestrator.terminal.stream import Chunk, TerminalSize
from tests.fakes.inner_place import ANA, a_place, heard, shown
from tests.fakes.terminal_stage import play, settle, until

FLOOD = 100  # pieces of 64 KiB: less than what the limiter lets pass at once


def sockets(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.sock"))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "gateways"


def test_who_enters_types_into_the_host_and_sees_what_it_shows(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            process = place.process()
            async with place.gateways.entering(ANA) as page:
                opened = await heard(page, "opened")
                assert (opened["host"], opened["team"], opened["resumed"]) == (
                    "desk",
                    "team-1",
                    False,
                )
                await shown(page, b"Hello\r\n")
                process.output.put_nowait(Chunk(data=b"$ "))
                await shown(page, b"$ ")
                await page.send(
                    json.dumps({"tell": "resize", "size": {"columns": 120, "rows": 40}})
                )
                await page.send(b"id\r")
                await process.written.wait()
                assert bytes(process.input) == b"id\r"
                assert process.sizes_when_written == [TerminalSize(columns=120, rows=40)]
                process.ends(3)
                assert (await heard(page, "ended"))["code"] == 3

    play(story())


def test_who_may_not_enter_is_told_why(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            bob = Enter(login="bob", size=ANA.size)
            async with place.gateways.entering(bob) as page:
                refused = await heard(page, "refused")
            assert refused["code"] == "entry.refused"
            assert refused["sentence"] == "the exercise is paused. Wait"
            assert list(place.live) == []

    play(story())


def test_a_page_that_goes_leaves_its_shell_and_gets_it_back(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            process = place.process()
            async with place.gateways.entering(ANA) as page:
                first = await heard(page, "opened")
                process.output.put_nowait(Chunk(data=b"secret plan"))
                await shown(page, b"secret plan")
            while (facts := (await place.gateways.sessions())[0]).attached:
                await settle()
            assert facts.id == first["session"]
            async with place.gateways.entering(ANA) as page:
                back = await heard(page, "opened")
                assert (back["session"], back["resumed"]) == (first["session"], True)
                await shown(page, b"secret plan")
            assert len(place.engine.opened) == 1

    play(story())


def test_a_page_takes_its_own_shell_over_while_the_old_connection_still_seems_alive(
    folder: Path,
) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            place.process()
            async with place.gateways.entering(ANA) as dead:
                session = (await heard(dead, "opened"))["session"]
                await shown(dead, b"Hello")
                again = ANA.model_copy(update={"session": session})
                async with place.gateways.entering(again) as page:
                    assert (await heard(page, "opened"))["session"] == session
                    assert (await heard(dead, "refused"))["code"] == "session.taken_over"
                    assert [live.visit.id for live in place.live] == [session]

    play(story())


def test_nobody_takes_over_what_is_not_theirs(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            place.process()
            place.process()
            async with place.gateways.entering(ANA) as page:
                session = (await heard(page, "opened"))["session"]
                eve = Enter(login="eve", size=ANA.size, session=session)
                async with place.gateways.entering(eve) as other:
                    assert (await heard(other, "opened"))["session"] != session
                await page.send(b"still mine")
                live = place.live.find(session)
                assert live is not None
                assert live.kept_since is None

    play(story())


def test_who_has_as_many_terminals_as_they_may_gets_no_more(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            for _ in range(3):
                place.process()
            async with (
                place.gateways.entering(ANA) as one,
                place.gateways.entering(ANA) as two,
            ):
                session = (await heard(one, "opened"))["session"]
                await heard(two, "opened")
                async with place.gateways.entering(ANA) as three:
                    assert (await heard(three, "refused"))["code"] == "session.no_seat"
                again = ANA.model_copy(update={"session": session})
                async with place.gateways.entering(again) as mine:
                    assert (await heard(mine, "opened"))["session"] == session

    play(story())


def test_a_watcher_sees_the_screen_and_cannot_type(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            process = place.process()
            async with place.gateways.entering(ANA) as page:
                session = (await heard(page, "opened"))["session"]
                process.output.put_nowait(Chunk(data=b"ls\r\n"))
                await shown(page, b"ls")
                async with (await place.gateways.find(session)).watched() as eye:
                    assert (await heard(eye, "resized"))["size"]["columns"] == 80
                    await shown(eye, b"ls\r\n")
                    await eye.send(b"rm -rf /\r")
                    process.output.put_nowait(Chunk(data=b"more"))
                    await shown(eye, b"more")
                    await page.send(b"x")
                    process.output.put_nowait(Chunk(data=b"x"))
                    await shown(page, b"x")
                    await until(lambda: bytes(process.input) == b"x")
                    process.ends(0)
                    assert (await heard(eye, "ended"))["code"] == 0

    play(story())


def test_who_joins_is_announced_before_they_type(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            process = place.process()
            async with place.gateways.entering(ANA) as page:
                session = (await heard(page, "opened"))["session"]
                await shown(page, b"Hello")
                found = await place.gateways.find(session)
                async with found.joined("Ina\x1b[2J") as guest:
                    assert b"[Ina[2J has joined" in await shown(page, b"can type]")
                    assert bytes(process.input) == b""
                    await guest.send(b"help\r")
                    await guest.send(
                        json.dumps({"tell": "resize", "size": {"columns": 1, "rows": 1}})
                    )
                    process.output.put_nowait(Chunk(data=b"help"))
                    await shown(guest, b"help")
                assert b"has left" in await shown(page, b"left your terminal]")
                await until(lambda: bytes(process.input) == b"help\r")
                assert TerminalSize(columns=1, rows=1) not in process.sizes

    play(story())


def test_a_session_is_ended_with_a_sentence_by_name(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            place.process()
            async with place.gateways.entering(ANA) as page:
                session = (await heard(page, "opened"))["session"]
                await shown(page, b"Hello")
                found = await place.gateways.find(session)
                await found.say("Ina: five minutes left")
                await shown(page, b"[Ina: five minutes left]")
                await found.end(sentence="lunch", by="Ina")
                assert (await heard(page, "ended"))["sentence"] == "Ina ended it: lunch"
            with pytest.raises(TerminalClosedError):
                await found.end(sentence="lunch", by="Ina")
            with pytest.raises(TerminalClosedError):
                await place.gateways.find(session)

    play(story())


def test_a_session_is_found_whichever_gateway_has_it(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            for place in (one, other):
                place.process()
            door = Gateways(SocketDoors(folder))
            async with door.entering(ANA) as page:
                session = (await heard(page, "opened"))["session"]
                await shown(page, b"Hello")
            while (await door.sessions())[0].attached:
                await settle()
            async with door.entering(ANA) as page:
                assert (await heard(page, "opened"))["session"] == session
            assert len(list(one.live)) + len(list(other.live)) == 1

    play(story())


def test_who_enters_anew_finds_the_emptiest_gateway_that_takes_somebody(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            door = Gateways(SocketDoors(folder))
            full, empty = sorted((one, other), key=lambda place: place.door.name)
            for place in (full, full, empty):
                place.process()
            async with door.entering(ANA) as page:
                await shown(page, b"Hello")
                ben = Enter(login="ben", size=ANA.size)
                async with door.entering(ben) as second:
                    await shown(second, b"Hello")
                assert (len(list(full.live)), len(list(empty.live))) == (1, 1)
                await empty.live.close("over")
                async with door.entering(ben) as third:
                    await shown(third, b"Hello")
                    assert len(list(full.live)) == 2
            await full.live.close("over")
            with pytest.raises(GatewayAwayError):
                async with door.entering(ANA):
                    pass

    play(story())


def test_without_a_gateway_everybody_is_told_so(folder: Path) -> None:
    async def story() -> None:
        gateways = Gateways(SocketDoors(folder))
        assert await gateways.sessions() == ()
        with pytest.raises(GatewayAwayError, match="no gateway answers"):
            async with gateways.entering(ANA):
                pass
        with pytest.raises(GatewayAwayError):
            await gateways.find("s1")

    play(story())


@pytest.mark.parametrize(
    "sent", ['{"ask": "exec"}', "[]", "garbage", b"\xff\x00", json.dumps({"ask": "watch"})]
)
def test_who_asks_for_anything_else_is_refused_and_shown_out(
    folder: Path, sent: str | bytes
) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            [path] = sockets(folder)
            async with unix_connect(str(path), uri="ws://gateway/") as stranger:
                await stranger.send(sent)
                assert (await heard(stranger, "refused"))["code"] == "request.invalid"
                await stranger.wait_closed()
            assert list(place.live) == []

    play(story())


def test_a_client_that_tells_what_no_terminal_tells_is_shown_out_and_its_shell_is_kept(
    folder: Path,
) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            place.process()
            async with place.gateways.entering(ANA) as page:
                await shown(page, b"Hello")
                await page.send('{"tell": "ended", "code": 0}')
                await page.wait_closed()
                assert page.close_code == 1007
            await settle()
            assert [live.kept_since is not None for live in place.live] == [True]

    play(story())


def test_a_slow_page_holds_its_process_up_and_not_our_memory(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            process = place.process()
            [path] = sockets(folder)
            async with unix_connect(
                str(path), uri="ws://gateway/", max_queue=1, ping_interval=None
            ) as page:
                await page.send(ANA.model_dump_json())
                for _ in range(FLOOD):
                    process.output.put_nowait(Chunk(data=b"y" * 64 * 1024))
                await asyncio.sleep(0.3)
                assert process.output.qsize() > FLOOD // 2
                seen = 0
                while seen < FLOOD * 64 * 1024:
                    message = await page.recv()
                    seen += message.count(b"y") if isinstance(message, bytes) else 0

    play(story())


def test_the_folder_is_ours_alone_and_the_dead_are_removed(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    dead = folder / "dead.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(dead))

    async def story() -> None:
        async with a_place(folder) as alive:
            assert mode(folder) == 0o700
            assert dead not in sockets(folder)
            async with a_place(folder):
                assert len(sockets(folder)) == 2
            assert await alive.gateways.sessions() == ()

    play(story())
    assert sockets(folder) == []


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "gateways").write_text("a file")

    async def story() -> None:
        with pytest.raises(InnerDoorUnusableError, match="cannot listen"):
            await InnerDoor(tmp_path / "gateways", {}).start()

    play(story())
