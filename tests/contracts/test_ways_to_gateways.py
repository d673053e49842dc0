"""What holds of the way to a gateway, be it a unix socket or Redis."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import docker
import pytest
from redis.asyncio import Redis

from orchestrator.gateway.doors import Door, SocketDoor
from orchestrator.gateway.inner_calls import Gateways, TerminalClosedError
from orchestrator.gateway.inner_line import GatewayAwayError, ask
from orchestrator.gateway.inner_words import List
from orchestrator.gateway.over_redis.bell import Bell
from orchestrator.gateway.over_redis.doors import RedisDoors
from orchestrator.gateway.over_redis.place import RedisPlace
from orchestrator.terminal.stream import Chunk
from tests.contracts.redis_server import RedisServer, redis_server
from tests.fakes.inner_doors import ByRedis, BySockets, Way, eventually
from tests.fakes.inner_place import ANA, Place, a_place, heard, shown
from tests.fakes.terminal_stage import HOST, FakeClient, a_visit, play, settle

pytestmark = pytest.mark.enable_socket

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
MUCH = 2 * 1024 * 1024  # more than every buffer on the way


@pytest.fixture(scope="module")
def redis(docker_client: docker.DockerClient) -> Iterator[RedisServer]:
    with redis_server(docker_client) as server:
        yield server


@pytest.fixture
def place(redis: RedisServer) -> RedisPlace:
    """Lend a place where nobody is."""
    return RedisPlace(url=redis.url, installation=f"test-{secrets.token_hex(4)}")


@pytest.fixture(params=["sockets", pytest.param("redis", marks=pytest.mark.engine)])
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Way:
    if request.param == "sockets":
        return BySockets(tmp_path / "gateways")
    return ByRedis(tmp_path, request.getfixturevalue("place"))


@contextlib.asynccontextmanager
async def served(
    way: Way, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[Door]:
    """Lend the door, as others find it, behind which every connection is served so."""
    folder = way.folder()
    folder.mkdir(parents=True)
    door = SocketDoor(folder / "k3f.sock")
    async with await asyncio.start_unix_server(serve, door.path), way.announced(door):
        [found] = await way.doors.found()
        yield found


@contextlib.asynccontextmanager
async def a_gateway(way: Way) -> AsyncIterator[Place]:
    async with a_place(way.folder(), way.doors) as place, way.announced(place.door.door):
        yield place


async def streams(door: Door, held: contextlib.AsyncExitStack) -> Streams:
    connection = await held.enter_async_context(door.opened())
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    held.push_async_callback(closed, writer)
    return reader, writer


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def test_bytes_go_both_ways_at_once_whole_and_in_order(way: Way) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100_000):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def story() -> None:
        sent = secrets.token_bytes(MUCH)
        async with served(way, echo) as door, contextlib.AsyncExitStack() as held:
            reader, writer = await streams(door, held)
            writer.write(sent)
            assert await reader.readexactly(MUCH) == sent

    play(story())


def test_who_does_not_read_holds_the_other_end_up(way: Way) -> None:
    written = []

    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(MUCH // 1024):
            writer.write(b"y" * 1024)
            await writer.drain()
            written.append(1024)
        writer.close()

    async def story() -> None:
        async with served(way, flood) as door, contextlib.AsyncExitStack() as held:
            connection = await held.enter_async_context(door.opened())
            await eventually(lambda: bool(written))
            before = -1
            while len(written) > before:
                before = len(written)
                await asyncio.sleep(0.3)
            assert sum(written) < MUCH * 3 / 4
            reader, writer = await asyncio.open_unix_connection(sock=connection)
            held.push_async_callback(closed, writer)
            assert len(await reader.read(-1)) == MUCH

    play(story())


def test_the_last_words_come_before_the_end(way: Way) -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"last words")
        writer.close()

    async def story() -> None:
        async with served(way, serve) as door, contextlib.AsyncExitStack() as held:
            reader, _ = await streams(door, held)
            assert await reader.read(-1) == b"last words"

    play(story())


def test_a_gateway_learns_that_the_other_side_went(way: Way) -> None:
    seen = asyncio.Queue[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"!")
        seen.put_nowait(await reader.read(-1))
        writer.close()

    async def story() -> None:
        async with served(way, serve) as door:
            async with contextlib.AsyncExitStack() as held:
                reader, writer = await streams(door, held)
                writer.write(b"bye")
                assert await reader.readexactly(1) == b"!"
            assert await seen.get() == b"bye"

    play(story())


def test_nobody_behind_a_door_is_told_soon(way: Way) -> None:
    async def story() -> None:
        async with a_gateway(way):
            [door] = await way.doors.found()
        assert await way.doors.found() == ()
        with pytest.raises(GatewayAwayError):
            await ask(door, List())

    play(story())


def test_gateways_are_found_by_name_and_listed_with_what_they_have(way: Way) -> None:
    async def story() -> None:
        async with a_gateway(way) as one, a_gateway(way) as other:
            one.process()
            one.live.join(a_visit(login="ana"), FakeClient())
            await settle()
            names = [door.name for door in await way.doors.found()]
            assert names == sorted((one.door.name, other.door.name))
            assert [facts.login for facts in await other.gateways.sessions()] == ["ana"]
            elsewhere = await other.neighbours.about("ana", HOST.world)
            assert (elsewhere.of_person("ana"), elsewhere.of_team(HOST.world)) == (1, 1)

    play(story())


def test_a_page_gets_its_terminal_wherever_the_gateway_is(way: Way) -> None:
    async def story() -> None:
        async with a_gateway(way) as place:
            process = place.process()
            async with Gateways(way.doors).entering(ANA) as page:
                await heard(page, "opened")
                await page.send(b"id\r")
                await eventually(lambda: bytes(process.input) == b"id\r")
                process.output.put_nowait(Chunk(data=b"uid=1"))
                await shown(page, b"uid=1")
                process.ends(3)
                assert (await heard(page, "ended"))["code"] == 3

    play(story())


def test_a_terminal_is_watched_spoken_to_and_ended_wherever_it_is(way: Way) -> None:
    async def story() -> None:
        async with a_gateway(way) as one, a_gateway(way) as other:
            process, client = one.process(), FakeClient()
            session = one.live.join(a_visit(), client).visit.id
            await settle()
            found = await other.gateways.find(session)
            async with found.watched() as eye:
                await heard(eye, "opened")
                process.output.put_nowait(Chunk(data=b"secret plan"))
                await shown(eye, b"secret plan")
                await found.say("Look at the log")
                await shown(eye, b"Look at the log")
                await found.end(sentence="Time is up", by="Nina")
                await heard(eye, "ended")
            await eventually(lambda: bool(client.codes))
            assert b"Nina ended it: Time is up" in client.shown + client.errors
            with pytest.raises(TerminalClosedError):
                await other.gateways.find(session)

    play(story())


def test_what_is_kept_at_one_gateway_is_given_back_at_another(way: Way) -> None:
    async def story() -> None:
        async with a_gateway(way) as one, a_gateway(way) as other:
            process = one.process()
            left = one.live.join(a_visit(), FakeClient())
            process.output.put_nowait(Chunk(data=b"secret plan"))
            await settle()
            left.hang_up()
            client = FakeClient()
            elsewhere = await other.neighbours.about("ana", HOST.world)
            held = elsewhere.resume(a_visit(), client)
            assert held is not None
            await eventually(lambda: b"You are back" in client.shown)
            held.received(b"id\r")
            await eventually(lambda: bytes(process.input) == b"id\r")
            held.hang_up()
            await eventually(lambda: [one.kept_since is None for one in one.live] == [False])

    play(story())


@pytest.mark.engine
def test_a_line_whose_connections_to_redis_are_cut_ends_on_both_sides(
    place: RedisPlace, tmp_path: Path
) -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"!")
        await reader.read(-1)
        writer.close()
        ended.set()

    async def story() -> None:
        way = ByRedis(tmp_path, place)
        async with served(way, serve) as door, contextlib.AsyncExitStack() as held:
            reader, _ = await streams(door, held)
            assert await reader.readexactly(1) == b"!"
            async with Redis.from_url(place.url) as redis:
                await redis.client_kill_filter(_type="pubsub")
            assert await reader.read(-1) == b""
            await ended.wait()

    play(story())


@pytest.mark.engine
def test_gateways_find_each_other_again_after_redis(
    redis: RedisServer, place: RedisPlace, tmp_path: Path
) -> None:
    async def story() -> None:
        door, doors = SocketDoor(tmp_path / "k3f.sock"), RedisDoors(place)
        bell = Bell(place, door)
        redis.kill()
        try:
            bell.start()
            assert await doors.found() == ()
            assert not bell.is_heard
        finally:
            await asyncio.to_thread(redis.start)
        await eventually(lambda: bell.is_heard)
        assert [found.name for found in await doors.found()] == ["k3f"]
        await bell.close()
        assert await doors.found() == ()

    play(story())


@pytest.mark.engine
def test_installations_that_share_a_redis_do_not_meet(place: RedisPlace, tmp_path: Path) -> None:
    async def story() -> None:
        other = RedisPlace(url=place.url, installation=f"{place.installation}-2")
        async with a_gateway(ByRedis(tmp_path, place)):
            assert len(await RedisDoors(place).found()) == 1
            assert await RedisDoors(other).found() == ()

    play(story())
