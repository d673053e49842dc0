"""The gateway: one port through which everybody enters their team's hosts."""

import asyncio
import contextlib
import errno
import time
from datetime import datetime, timedelta
from pathlib import Path

import asyncssh
import structlog

from core.background import spawn
from core.clock import Clock, SystemClock
from core.errors import Fault, PoligonError
from core.ids import new_id
from orchestrator.doorkeeper import Doorkeeper, Entry, EntryRefusedError
from orchestrator.gateway.bans import Bans
from orchestrator.gateway.chronicle import Chronicle
from orchestrator.gateway.facts import GatewayFacts
from orchestrator.gateway.forwarding import Forwards
from orchestrator.gateway.front import Front, House
from orchestrator.gateway.host_key import load_or_create
from orchestrator.gateway.inner_answers import InnerAnswers
from orchestrator.gateway.inner_door import InnerDoor
from orchestrator.gateway.inner_operator import OperatorAnswers
from orchestrator.gateway.limits import Guesses, Limits, Lobby
from orchestrator.gateway.neighbours import Neighbours
from orchestrator.gateway.over_redis.bell import Bell
from orchestrator.gateway.over_redis.doors import all_doors
from orchestrator.gateway.over_redis.place import RedisPlace
from orchestrator.terminal.limits import TerminalLimits
from orchestrator.terminal.reach import Reach
from orchestrator.terminal.registry import LiveSession, LiveSessions
from orchestrator.terminal.stream import TerminalEngine
from orchestrator.terminal.visit import Visit

_log = structlog.get_logger()

