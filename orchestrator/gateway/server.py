"""The gateway: one port through which everybody enters their team's hosts."""

import asyncio
import contextlib
import errno
from datetime import timedelta
from pathlib import Path

import asyncssh
import structlog

from core.background import spawn
from core.clock import Clock, SystemClock
from core.errors import Fault, PoligonError
from orchestrator.doorkeeper import Doorkeeper, Entry
from orchestrator.gateway.channel import Channel
from orchestrator.gateway.front import Front, House
from orchestrator.gateway.host_key import load_or_create
from orchestrator.gateway.limits import Guesses, Limits, Lobby
from orchestrator.terminal.registry import LiveSessions
from orchestrator.terminal.stream import TerminalEngine

_log = structlog.get_logger()

# AES-GCM first: with the library's ChaCha20 a download is a quarter slower (138 against 185 MB/s).
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes128-ctr",
)
_KEEPALIVE_SECONDS = 15
_KEEPALIVES_UNANSWERED = 4
_NO_LONGER = "Your access to this host has ended"
_RESTARTING = "The gateway is going down; log in again shortly"


class GatewayAddressUnusableError(PoligonError):
    """The gateway cannot listen where it should."""

    code = "gateway.address_unusable"
    fault = Fault.UPSTREAM


class Gateway:
    """An SSH server whose sessions run in hosts. `start` and `close` are called once each."""

    def __init__(
        self,
        *,
        doorkeeper: Doorkeeper,
        terminals: TerminalEngine,
        host_key: Path,
        address: str,
        port: int,
        clock: Clock | None = None,
        limits: Limits | None = None,
        look_every: timedelta = timedelta(seconds=3),
    ) -> None:
        limits = limits or Limits()
        self._house = House(
            doorkeeper=doorkeeper,
            live=LiveSessions(terminals, clock=clock or SystemClock()),
            limits=limits,
            lobby=Lobby(limits),
            guesses=Guesses(limits),
        )
        self._host_key = host_key
        self._address = address
        self._port = port
        self._look_every = look_every
        self._closing = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._acceptor: asyncssh.SSHAcceptor | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; the wanted one, or after `start` what 0 became."""
        return self._acceptor.get_port() if self._acceptor else self._port

    @property
    def live(self) -> LiveSessions:
        """The sessions that are live now."""
        return self._house.live

    async def start(self) -> None:
        """Listen. Raises HostKeyUnusableError, GatewayAddressUnusableError."""
        key = await asyncio.to_thread(load_or_create, self._host_key)
        try:
            self._acceptor = await asyncssh.listen(
                self._address,
                self._port,
                server_factory=lambda: Front(self._house),
                server_host_keys=[key],
                server_version="cyberpoligon",
                login_timeout=self._house.limits.login_time.total_seconds(),
                keepalive_interval=_KEEPALIVE_SECONDS,
                keepalive_count_max=_KEEPALIVES_UNANSWERED,
                encryption_algs=_CIPHERS,
                compression_algs=["none"],  # a bomb for us, hardly a gain in a room
                encoding=None,
                line_editor=False,
                allow_scp=False,
                agent_forwarding=False,
                x11_forwarding=False,
            )
        except OSError as error:
            raise _unusable(self._address, self._port, error) from error
        self._watching = spawn(self._watch())
        _log.info("gateway.started", address=self._address, port=self.port)

    async def close(self) -> None:
        """Take nobody in, end every session with a sentence, leave no process in a host."""
        self._closing.set()
        if self._acceptor:
            self._acceptor.close()
        if self._watching:
            await self._watching
        await self._house.live.close(_RESTARTING)
        for front in tuple(self._house.fronts):
            front.say_goodbye()
        _log.info("gateway.closed")

    async def _watch(self) -> None:
        """Cut off who may no longer stay, until the gateway closes."""
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._look_every.total_seconds())
            try:
                await self._look()
            except Exception:  # noqa: BLE001  # the outermost loop of the watch: a database that is away passes
                _log.exception("gateway.watch_failed")

    async def _look(self) -> None:
        inside = [channel for front in self._house.fronts for channel in front.channels]
        for channel, why in await asyncio.to_thread(self._unwelcome, inside):
            _log.info("session.cut", login=channel.login, reason=why)
            channel.cut(why)

    def _unwelcome(self, inside: list[Channel]) -> list[tuple[Channel, str]]:
        doorkeeper = self._house.doorkeeper
        return [
            (channel, self._reason(channel.login))
            for channel in inside
            if isinstance(channel.entry, Entry)
            and not doorkeeper.may_stay(channel.login, channel.entry)
        ]

    def _reason(self, login: str) -> str:
        """Return what the login would be told at the door now."""
        try:
            self._house.doorkeeper.enter(login)
        except PoligonError as error:
            return str(error)
        return _NO_LONGER


def _unusable(address: str, port: int, error: OSError) -> GatewayAddressUnusableError:
    if error.errno == errno.EADDRINUSE:
        return GatewayAddressUnusableError(
            f"port {port} of {address} is in use already",
            hint="Stop what listens there, or set POLIGON_SSH_PORT",
        )
    return GatewayAddressUnusableError(
        f"the gateway cannot listen on port {port} of {address}: {error.strerror}",
        hint="Set POLIGON_SSH_HOST and POLIGON_SSH_PORT to what this machine has",
    )
