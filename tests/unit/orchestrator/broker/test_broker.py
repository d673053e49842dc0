"""The broker before an engine that says what a test wants, over sockets in a folder."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.broker.server import Broker, BrokerAddressUnusableError, Limits
from orchestrator.engine.exec_stream import DockerTerminals
from orchestrator.engine.unix_http import UnixHttp
from orchestrator.ports import EngineRefusedError, EngineUnavailableError
from tests.fakes.gateway_stage import key_of, labels_of

OWNER = "inst"
HOST = key_of("desk")
ID = "c" * 64
EXEC = "e" * 64
UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\n"

Story = Callable[[DockerTerminals, "Engine"], Awaitable[None]]


def answer(status: int, fields: object) -> bytes:
    return f"HTTP/1.0 {status} X\r\n\r\n{json.dumps(fields)}".encode()


SEEN = answer(
    200,
    {"Id": ID, "Config": {"Labels": labels_of(OWNER, HOST)}, "State": {"Running": True, "Pid": 1}},
)
MADE = answer(201, {"Id": EXEC})


class Engine:
    """Gives `answers` in turn; keeps what it was asked, and says when a process's client left."""

    def __init__(self, *answers: bytes) -> None:
        self.asked: list[str] = []
        self.left = asyncio.Event()
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.partition(" HTTP")[0])
        await reader.readexactly(int(head.partition("Content-Length: ")[2].split()[0]))
        reply = self._answers.pop(0)
        writer.write(reply)
        if reply == UPGRADED:
            await reader.read()
            self.left.set()
        writer.close()


def played(folder: Path, story: Story, *answers: bytes, limits: Limits | None = None) -> Engine:
    """Run a story of one that enters hosts through a broker; returns the engine."""

    async def play() -> Engine:
        engine, place = Engine(*answers), folder / "b" / "engine.sock"
        server = await asyncio.start_unix_server(engine.serve, folder / "real.sock")
        broker = Broker(
            UnixHttp(f"unix://{folder / 'real.sock'}"),
            installation=OWNER,
            toolbox="tools",
            place=place,
            limits=limits,
        )
        await broker.start()
        try:
            async with asyncio.timeout(10):
                await story(DockerTerminals(f"unix://{place}", installation=OWNER), engine)
        finally:
            await broker.close()
            server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                await asyncio.wait(others, timeout=10)
        return engine

    return asyncio.run(play())


async def enter(terminals: DockerTerminals, _engine: Engine | None = None) -> None:
    (await terminals.open(HOST, ("sh",), account="ana", environment={})).close()


def test_a_host_is_asked_for_by_its_name_and_entered_by_its_id(tmp_path: Path) -> None:
    engine = played(tmp_path, enter, SEEN, MADE, UPGRADED)
    assert engine.asked == [
        f"GET /containers/poligon.{OWNER}.exercise.team-1.desk/json",
        f"POST /containers/{ID}/exec",
        f"POST /exec/{EXEC}/start",
    ]


def test_a_client_that_leaves_leaves_nothing_open_at_the_engine(tmp_path: Path) -> None:
    async def story(terminals: DockerTerminals, engine: Engine) -> None:
        await enter(terminals)
        await engine.left.wait()

    played(tmp_path, story, SEEN, MADE, UPGRADED)


def test_an_engine_that_is_away_is_told_as_that(tmp_path: Path) -> None:
    async def story(terminals: DockerTerminals, _engine: Engine) -> None:
        with pytest.raises(EngineUnavailableError) as told:
            await enter(terminals)
        assert str(told.value) == "the range's engine does not answer. Try again shortly"

    played(tmp_path, story, b"")


def test_an_engine_that_answers_what_no_engine_does_is_not_believed(tmp_path: Path) -> None:
    async def story(terminals: DockerTerminals, _engine: Engine) -> None:
        with pytest.raises(EngineRefusedError):
            await enter(terminals)

    engine = played(tmp_path, story, answer(200, {"Id": ID}))
    assert len(engine.asked) == 1


def test_processes_that_nobody_starts_are_bounded_and_forgotten(tmp_path: Path) -> None:
    refused = answer(500, {"message": "not now"})

    async def story(terminals: DockerTerminals, _engine: Engine) -> None:
        for _ in range(2):
            with pytest.raises(EngineRefusedError, match="not now"):
                await enter(terminals)
        with pytest.raises(EngineUnavailableError, match="2 processes are remembered"):
            await enter(terminals)

    other = answer(201, {"Id": "f" * 64})
    limits = Limits(execs=2)
    played(tmp_path, story, SEEN, MADE, refused, SEEN, other, refused, limits=limits)

    async def later(terminals: DockerTerminals, _engine: Engine) -> None:
        with pytest.raises(EngineRefusedError, match="long over"):
            await enter(terminals)

    played(tmp_path, later, SEEN, MADE, limits=Limits(kept_seconds=0))


def test_a_place_where_it_cannot_listen_is_named(tmp_path: Path) -> None:
    place = tmp_path / ("x" * 100) / "engine.sock"
    broker = Broker(UnixHttp("unix:///nowhere"), installation=OWNER, toolbox="", place=place)
    with pytest.raises(BrokerAddressUnusableError, match="AF_UNIX path too long"):
        asyncio.run(broker.start())


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "engine.sock"
    place.write_text("mine")
    broker = Broker(UnixHttp("unix:///nowhere"), installation=OWNER, toolbox="", place=place)
    with pytest.raises(BrokerAddressUnusableError):
        asyncio.run(broker.start())
    assert place.read_text() == "mine"
