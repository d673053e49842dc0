"""A broker in front of the real engine, for tests."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.broker.server import Broker, Limits
from orchestrator.engine.unix_http import UnixHttp

DOCKER_HOST = "unix:///var/run/docker.sock"
_PATIENCE_SECONDS = 50


@contextmanager
def a_broker(
    folder: Path,
    *,
    installation: str,
    limits: Limits | None = None,
    docker_host: str = DOCKER_HOST,
    toolbox: str = "",
) -> Iterator[str]:
    """Run a broker in a thread of its own; returns its address."""
    place = folder / "broker" / "engine.sock"
    broker = Broker(
        UnixHttp(docker_host),
        installation=installation,
        toolbox=toolbox,
        place=place,
        limits=limits,
    )
    with a_loop() as loop:
        asyncio.run_coroutine_threadsafe(broker.start(), loop).result(timeout=60)
        try:
            yield f"unix://{place}"
        finally:
            asyncio.run_coroutine_threadsafe(broker.close(), loop).result(timeout=60)


@contextmanager
def a_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread of its own; what runs on it is let end."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="loop")
    thread.start()
    try:
        yield loop
    finally:
        try:
            asyncio.run_coroutine_threadsafe(_settle(loop), loop).result(timeout=60)
        finally:  # or its thread would keep the process from ending
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


async def _settle(loop: asyncio.AbstractEventLoop) -> None:
    """Let the last connections and threads end, so that nothing is destroyed half-way.

    Raises TimeoutError with what does not end; what a client waits for is not among it.
    """
    deadline = loop.time() + _PATIENCE_SECONDS
    while left := [*_tasks(), *_open_transports(loop)]:
        if loop.time() > deadline:
            raise TimeoutError(f"still there at the end of the loop: {left}")
        await asyncio.sleep(0.01)
    await loop.shutdown_default_executor()


def _tasks() -> list[object]:
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def _open_transports(loop: asyncio.AbstractEventLoop) -> list[object]:
    """Return what a loop has not closed yet: it takes turns of its own for that."""
    transports = vars(loop)["_transports"].values()
    return [transport for transport in transports if vars(transport)["_sock"] is not None]
