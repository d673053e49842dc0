"""A terminal that another gateway keeps, for a client that came here."""

import asyncio
import contextlib

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from core.background import spawn
from orchestrator.gateway.doors import Door
from orchestrator.gateway.inner_line import GatewayAwayError, asking
from orchestrator.gateway.inner_words import (
    LARGEST_FRAME,
    TOLD,
    Ended,
    Enter,
    Kill,
    Refused,
    Resize,
    Size,
)
from orchestrator.terminal.ending import CANNOT_SERVE
from orchestrator.terminal.showing import Client
from orchestrator.terminal.stream import TerminalSize
from orchestrator.terminal.visit import Visit

_HIGH = 256 * 1024
_LOW = 64 * 1024
_END_OF_TRANSMISSION = b"\x04"
_LOST = "The gateway that kept this terminal is gone; log in again\r\n"


class Relayed:
    """A client's hold on such a terminal; what it does is what an `Attachment` does on one here."""

    def __init__(self, visit: Visit, client: Client, *, door: Door, request: Enter) -> None:
        self.visit = visit
        self._client = client
        self._door = door
        self._request = request
        self._outbox: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self._outbox_bytes = 0
        self._is_full = False
        self._is_there = True
        self._ready = asyncio.Event()
        self._ready.set()
        _ = spawn(self._run())

    def received(self, data: bytes) -> None:
        """Take input from the client; it is paused when the other gateway does not keep up."""
        for start in range(0, len(data), LARGEST_FRAME):
            self._put(data[start : start + LARGEST_FRAME])

    def received_eof(self) -> None:
        """Take the end of the client's input: on a terminal Ctrl-D."""
        self.received(_END_OF_TRANSMISSION)

    def resized(self, size: TerminalSize) -> None:
        """Give the process's terminal the size of the client's."""
        self._put(Resize(size=Size(columns=size.columns, rows=size.rows)).model_dump_json())

    def client_full(self) -> None:
        """Take no more output until `client_drained`."""
        self._ready.clear()

    def client_drained(self) -> None:
        """Take output again."""
        self._ready.set()

    def hang_up(self) -> None:
        """Leave: the client is gone. The other gateway keeps the terminal again."""
        if self._is_there:
            self._is_there = False
            self._ready.set()
            self._outbox.put_nowait(None)

    def kill(self, *, signal: int) -> None:
        """End everything as the client asked."""
        self._put(Kill(signal=signal).model_dump_json())

    def _put(self, frame: bytes | str) -> None:
        if not self._is_there:
            return
        self._outbox.put_nowait(frame)
        self._outbox_bytes += len(frame)
        if self._outbox_bytes > _HIGH and not self._is_full:
            self._is_full = True
            self._client.pause()

    async def _run(self) -> None:
        try:
            async with asking(self._door, self._request) as connection:
                sending = spawn(self._send(connection))
                try:
                    await self._show(connection)
                finally:
                    sending.cancel()
        except (GatewayAwayError, ConnectionClosed):
            self._end(CANNOT_SERVE, _LOST)

    async def _send(self, connection: ClientConnection) -> None:
        """Send until the client is gone, and close then."""
        with contextlib.suppress(ConnectionClosed):
            while (frame := await self._outbox.get()) is not None:
                await connection.send(frame)
                self._outbox_bytes -= len(frame)
                if self._is_full and self._outbox_bytes < _LOW:
                    self._is_full = False
                    self._client.resume()
            await connection.close()

    async def _show(self, connection: ClientConnection) -> None:
        """Show until the end; raises ConnectionClosed when the other gateway went before."""
        while True:
            message = await connection.recv()
            await self._ready.wait()
            if isinstance(message, bytes):
                if self._is_there:
                    self._client.write(message)
                continue
            told = TOLD.validate_json(message)
            if isinstance(told, Ended):
                self._end(told.code)
                return
            if isinstance(told, Refused):
                self._end(CANNOT_SERVE, f"{told.sentence}\r\n")
                return

    def _end(self, code: int, sentence: str = "") -> None:
        if not self._is_there:
            return
        self._is_there = False
        if sentence:
            self._client.write_error(sentence.encode())
        self._client.exit(code)
