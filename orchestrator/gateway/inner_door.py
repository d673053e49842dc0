"""A gateway's inner door: how sessions are reached, over a unix socket with WebSocket frames.

Who may open the socket is believed: its folder is this user's alone. The API has asked who somebody
is and what they may; the doorkeeper still says where a login lands, and for how long.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog
from pydantic import ValidationError
from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from core.errors import Fault, PoligonError
from core.ids import new_id
from orchestrator.gateway.doors import SocketDoor
from orchestrator.gateway.inner_words import LARGEST_FRAME, REQUEST, Refused, Request

_log = structlog.get_logger()
# The library tells of every connection, and the API asks for the list every few seconds.
_QUIET = logging.getLogger("orchestrator.inner_door")
_QUIET.setLevel(logging.WARNING)

_FIRST_WORD_SECONDS = 10
_WAITING_FRAMES = 16

Answer = Callable[[ServerConnection, Request], Awaitable[None]]


class InnerDoorUnusableError(PoligonError):
    """The gateway cannot listen on its unix socket, so the browser reaches no terminal."""

    code = "gateway.inner_door_unusable"
    fault = Fault.UPSTREAM


class InnerDoor:
    """Takes connections, has each ask for one thing, and answers it by the kind of request."""

    def __init__(
        self, folder: Path, answers: Mapping[type[Request], Answer], *, name: str | None = None
    ) -> None:
        self.name = name or new_id(8)
        self._folder = folder
        self._answers = answers
        self.door = SocketDoor(folder / f"{self.name}.sock")
        self._server: Server | None = None

    async def start(self) -> None:
        """Listen, and remove what dead gateways left; raises InnerDoorUnusableError."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            await asyncio.to_thread(_remove_the_dead, self._folder)
            self._server = await unix_serve(
                self._serve,
                str(self.door.path),
                compression=None,
                ping_interval=None,  # a dead neighbour's socket is closed; a held one is not dead
                max_size=LARGEST_FRAME,
                max_queue=_WAITING_FRAMES,
                write_limit=LARGEST_FRAME,
                server_header=None,
                logger=_QUIET,
            )
        except OSError as error:
            raise InnerDoorUnusableError(
                f"the gateway cannot listen on {self.door.path}: {error.strerror or error}",
                hint="POLIGON_HOME must be a writable folder with a short path",
            ) from error
        _log.info("inner_door.opened", path=str(self.door.path))

    async def close(self) -> None:
        """Take nobody in, and end every connection."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
        self.door.path.unlink(missing_ok=True)

    async def _serve(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            try:
                async with asyncio.timeout(_FIRST_WORD_SECONDS):
                    request = REQUEST.validate_json(await connection.recv())
                await self._answers[type(request)](connection, request)
            except TimeoutError:
                return
            except ValidationError as error:
                await refuse(connection, "request.invalid", _what_is_wrong(error))
            except PoligonError as error:
                await refuse(connection, error.code, str(error))


async def refuse(connection: ServerConnection, code: str, sentence: str) -> None:
    """Tell why not; nothing follows."""
    await connection.send(Refused(code=code, sentence=sentence).model_dump_json())


def _what_is_wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _remove_the_dead(folder: Path) -> None:
    for path in folder.glob("*.sock"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1)
            refusal = probe.connect_ex(os.fspath(path))
        if refusal == errno.ECONNREFUSED:
            path.unlink(missing_ok=True)
            _log.info("inner_door.removed", path=str(path))
