"""A terminal that another gateway keeps, and what is counted there, with real sockets."""

import asyncio
import socket
from pathlib import Path

import pytest

from orchestrator.gateway.limits import Limits
from orchestrator.gateway.neighbours import NOWHERE
from orchestrator.gateway.relayed import Relayed
from orchestrator.gateway.seats import no_seat
from orchestrator.terminal.stream import Chunk, TerminalSize
from orchestrator.terminal.visit import Visit
from tests.fakes.inner_place import ANA, Place, a_place, heard
from tests.fakes.terminal_stage import HOST, FakeClient, FakeStream, a_visit, play, settle, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "gateways"


async def a_kept_terminal(place: Place) -> FakeStream:
    """Have ana leave a terminal there that has shown something."""
    process = place.process()
    left = place.live.join(a_visit(login="ana.desk"), FakeClient())
    process.output.put_nowait(Chunk(data=b"secret plan"))
    await settle()
    left.hang_up()
    return process


async def resumed(place: Place, visit: Visit, client: FakeClient) -> Relayed:
    elsewhere = await place.neighbours.about(visit.login, visit.host.world)
    held = elsewhere.resume(visit, client)
    assert held is not None
    return held


def test_who_comes_to_another_gateway_gets_what_is_kept_at_the_first(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            process = await a_kept_terminal(one)
            client = FakeClient()
            held = await resumed(other, a_visit(), client)
            await until(lambda: b"You are back" in client.shown)
            assert b"secret plan" in client.shown
            held.received(b"id\r")
            held.received_eof()
            held.resized(TerminalSize(columns=120, rows=40))
            await until(lambda: TerminalSize(columns=120, rows=40) in process.sizes)
            await until(lambda: bytes(process.input) == b"id\r\x04")
            process.output.put_nowait(Chunk(data=b"uid=1"))
            process.ends(3)
            await until(lambda: client.codes == [3])
            assert client.shown.endswith(b"uid=1")
            assert not list(other.live)

    play(story())


def test_who_has_entered_at_one_gateway_is_not_asked_about_again_at_another(folder: Path) -> None:
    """The doorkeeper would write down twice that staff came; it refuses bob, so it is not asked."""

    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            one.process()
            left = one.live.join(a_visit(login="bob"), FakeClient())
            await settle()
            left.hang_up()
            client = FakeClient()
            await resumed(other, a_visit(login="bob"), client)
            await until(lambda: b"You are back" in client.shown)
            assert client.errors == b""

    play(story())


def test_who_hangs_up_finds_it_kept_again(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            process = await a_kept_terminal(one)
            client = FakeClient()
            held = await resumed(other, a_visit(), client)
            await until(lambda: b"You are back" in client.shown)
            [live] = one.live
            held.received(b"last words\r")
            held.hang_up()
            held.received(b"too late")
            await until(lambda: live.kept_since is not None)
            await until(lambda: bytes(process.input) == b"last words\r")
            assert client.codes == []

    play(story())


def test_a_signal_of_the_client_ends_it_there(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            await a_kept_terminal(one)
            client = FakeClient()
            held = await resumed(other, a_visit(), client)
            held.kill(signal=15)
            await until(lambda: client.codes == [128 + 15])
            assert not list(one.live)

    play(story())


def test_a_gateway_that_goes_down_meanwhile_is_told(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as other:
            async with a_place(folder) as one:
                await a_kept_terminal(one)
                client = FakeClient()
                await resumed(other, a_visit(), client)
                await until(lambda: b"You are back" in client.shown)
                await one.door.close()
                await until(lambda: client.codes == [255])
            assert b"that kept this terminal is gone" in client.errors

    play(story())


def test_a_client_that_reads_slowly_holds_the_process_up(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            process = await a_kept_terminal(one)
            client = FakeClient()
            held = await resumed(other, a_visit(), client)
            await until(lambda: b"You are back" in client.shown)
            held.client_full()
            for _ in range(100):
                process.output.put_nowait(Chunk(data=b"y" * 64 * 1024))
            await asyncio.sleep(0.3)
            assert process.output.qsize() > 50
            held.client_drained()
            await until(lambda: client.shown.count(b"y") >= 100 * 64 * 1024)

    play(story())


def test_a_process_that_takes_no_input_holds_the_client_up(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            process = await a_kept_terminal(one)
            process.takes_input.clear()
            client = FakeClient()
            held = await resumed(other, a_visit(), client)
            await until(lambda: b"You are back" in client.shown)
            sent = 0
            while not client.paused:
                held.received(b"x" * 100_000)
                sent += 100_000
                await asyncio.sleep(0.001)
            process.takes_input.set()
            await until(lambda: len(process.input) == sent and not client.paused)

    play(story())


@pytest.mark.parametrize(
    "visit",
    [
        a_visit(login="eve"),
        a_visit(account="root"),
        a_visit(is_login_shell=False),
        a_visit(size=None),
        a_visit(login=f"ana.{'x' * 80}.team-1.desk"),
    ],
    ids=["somebody else", "another account", "a command", "no terminal", "a login too long"],
)
def test_nothing_else_is_given_back(folder: Path, visit: Visit) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            await a_kept_terminal(one)
            elsewhere = await other.neighbours.about(visit.login, visit.host.world)
            assert elsewhere.resume(visit, FakeClient()) is None

    play(story())


def test_a_terminal_that_has_a_client_is_not_taken_away(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as one, a_place(folder) as other:
            one.process()
            one.live.join(a_visit(), FakeClient())
            await settle()
            elsewhere = await other.neighbours.about("ana", HOST.world)
            assert elsewhere.of_person("ana") == 1
            assert elsewhere.resume(a_visit(), FakeClient()) is None

    play(story())


def test_sessions_are_counted_over_all_gateways(folder: Path) -> None:
    async def story() -> None:
        limits = Limits(sessions_per_person=2, sessions_per_team=3)
        async with a_place(folder) as one, a_place(folder) as other:
            for login in ("ana", "ben", "ben.desk"):
                one.process()
                one.live.join(a_visit(login=login), FakeClient())
            await settle()
            for name, why in (("ben", "You have 2"), ("cem", "Your team has 3")):
                elsewhere = await other.neighbours.about(name, HOST.world)
                told = no_seat(other.live, a_visit(login=name), limits, elsewhere)
                assert told.startswith(why)
                assert no_seat(other.live, a_visit(login=name), limits) == ""
            async with other.gateways.entering(ANA.model_copy(update={"login": "ben"})) as page:
                assert (await heard(page, "refused"))["code"] == "session.no_seat"

    play(story())


def test_a_neighbour_that_was_killed_or_hangs_delays_nobody_for_long(folder: Path) -> None:
    async def story() -> None:
        async with a_place(folder) as place:
            (folder / "dead.sock").touch()
            with socket.socket(socket.AF_UNIX) as hanging:
                hanging.bind(str(folder / "hangs.sock"))
                hanging.listen()
                async with asyncio.timeout(5):
                    assert await place.neighbours.about("ana", HOST.world) == NOWHERE

    play(story())
