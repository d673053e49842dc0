"""What a TerminalEngine promises, on the real engine, and what ours makes of engines that err."""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from core.ids import ExerciseId
from orchestrator.domain.world import HostKey, WorldKey
from orchestrator.engine.exec_stream import DockerTerminals
from orchestrator.engine.unix_http import EngineAddressUnsupportedError
from orchestrator.ports import EngineRefusedError, EngineUnavailableError, HostGoneError
from orchestrator.terminal.stream import ExecStream, TerminalEngine, TerminalSize
from tests.fakes.broker_stage import DOCKER_HOST, a_broker
from tests.fakes.gateway_stage import ACCOUNT, Box, a_box, an_installation

OWNER = an_installation()
KEY = HostKey(world=WorldKey(exercise=ExerciseId("exercise"), team="team-1"), host="desk")


@pytest.fixture(scope="module")
def box(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as made:
        yield made


@pytest.fixture(scope="module", params=["direct", "through the broker"])
def terminals(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TerminalEngine]:
    with contextlib.ExitStack() as held:
        address = DOCKER_HOST
        if request.param != "direct":
            folder = tmp_path_factory.mktemp("broker")
            address = held.enter_context(a_broker(folder, installation=OWNER))
        yield DockerTerminals(address, installation=OWNER)


@contextlib.asynccontextmanager
async def opened(
    terminals: TerminalEngine, box: Box, script: str, *, size: TerminalSize | None = None
) -> AsyncIterator[ExecStream]:
    stream = await terminals.open(
        box.key, ("sh", "-c", script), account=ACCOUNT, environment={"MARK": "m"}, size=size
    )
    try:
        yield stream
    finally:
        stream.close()


async def all_of(stream: ExecStream) -> tuple[bytes, bytes]:
    out, err = bytearray(), bytearray()
    while chunk := await stream.read():
        (err if chunk.error else out).extend(chunk.data)
    return bytes(out), bytes(err)


async def code_of(stream: ExecStream) -> int:
    async with asyncio.timeout(60):
        while (code := await stream.exit_code()) is None:  # noqa: ASYNC110  # the port is a look
            await asyncio.sleep(0.02)
    return code


@pytest.mark.engine
@pytest.mark.enable_socket
@pytest.mark.parametrize("size", [None, TerminalSize(columns=80, rows=24)])
def test_a_program_that_is_not_there_is_a_sentence_and_not_the_engines_words(
    terminals: TerminalEngine, box: Box, size: TerminalSize | None
) -> None:
    async def story() -> None:
        stream = await terminals.open(
            box.key, ("/bin/nothing",), account=ACCOUNT, environment={}, size=size
        )
        try:
            with pytest.raises(EngineRefusedError, match="could not start a program in host desk"):
                await stream.read()
        finally:
            stream.close()

    asyncio.run(story())


@pytest.mark.engine
@pytest.mark.enable_socket
def test_output_errors_environment_and_exit_code_come_back(
    terminals: TerminalEngine, box: Box
) -> None:
    async def story() -> None:
        async with opened(
            terminals, box, "echo $MARK $(id -un) $(pwd); echo oh >&2; exit 9"
        ) as stream:
            assert await all_of(stream) == (b"m trainee /\n", b"oh\n")
            assert await code_of(stream) == 9

    asyncio.run(story())


@pytest.mark.engine
@pytest.mark.enable_socket
def test_there_is_no_exit_code_as_long_as_it_runs(terminals: TerminalEngine, box: Box) -> None:
    async def story() -> None:
        async with opened(terminals, box, "cat") as stream:
            assert await stream.exit_code() is None
            stream.write_eof()
            assert await code_of(stream) == 0

    asyncio.run(story())


@pytest.mark.engine
@pytest.mark.enable_socket
def test_the_end_of_stdin_leaves_the_output_open(terminals: TerminalEngine, box: Box) -> None:
    sent = bytes(range(256)) * 4096 * 20

    async def story() -> tuple[bytes, bytes]:
        async with opened(terminals, box, "cat; echo end >&2") as stream:
            reading = asyncio.ensure_future(all_of(stream))
            for start in range(0, len(sent), 50_000):
                await stream.write(sent[start : start + 50_000])
            stream.write_eof()
            return await reading

    out, err = asyncio.run(story())
    assert hashlib.sha256(out).digest() == hashlib.sha256(sent).digest()
    assert err == b"end\n"


@pytest.mark.engine
@pytest.mark.enable_socket
def test_a_terminal_takes_sizes(terminals: TerminalEngine, box: Box) -> None:
    async def story() -> bytes:
        size = TerminalSize(columns=91, rows=17)
        async with opened(terminals, box, "read _; stty size", size=size) as stream:
            await resized(stream, size)
            await stream.write(b"\n")
            return (await all_of(stream))[0]

    assert b"17 91" in asyncio.run(story())


@pytest.mark.engine
@pytest.mark.enable_socket
def test_every_key_reaches_a_terminal_at_once(terminals: TerminalEngine, box: Box) -> None:
    """The engine has keys of its own, that leave a terminal: Ctrl-P Ctrl-Q, if it is not told."""
    script = "stty raw -echo; echo ready; dd bs=1 count=1; dd bs=1 count=2; echo end"

    async def story() -> None:
        async with opened(terminals, box, script, size=TerminalSize(columns=80, rows=24)) as stream:
            await shown(stream, b"ready")
            await stream.write(b"\x10")
            await shown(stream, b"\x10")
            await stream.write(b"\x10\x11")
            assert b"\x10\x11" in await shown(stream, b"end")

    asyncio.run(story())


@pytest.mark.engine
@pytest.mark.enable_socket
def test_a_host_that_is_not_there_is_told(terminals: TerminalEngine, box: Box) -> None:
    elsewhere = replace(box, key=replace(box.key, host="nowhere"))

    async def story() -> None:
        with pytest.raises(HostGoneError, match="host nowhere of team-1 is not running"):
            async with opened(terminals, elsewhere, "true"):
                pass

    asyncio.run(story())


@pytest.mark.engine
@pytest.mark.enable_socket
def test_a_paused_host_is_told_as_not_running(terminals: TerminalEngine, box: Box) -> None:
    async def story() -> None:
        with pytest.raises(HostGoneError):
            async with opened(terminals, box, "true"):
                pass

    box.container.pause()
    try:
        asyncio.run(story())
    finally:
        box.container.unpause()


@pytest.mark.engine
@pytest.mark.enable_socket
def test_input_for_a_process_that_ended_is_dropped(terminals: TerminalEngine, box: Box) -> None:
    async def story() -> None:
        async with opened(terminals, box, "true") as stream:
            await all_of(stream)
            for _try in range(5):
                await stream.write(b"x" * 100_000)
            stream.write_eof()

    asyncio.run(story())


@pytest.mark.engine
@pytest.mark.enable_socket
def test_a_process_killed_in_a_living_host_has_its_code(
    terminals: TerminalEngine, box: Box
) -> None:
    async def story() -> int:
        async with opened(terminals, box, "kill -9 $$") as stream:
            await all_of(stream)
            return await code_of(stream)

    assert asyncio.run(story()) == 137


@pytest.mark.engine
@pytest.mark.enable_socket
def test_a_host_that_runs_anew_at_once_is_told_as_not_running(tmp_path: Path) -> None:
    async def story(terminals: TerminalEngine, victim: Box) -> None:
        async with opened(terminals, victim, "echo in; exec sleep 1000") as stream:
            await stream.read()
            await asyncio.to_thread(victim.container.restart, timeout=0)
            await all_of(stream)
            with pytest.raises(HostGoneError, match="it stopped, or was reset"):
                await code_of(stream)

    with a_box(OWNER, "victim") as victim, a_broker(tmp_path, installation=OWNER) as broker:
        asyncio.run(story(DockerTerminals(broker, installation=OWNER), victim))


async def shown(stream: ExecStream, wanted: bytes) -> bytes:
    seen = b""
    async with asyncio.timeout(60):
        while wanted not in seen:
            chunk = await stream.read()
            assert chunk, seen
            seen += chunk.data
    return seen


async def resized(stream: ExecStream, size: TerminalSize) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(EngineRefusedError):
                return await stream.resize(size)


Story = Callable[[TerminalEngine], Awaitable[None]]


def with_an_engine_that_answers(
    folder: Path, story: Story, *answers: bytes
) -> list[dict[str, Any]]:
    """Run a story against a socket that gives `answers` in turn; return what was asked."""
    asked: list[dict[str, Any]] = []
    waiting = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        asked.append(json.loads(await reader.readexactly(int(fields[b"Content-Length"])) or b"{}"))
        writer.write(waiting.pop(0))
        await writer.drain()
        writer.close()

    async def play() -> None:
        server = await asyncio.start_unix_server(serve, folder / "engine.sock")
        try:
            await story(DockerTerminals(f"unix://{folder / 'engine.sock'}", installation="x"))
        finally:
            server.close()
            await server.wait_closed()

    asyncio.run(play())
    return asked


def answer(status: str, body: str = "") -> bytes:
    return f"HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n{body}".encode()


CREATED = answer("201 Created", '{"Id": "abc"}')
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n"


async def enters(engine: TerminalEngine, *, size: TerminalSize | None = None) -> ExecStream:
    return await engine.open(KEY, ("true",), account="a", environment={}, size=size)


@pytest.mark.parametrize(
    "told", [answer("200 OK", '{"Running": false, "ExitCode": 0}'), answer("404 Not Found", "{}")]
)
def test_input_that_nobody_takes_any_more_does_not_block(tmp_path: Path, told: bytes) -> None:
    """The engine stops reading when the process ends, and keeps the connection open."""
    waiting = [CREATED, UPGRADED, told]
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reply = waiting.pop(0)
        writer.write(reply)
        if reply == UPGRADED:
            await gone.wait()
        writer.close()

    async def story() -> None:
        server = await asyncio.start_unix_server(serve, tmp_path / "engine.sock")
        engine = DockerTerminals(f"unix://{tmp_path / 'engine.sock'}", installation="x")
        async with asyncio.timeout(60):
            stream = await enters(engine)
            for _try in range(5):
                await stream.write(b"x" * 1_000_000)
            stream.write_eof()
        assert waiting == [], "it was asked once whether the process lives, and no more"
        stream.close()
        gone.set()
        server.close()
        await server.wait_closed()

    asyncio.run(story())


def test_the_terminals_size_is_told_at_the_start(tmp_path: Path) -> None:
    async def story(engine: TerminalEngine) -> None:
        (await enters(engine, size=TerminalSize(columns=91, rows=17))).close()

    made, started = with_an_engine_that_answers(tmp_path, story, CREATED, UPGRADED)
    assert made["ConsoleSize"] == started["ConsoleSize"] == [17, 91]
    assert made["WorkingDir"] == "/"


def test_frames_that_arrive_cut_anywhere_are_put_together(tmp_path: Path) -> None:
    frames = b"\x01\0\0\0\0\0\0\x03out" + b"\x02\0\0\0\0\0\0\0" + b"\x02\0\0\0\0\0\0\x03err"

    async def story(engine: TerminalEngine) -> None:
        stream = await enters(engine)
        assert await all_of(stream) == (b"out", b"err")
        stream.close()

    with_an_engine_that_answers(tmp_path, story, CREATED, UPGRADED + frames + b"\x01\0\0")


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ([answer("404 Not Found", '{"message": "No such container"}')], HostGoneError),
        ([answer("409 Conflict", '{"message": "is paused"}')], HostGoneError),
        ([answer("500 Error", '{"message": "out of it"}')], EngineRefusedError),
        ([answer("503 Busy", '{"message": "starting"}')], EngineUnavailableError),
        ([CREATED, answer("500 Error", '{"message": "out of it"}')], EngineRefusedError),
        ([answer("201 Created", "no JSON")], EngineRefusedError),
        ([CREATED, b""], EngineUnavailableError),
        ([b"SSH-2.0-not-http\r\n\r\n"], EngineUnavailableError),
        ([b"HTTP/1.1 "], EngineUnavailableError),
    ],
)
def test_an_engine_that_does_not_do_it_is_told_in_our_words(
    tmp_path: Path, answers: list[bytes], error: type[Exception]
) -> None:
    async def story(engine: TerminalEngine) -> None:
        with pytest.raises(error):
            await enters(engine)

    with_an_engine_that_answers(tmp_path, story, *answers)


