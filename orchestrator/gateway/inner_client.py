"""A WebSocket of the inner door as the client of a terminal session."""

import asyncio
from collections import deque

from pydantic import ValidationError
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from core.background import spawn
from orchestrator.gateway.inner_words import SENT, Ended, Kill, Opened, Resize, Told
from orchestrator.terminal.attachment import Attachment
from orchestrator.terminal.stream import TerminalSize

_HIGH = 512 * 1024
_LOW = 128 * 1024


class InnerClient:
    """Shows a session's output on a connection. `deliver` must run as long as the session does."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        self._outbox: deque[bytes | str] = deque()
        self._outbox_bytes = 0
        self._is_full = False
        self._is_over = False
        self._something = asyncio.Event()
        self._sentence = ""
        self._session: Attachment | None = None
        self.ready = asyncio.Event()
        self.ready.set()

    def serves(self, session: Attachment) -> None:
        """Tell which session is shown: it is held while the connection is slower than it."""
        self._session = session

    async def deliver(self) -> None:
        """Send until the end has been sent; raises ConnectionClosed when the other side went."""
        while True:
            while self._outbox:
                message = self._outbox.popleft()
                await self._connection.send(message)
                self._outbox_bytes -= len(message)
                self._let_flow()
            if self._is_over:
                return
            self._something.clear()
            await self._something.wait()

    def opened(self, opened: Opened) -> None:
        """Tell which session it is, before the last screen of one that was kept."""
        self._outbox.appendleft(opened.model_dump_json())
        self._outbox_bytes += len(self._outbox[0])
        self._something.set()

    def leave(self, told: Told | None = None) -> None:
        """Have `deliver` return, after a last word if there is one; what follows is dropped."""
        if told:
            self._put(told.model_dump_json())
        self._is_over = True
        self._something.set()

    # What the session asks

    def write(self, data: bytes) -> None:
        """Show output."""
        self._put(data)

    def write_error(self, data: bytes) -> None:
        """Show why it ended: a terminal has no stderr of its own."""
        self._sentence = data.decode(errors="replace").strip()
        self._put(data)

    def exit(self, code: int) -> None:
        """Tell the end, after which `deliver` returns."""
        self.leave(Ended(code=code, sentence=self._sentence))

    def pause(self) -> None:
        """Take no more input: the connection fills up, and the page's own buffer."""
        self.ready.clear()

    def resume(self) -> None:
        """Take input again."""
        self.ready.set()

    def _put(self, message: bytes | str) -> None:
        if self._is_over:
            return
        self._outbox.append(message)
        self._outbox_bytes += len(message)
        self._something.set()
        if self._session and not self._is_full and self._outbox_bytes > _HIGH:
            self._is_full = True
            self._session.client_full()

    def _let_flow(self) -> None:
        if self._session and self._is_full and self._outbox_bytes < _LOW:
            self._is_full = False
            self._session.client_drained()


async def carry(connection: ServerConnection, client: InnerClient, session: Attachment) -> None:
    """Carry frames between a connection and a session until either ends."""
    hearing = spawn(_hear(connection, client, session))
    try:
        await client.deliver()
    finally:
        hearing.cancel()


async def _hear(connection: ServerConnection, client: InnerClient, session: Attachment) -> None:
    try:
        async for message in connection:
            if isinstance(message, bytes):
                session.received(message)
            else:
                match SENT.validate_json(message):
                    case Resize(size=size):
                        session.resized(TerminalSize(columns=size.columns, rows=size.rows))
                    case Kill(signal=signal):
                        session.kill(signal=signal)
            await client.ready.wait()
    except ValidationError:
        await connection.close(CloseCode.INVALID_DATA, "not what a terminal tells")
    except ConnectionClosed:
        pass
    finally:
        client.leave()
