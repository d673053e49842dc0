"""One request of a connection, read within bounds, and its answer. h11 knows the grammar."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import h11

from orchestrator.broker.refusal import BrokerRefusedError, RequestUnreadableError
from orchestrator.engine.handed import Handed, Pipe, hand_on

_MOST_READ = 16 * 1024
_MOST_IN_HEAD = 16 * 1024


class GoneError(ConnectionError):
    """The client left before it had asked anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A whole request. `early` is what came behind it already."""

    method: str
    target: str
    body: bytes
    upgrade: bool
    early: bytes


class Exchange:
    """A connection on which one thing is asked; whatever comes behind it is never a request."""

    def __init__(self, pipe: Pipe, *, most_in_body: int) -> None:
        self.pipe = pipe
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_MOST_IN_HEAD)
        self._most_in_body = most_in_body
        self._asked_for_head = False

    async def request(self) -> Request:
        """Return what is asked; raises RequestUnreadableError, and GoneError when nothing is."""
        head = await self._next()
        if not isinstance(head, h11.Request):
            raise GoneError
        self._asked_for_head = head.method == b"HEAD"
        headers = dict(head.headers)
        if b"transfer-encoding" in headers:
            raise BrokerRefusedError("the broker takes no encoded bodies: state Content-Length")
        if int(headers.get(b"content-length", 0)) > self._most_in_body:
            raise BrokerRefusedError(f"a body has at most {self._most_in_body} bytes")
        body = bytearray()
        while isinstance(piece := await self._next(), h11.Data):
            body += piece.data
        return Request(
            method=head.method.decode(),
            target=head.target.decode(),
            body=bytes(body),
            upgrade=b"upgrade" in headers,
            early=self._http.trailing_data[0],
        )

    async def _next(self) -> object:
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                self._http.receive_data(await self.pipe.reader.read(_MOST_READ))
        except h11.RemoteProtocolError as error:
            raise RequestUnreadableError(f"this is no request: {error}") from error
        return event

    async def answer(self, status: int, fields: Mapping[str, object]) -> None:
        """Answer with a JSON object; the connection's end follows."""
        body = json.dumps(fields).encode() if fields else b""
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        content = () if self._asked_for_head else (h11.Data(data=body),)
        await self._send(
            h11.Response(status_code=status, headers=headers), *content, h11.EndOfMessage()
        )

    def hand_on(self, process: Handed) -> None:
        """Answer with the connection to a process; raises OSError."""
        number = self.pipe.writer.get_extra_info("socket").fileno()
        with socket.socket(fileno=os.dup(number)) as wire:
            hand_on(wire, process)

    async def left(self) -> None:
        """Return when the client has let go; nothing that it says meanwhile is heard."""
        while await self.pipe.reader.read(_MOST_READ):
            pass

    async def _send(self, *events: h11.Event) -> None:
        for event in events:
            self.pipe.writer.write(self._http.send(event) or b"")
        await self.pipe.writer.drain()
