"""Input on its way to a process, which pauses the client when the process does not take it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from orchestrator.terminal.stream import ExecStream

_HIGH = 256 * 1024
_LOW = 64 * 1024


class Typist(Protocol):
    """One whose input can be held up."""

    def pause(self) -> None:
        """Send no input until `resume`."""
        ...

    def resume(self) -> None:
        """Send input again."""
        ...


class Intake:
    """What was typed and not taken yet; its client is paused above 256 KiB, until below 64."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._bytes = 0
        self._client: Typist | None = None
        self.is_full = False

    def attach(self, client: Typist) -> None:
        """Have this client paused from now on."""
        self._client = client
        if self.is_full:
            client.pause()

    def detach(self) -> None:
        """Have nobody paused."""
        self._client = None

    def put(self, data: bytes | None) -> None:
        """Take input, or with None its end."""
        self._waiting.put_nowait(data)
        self._bytes += len(data or b"")
        if self._bytes > _HIGH and not self.is_full:
            self.is_full = True
            if self._client:
                self._client.pause()

    def forget(self) -> None:
        """Drop what was typed for a process that is gone."""
        while not self._waiting.empty():
            self._count_off(self._waiting.get_nowait())

    async def feed(self, stream: ExecStream, *, ready: Callable[[], Awaitable[None]]) -> None:
        """Hand input to a process until the input ends; runs until it is cancelled otherwise.

        Before each piece it waits until the process is `ready` for it.
        """
        while (data := await self._waiting.get()) is not None:
            try:
                await ready()
                await stream.write(data)
            finally:
                self._count_off(data)
        stream.write_eof()

    def _count_off(self, data: bytes | None) -> None:
        self._bytes -= len(data or b"")
        if self.is_full and self._bytes < _LOW:
            self.is_full = False
            if self._client:
                self._client.resume()
