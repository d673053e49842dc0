"""A connection to a process that is handed on beside an answer."""

import asyncio
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engine.handed import Handed, hand_on, receive_head


def told(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


def pair() -> tuple[socket.socket, socket.socket]:
    near, far = socket.socketpair(socket.AF_UNIX)
    near.settimeout(0)
    far.settimeout(0)
    return near, far


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("early", [b"", b"prompt$ ", b"x" * 60_000])
def test_a_connection_goes_over_with_what_came_of_it_already(early: bytes) -> None:
    async def story() -> None:
        wire, client = pair()
        engine, process = pair()
        hand_on(wire, Handed(connection=process, early=early))
        process.close()
        got = await receive_head(client)
        assert got.head.startswith(b"HTTP/1.1 101 ")
        assert got.handed
        pipe = await Handed(connection=got.handed, early=got.rest, lease=client).pipe()
        engine.send(b"more")
        engine.close()
        assert await pipe.reader.read() == early + b"more"
        pipe.writer.close()
        await pipe.writer.wait_closed()
        assert wire.recv(1) == b"", "the lease ends with the connection"
        wire.close()

    told(story())


def test_an_answer_without_a_connection_comes_alone() -> None:
    async def story() -> None:
        wire, client = pair()
        wire.send(b"HTTP/1.1 404 X\r\n")
        asyncio.get_running_loop().call_later(0.01, wire.send, b"\r\n{}")
        got = await receive_head(client)
        assert (got.head, got.rest, got.handed) == (b"HTTP/1.1 404 X\r\n\r\n", b"{}", None)
        wire.close()
        client.close()

    told(story())


def test_an_answer_that_breaks_off_leaves_no_descriptor_behind() -> None:
    async def story() -> None:
        wire, client = pair()
        engine, process = pair()
        before = descriptors()
        socket.send_fds(wire, [b"HTTP/1.1 101 X\r\nEarly: 9\r\n\r\n"], [process.fileno()])
        wire.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            await receive_head(client)
        assert descriptors() == before
        for one in (wire, client, engine, process):
            one.close()

    told(story())


def test_a_head_without_an_end_is_no_answer() -> None:
    async def story() -> None:
        wire, client = pair()
        wire.send(b"x" * 100_000)
        with pytest.raises(ValueError, match="head has no end"):
            await receive_head(client)
        wire.close()
        client.close()

    told(story())