# The client's first choice counts, and OpenSSH's is ChaCha20 wherever it is offered: with the
# library's a packet of 32 KiB takes 35 µs and the smallest 22, with AES 9 to 18 and 4 to 7.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr")
_RESTARTING = "The gateway is going down; log in again shortly"
_MINUTE = timedelta(minutes=1)


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
        chronicle: Chronicle,
        reach: Reach | None = None,
        doors: Path | None = None,
        redis: RedisPlace | None = None,
        user_ca: Path | None = None,
        clock: Clock | None = None,
        limits: Limits | None = None,
        terminal_limits: TerminalLimits | None = None,
        look_every: timedelta = timedelta(seconds=3),
        glance_every: timedelta = timedelta(milliseconds=500),
        is_one_of_several: bool = False,
    ) -> None:
        """Take certificates of `user_ca` as soon as that file has a public half.

        Look at each session `look_every`, and at once when a glance finds an act in a log.

        One of several gateways lets the others listen on its port, too.
        """
        limits = limits or Limits()
        clock = clock or SystemClock()
        self._name = new_id(8)
        self._house = House(
            doorkeeper=doorkeeper,
            live=LiveSessions(
                terminals,
                clock=clock,
                admit=self._admit,
                chronicle=chronicle,
                limits=terminal_limits,
            ),
            forwards=Forwards(reach, clock=clock, chronicle=chronicle),
            limits=limits,
            lobby=Lobby(limits),
            guesses=Guesses(limits),
            chronicle=chronicle,
            bans=Bans(limits, clock),
            user_ca=user_ca,
            neighbours=_neighbours(doors, redis, self._name),
        )
        answers = {**InnerAnswers(self._house).table(), **OperatorAnswers(self).table()}
        self._inner_door = InnerDoor(doors, answers, name=self._name) if doors else None
        self._bell = Bell(redis, self._inner_door.door) if redis and self._inner_door else None
        self._host_key = host_key
        self._address = address
        self._port = port
        self._clock = clock
        self._since = clock.now()
        self._look_seconds = look_every.total_seconds()
        self._glance_seconds = min(glance_every, look_every).total_seconds()
        self._is_one_of_several = is_one_of_several
        self._closing = asyncio.Event()
        self._asked_to_leave = asyncio.Event()
        self._leaving: asyncio.Task[None] | None = None
        self._draining: datetime | None = None
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

    def facts(self) -> GatewayFacts:
        """Return what an operator wants to know of this moment."""
        house = self._house
        inside = tuple(house.live)
        return GatewayFacts(
            name=self._name,
            since=self._since,
            draining=self._draining,
            at_redis=self._bell.is_heard if self._bell else None,
            connections=len(house.fronts),
            strangers=len(house.lobby),
            sessions=len(inside),
            kept=sum(live.kept_since is not None for live in inside),
            waiting=house.live.waiting,
            forwards=len(tuple(house.forwards)),
            bytes_shown=house.live.bytes_shown,
            refused=dict(house.refused),
            bans=house.bans.now(),
        )

    async def start(self) -> None:
        """Listen. Raises HostKeyUnusableError, GatewayAddressUnusableError."""
        key = await asyncio.to_thread(load_or_create, self._host_key)
        try:
            self._acceptor = await asyncssh.listen(
                self._address,
                self._port,
                reuse_port=self._is_one_of_several or None,
                server_factory=lambda: Front(self._house),
                server_host_keys=[key],
                server_version="cyberpoligon",
                login_timeout=self._house.limits.login_time.total_seconds(),
                keepalive_interval=self._house.limits.keepalive.total_seconds(),
                keepalive_count_max=self._house.limits.keepalives_unanswered,
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
        if self._inner_door:
            await self._inner_door.start()
        if self._bell:
            self._bell.start()
        self._watching = spawn(self._watch())
        _log.info("gateway.started", address=self._address, port=self.port)

    def leave(self, *, within: timedelta) -> None:
        """Begin to close; `until_left` waits for it. Asked again, the earlier end counts."""
        until = self._clock.now() + within
        if self._draining is None or until < self._draining:
            self._draining = until
            loop = asyncio.get_running_loop()
            loop.call_later(within.total_seconds(), self._house.live.cut, _RESTARTING)
            if within:
                _log.info("gateway.draining", seconds=within.total_seconds())
        if self._leaving is None:
            self._leaving = spawn(self.close(drain=within))
            self._asked_to_leave.set()

    async def until_left(self) -> None:
        """Return when it was asked to leave, and has."""
        await self._asked_to_leave.wait()
        assert self._leaving is not None  # set with the event
        await self._leaving

    async def close(self, *, drain: timedelta = timedelta()) -> None:
        """Take nobody in, end every session with a sentence, leave no process in a host.

        Sessions have the time of `drain` to end by themselves; kept ones end at once.
        """
        if self._acceptor:
            self._acceptor.close()
        await self._house.live.close(_RESTARTING, drain=drain, warning=_warning(drain))
        self._closing.set()
        if self._watching:
            await self._watching
        await self._house.forwards.close()
        if self._inner_door:
            await self._inner_door.close()
        if self._bell:
            await self._bell.close()
        for front in tuple(self._house.fronts):
            front.say_goodbye()
        _log.info("gateway.closed")

    async def _watch(self) -> None:
        """Cut off who may no longer stay, until the gateway closes."""
        pause, edition, looked = self._glance_seconds, -1, 0.0
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), pause)
            pause = self._glance_seconds
            try:
                now = await asyncio.to_thread(self._house.doorkeeper.edition)
                if now == edition and time.monotonic() - looked < self._look_seconds:
                    continue
                await self._look()
                await self._house.forwards.look(self._house.doorkeeper)
                edition, looked = now, time.monotonic()
            except Exception:  # noqa: BLE001  # the outermost loop of the watch: a database that is away passes
                _log.exception("gateway.watch_failed")
                pause = self._look_seconds

    async def _look(self) -> None:
        inside = list(self._house.live)
        unwelcome = await asyncio.to_thread(self._unwelcome, inside)
        for live, why in [*unwelcome, *self._overstayed(inside)]:
            _log.info("session.cut", session=live.visit.id, login=live.visit.login, reason=why)
            live.session.cut(why)

    def _unwelcome(self, inside: list[LiveSession]) -> list[tuple[LiveSession, str]]:
        """Return who may no longer stay, and why; of sessions alike one is asked about."""
        alike = {(v.login, v.host, v.account): v for v in (live.visit for live in inside)}
        why = {key: reason for key, visit in alike.items() if (reason := self._why_leave(visit))}
        keyed = [(live, (live.visit.login, live.visit.host, live.visit.account)) for live in inside]
        return [(live, why[key]) for live, key in keyed if key in why]

    def _overstayed(self, inside: list[LiveSession]) -> list[tuple[LiveSession, str]]:
        now = self._clock.now()
        said = [
            (
                live,
                self._house.limits.overstayed(
                    open_for=now - live.since,
                    idle_for=live.pulse.idle(),
                    terminal=live.visit.size is not None,
                ),
            )
            for live in inside
        ]
        return [(live, why) for live, why in said if why]

    def _why_leave(self, visit: Visit) -> str:
        entry = Entry(host=visit.host, account=visit.account, greeting=visit.greeting)
        return self._house.doorkeeper.why_leave(visit.login, entry)

    async def _admit(self, visit: Visit) -> None:
        """Return when a session may enter its host again; raises EntryRefusedError."""
        if why := await asyncio.to_thread(self._why_leave, visit):
            raise EntryRefusedError(why)


def _neighbours(folder: Path | None, redis: RedisPlace | None, own: str) -> Neighbours | None:
    if folder is None:
        return None
    return Neighbours(all_doors(folder, redis), own)


def _warning(drain: timedelta) -> str:
    seconds = drain.total_seconds()
    left = f"{seconds:.0f} s" if drain < 2 * _MINUTE else f"{seconds // 60:.0f} minutes"
    return f"This gateway restarts in {left}; save your work, and log in again after that"


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