def test_an_engine_that_is_not_there_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(EngineUnavailableError):
            await enters(DockerTerminals(f"unix://{tmp_path / 'none.sock'}", installation="x"))

    asyncio.run(story())


def test_an_engine_that_keeps_the_connection_it_refused_is_not_waited_for(tmp_path: Path) -> None:
    said = b'HTTP/1.1 409 Conflict\r\nContent-Length: 24\r\n\r\n{"message": "is paused"}'
    waiting, gone, closed = [CREATED, said], asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        reply = waiting.pop(0)
        writer.write(reply)
        if reply == said:
            await gone.wait()
        writer.close()
        await writer.wait_closed()
        closed.set()

    async def story() -> None:
        server = await asyncio.start_unix_server(serve, tmp_path / "engine.sock")
        engine = DockerTerminals(f"unix://{tmp_path / 'engine.sock'}", installation="x")
        async with asyncio.timeout(60):
            with pytest.raises(HostGoneError):
                await enters(engine)
            closed.clear()  # after the first of the two
            gone.set()
            await closed.wait()
        server.close()
        await server.wait_closed()

    asyncio.run(story())


def test_an_engine_may_notice_a_second_late_that_a_host_ended_with_what_was_inside(
    tmp_path: Path,
) -> None:
    killed = answer("200 OK", '{"Running": false, "ExitCode": 137}')
    runs, ended = (
        answer("200 OK", f'{{"Id": "c", "State": {{"Running": {state}}}}}')
        for state in ("true", "false")
    )

    async def story(engine: TerminalEngine) -> None:
        stream = await enters(engine)
        began = time.monotonic()
        with pytest.raises(HostGoneError, match="it stopped, or was reset"):
            await stream.exit_code()
        assert time.monotonic() - began > 1
        stream.close()

    with_an_engine_that_answers(tmp_path, story, CREATED, UPGRADED, killed, *[runs] * 4, ended)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:2375", "ssh://range", "/var/run/docker.sock"])
def test_another_way_to_the_engine_is_refused(address: str) -> None:
    with pytest.raises(EngineAddressUnsupportedError, match="terminals reach the engine over"):
        DockerTerminals(address, installation="x")
