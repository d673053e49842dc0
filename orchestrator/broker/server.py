"""The broker: a socket on which hosts are entered, and on which nothing else can be asked."""

import asyncio
import os
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from core.errors import Fault, PoligonError
from orchestrator.broker.asked import (
    BeginReach,
    LookAtExec,
    LookAtHost,
    MakeExec,
    ResizeExec,
    StartExec,
    understood,
)
from orchestrator.broker.doors import Doors, EngineSaidNoError
from orchestrator.broker.execs import Execs
from orchestrator.broker.http import Exchange, Request
from orchestrator.broker.refusal import BrokerRefusedError, status_of
from orchestrator.engine.handed import Handed, Pipe
from orchestrator.engine.reach_toolbox import ReachToolbox
from orchestrator.engine.unix_http import UnixHttp

_log = structlog.get_logger()

_FOLDER_MODE = 0o750
_NOT_FOR_OTHERS = 0o117  # the umask that leaves the socket 0660
_LONGEST_SHOWN = 120


class BrokerAddressUnusableError(PoligonError):
    """The broker cannot listen where it should."""

    code = "broker.address_unusable"
    fault = Fault.INPUT


class TooManyToolboxesError(PoligonError):
    """As many toolboxes carry connections as may."""

    code = "broker.too_many_toolboxes"
    fault = Fault.UPSTREAM


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a client may take of the broker."""

    connections: int = 4096
    request_seconds: float = 10
    body: int = 1024 * 1024
    execs: int = 20_000
    toolboxes: int = 256
    kept_seconds: float = 600


class Broker:
    """Listens on `place` for one installation; `toolbox` is the name of its toolbox's image.

    `start` and `close` are called once each.
    """

    def __init__(
        self,
        engine: UnixHttp,
        *,
        installation: str,
        toolbox: str,
        place: Path,
        limits: Limits | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._execs = Execs(most=self._limits.execs, kept_seconds=self._limits.kept_seconds)
        self._doors = Doors(
            engine,
            installation=installation,
            execs=self._execs,
            toolbox=ReachToolbox(engine, installation=installation, image=toolbox),
        )
        self._toolboxes = 0
        self._place = place
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen, for the socket's owner and group; raises BrokerAddressUnusableError."""
        try:
            listener = _listener(self._place)
        except OSError as error:
            raise BrokerAddressUnusableError(
                f"the broker cannot listen at {self._place}: {error.strerror or error}",
                hint="Set POLIGON_TERMINAL_ENGINE to a short path that this user may write",
            ) from error
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)
        _log.info("broker.started", socket=str(self._place))

    async def close(self) -> None:
        """Take no more connections, and end those that there are."""
        if self._server:
            self._server.close()
        for writer in tuple(self._open):
            if not writer.is_closing():
                writer.transport.abort()
        _log.info("broker.closed")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= self._limits.connections:
            _log.warning("broker.crowded", connections=len(self._open))
            writer.transport.abort()
            return
        self._open.add(writer)
        pipe = Pipe(reader=reader, writer=writer)
        try:
            await self._exchange(Exchange(pipe, most_in_body=self._limits.body))
        except (OSError, TimeoutError, asyncio.CancelledError):
            writer.transport.abort()  # the loop would log one that is cancelled as a fault
        except Exception:  # noqa: BLE001  # the outermost loop of a connection: the others go on
            _log.exception("broker.connection_failed")
            writer.transport.abort()
        finally:
            self._open.discard(writer)
            writer.close()

    async def _exchange(self, exchange: Exchange) -> None:
        target = ""
        try:
            async with asyncio.timeout(self._limits.request_seconds):
                request = await exchange.request()
            target = f"{request.method} {request.target}"[:_LONGEST_SHOWN]
            asked = understood(request.method, request.target, request.body)
            match asked:
                case StartExec():
                    await self._start(exchange, request, asked)
                case BeginReach():
                    await self._reach(exchange, request, asked)
                case _:
                    await exchange.answer(*await self._done(asked))
        except EngineSaidNoError as no:
            await exchange.answer(no.status, {"message": no.words})
        except PoligonError as error:
            _log.warning("broker.refused", asked=target, reason=error.message)
            await exchange.answer(status_of(error), {"message": error.message})

    async def _done(
        self, asked: MakeExec | ResizeExec | LookAtExec | LookAtHost
    ) -> tuple[int, dict[str, object]]:
        match asked:
            case MakeExec():
                return 201, await self._doors.make(asked)
            case ResizeExec():
                return 200, await self._doors.resize(asked)
            case LookAtExec():
                return 200, await self._doors.look_at_exec(asked)
            case LookAtHost():
                return 200, await self._doors.look_at_host(asked)

    async def _start(self, exchange: Exchange, request: Request, asked: StartExec) -> None:
        _require_upgrade(request)
        with self._execs.held(asked.exec_id) as host:
            log = _log.bind(container=host, exec=asked.exec_id[:12])
            process = await self._doors.start(asked)
            log.info("exec.started", terminal=asked.body.tty)
            await self._hand_over(exchange, request, process)
            log.info("exec.closed")

    async def _reach(self, exchange: Exchange, request: Request, asked: BeginReach) -> None:
        _require_upgrade(request)
        if self._toolboxes >= self._limits.toolboxes:
            raise TooManyToolboxesError(f"{self._toolboxes} toolboxes stand beside hosts already")
        self._toolboxes += 1
        try:
            process = await self._doors.begin_reach(asked)
            _log.info("reach.started", container=asked.host)
            await self._hand_over(exchange, request, process)
            _log.info("reach.closed", container=asked.host)
        finally:
            self._toolboxes -= 1

    async def _hand_over(self, exchange: Exchange, request: Request, process: Handed) -> None:
        """Give the client the connection to a process; returns when it has let go of it."""
        try:
            if request.early:
                loop = asyncio.get_running_loop()
                await loop.sock_sendall(process.connection, request.early)
            exchange.hand_on(process)
        finally:
            process.close()
        await exchange.left()


def _require_upgrade(request: Request) -> None:
    if not request.upgrade:
        raise BrokerRefusedError("a process is reached with Connection: Upgrade")


def _listener(place: Path) -> socket.socket:
    """Return a socket that listens at `place`, instead of one that nobody listens at any more."""
    place.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if stat.S_ISSOCK(place.lstat().st_mode):
            place.unlink()
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(_NOT_FOR_OTHERS)
    try:
        listener.bind(str(place))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener
