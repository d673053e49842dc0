"""Connections out of hosts: a toolbox in the host's own network carries them, while there are any.

So the team's rules decide, names are those that the host knows, and its image needs nothing. The
toolbox ends with the pipe to it, whatever ends that: a process that is killed leaves none.
"""

import asyncio
import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

import structlog

from core.background import spawn
from core.errors import PoligonError
from orchestrator.domain.world import HostKey
from orchestrator.engine.carrier import Carrier
from orchestrator.engine.host_life import Life, gone, life_of, refusal
from orchestrator.engine.names import container_name
from orchestrator.engine.unix_http import Answer, UnixHttp
from orchestrator.ports import EngineRefusedError, HostGoneError
from orchestrator.terminal.reach import ByteStream, ForwardRefusedError, Reach

_log = structlog.get_logger()

_MOST_AT_ONCE = 128
_LOOK_SECONDS = 2.0
_IDLE_SECONDS = 180.0
_PATIENCE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    carrier: Carrier
    host: Life
    watching: asyncio.Task[None]


class DockerReach(Reach):
    """A broker on this machine, and one installation's hosts behind it.

    `idle_seconds` is how long a toolbox stays that carries nothing, `patience_seconds` how long a
    connection may take to be made, its name's look-up included.
    """

    def __init__(
        self,
        broker: str,
        *,
        installation: str,
        idle_seconds: float = _IDLE_SECONDS,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._http = UnixHttp(broker)
        self._installation = installation
        self._idle_seconds = idle_seconds
        self._patience_seconds = patience_seconds
        self._beside: dict[HostKey, _Beside] = {}
        self._turns: dict[HostKey, asyncio.Lock] = {}

    async def connect(self, host: HostKey, address: str, port: int) -> ByteStream:
        """Return a connection to an address; see the port."""
        async with self._turns.setdefault(host, asyncio.Lock()):
            carrier = await self._carrier(host)
        if carrier.load >= _MOST_AT_ONCE:
            raise ForwardRefusedError(
                f"{carrier.load} forwards lead through host {host.host} already",
                hint="Close some that you need no more",
            )
        return await carrier.connect(address, port)

    async def close(self) -> None:
        """Break every connection; the toolboxes end with their pipes."""
        for beside in self._beside.values():
            beside.watching.cancel()
            beside.carrier.close("the gateway is going down")
        self._beside.clear()

    async def _carrier(self, host: HostKey) -> Carrier:
        now = await self._running(host)
        beside = self._beside.get(host)
        if beside and beside.host == now and not beside.carrier.is_broken:
            return beside.carrier
        if beside:
            beside.carrier.close(gone(host).message)
        carrier = await self._begin(host)
        watching = spawn(self._watch(host, now, carrier))
        self._beside[host] = _Beside(carrier=carrier, host=now, watching=watching)
        return carrier

    async def _begin(self, host: HostKey) -> Carrier:
        """Let a toolbox run in the network of a host's container."""
        name = container_name(self._installation, host)
        handed = await self._http.hijack(
            f"/containers/{name}/reach", {"PatienceSeconds": self._patience_seconds}
        )
        if isinstance(handed, Answer):
            raise _refusal(host, handed)
        _log.info("reach.began", host=host.host, team=host.world.team)
        return Carrier(await handed.pipe(), patience_seconds=self._patience_seconds)

    async def _watch(self, host: HostKey, running: Life, carrier: Carrier) -> None:
        """End what stands beside a host when the host ended, or when it carries nothing for long.

        Nothing else would tell: a connection out of a network that is gone is only silent.
        """
        busy = time.monotonic()
        why = ""
        while not why and not carrier.is_broken:
            await asyncio.sleep(_LOOK_SECONDS)
            if not carrier.is_idle:
                busy = time.monotonic()
            if time.monotonic() - busy > self._idle_seconds:
                why = "nothing was carried for long"
            elif not await self._is_same(host, running):
                why = gone(host).message
        carrier.close(why)
        beside = self._beside.get(host)
        if beside and beside.carrier is carrier:
            del self._beside[host]
        _log.info("reach.ended", host=host.host, team=host.world.team, reason=why)

    async def _is_same(self, host: HostKey, before: Life) -> bool:
        try:
            return await self._running(host) == before
        except HostGoneError:
            return False
        except PoligonError:
            return True  # the engine cannot tell just now

    async def _running(self, host: HostKey) -> Life:
        name = quote(container_name(self._installation, host), safe="")
        answer = await self._http.call("GET", f"/containers/{name}/json")
        if answer.ok and (life := life_of(answer.fields)):
            return life
        if answer.ok:
            raise gone(host)
        raise _refusal(host, answer)


def _refusal(host: HostKey, answer: Answer) -> PoligonError:
    if answer.status == HTTPStatus.NOT_FOUND and "image" in answer.words.lower():
        return EngineRefusedError(
            "the range's toolbox is not on the engine, so that nothing can be forwarded",
            hint="Tell an instructor: the next launch, or reset of a host, makes it again",
        )
    return refusal(host, answer, refused="opens no way out of")
