"""No process outlives a session that was cut off.

An engine leaves an exec'ed process alone when its pipe breaks (moby 9994, runc 3359). Every process
of a session carries the session's id in its environment; the reaper looks for it inside the host.
One that clears its environment or becomes another account goes with the host at the latest.
"""

import asyncio
from datetime import timedelta

import structlog

from core.background import spawn
from core.errors import PoligonError
from orchestrator.domain.world import HostKey
from orchestrator.ports import HostGoneError
from orchestrator.terminal.commands import reaping
from orchestrator.terminal.stream import ExecStream, TerminalEngine

_log = structlog.get_logger()

_SWEEPS = 5
_PAUSE_SECONDS = 0.2
_SWEEP_SECONDS = 20
_AT_ONCE = 2

_Place = tuple[HostKey, str]
_Sessions = dict[str, ExecStream]


class Reaper:
    """Ends what cut-off sessions left behind, many sessions of a host with one exec."""

    def __init__(
        self, engine: TerminalEngine, *, grace: timedelta = timedelta(milliseconds=300)
    ) -> None:
        self._engine = engine
        self._grace = grace
        self._due: dict[_Place, _Sessions] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def reap(self, host: HostKey, account: str, session: str, stream: ExecStream) -> None:
        """End every process of a session soon; those of one host and account go together."""
        place = (host, account)
        if place in self._due:
            self._due[place][session] = stream
            return
        self._due[place] = {session: stream}
        worker = spawn(self._empty(place))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def finish(self) -> None:
        """Return when nothing is left to reap."""
        while self._workers:
            await asyncio.wait(set(self._workers))

    async def _empty(self, place: _Place) -> None:
        while sessions := self._due[place]:
            async with self._turns:
                self._due[place] = {}  # those that come from here on go with the next batch
                sessions = dict(sessions)
                await self._sweep(place, sessions)
        del self._due[place]

    async def _sweep(self, place: _Place, sessions: _Sessions) -> None:
        host, account = place
        try:
            left = sessions
            for _ in range(_SWEEPS):
                await self._kill(host, account, list(left))
                # A start that was under way may put its process there only after the sweep.
                left = {id_: s for id_, s in left.items() if await s.exit_code() is None}
                if not left:
                    return
                await asyncio.sleep(_PAUSE_SECONDS)
            _log.warning("session.outlived_reaping", host=host.host, sessions=sorted(left))
        except HostGoneError:
            return
        except (PoligonError, TimeoutError) as error:
            _log.warning("session.not_reaped", host=host.host, error=str(error))

    async def _kill(self, host: HostKey, account: str, sessions: list[str]) -> None:
        async with asyncio.timeout(_SWEEP_SECONDS):
            stream = await self._engine.open(
                host, reaping(sessions), account=account, environment={}
            )
            try:
                done = spawn(_drain(stream))
                await asyncio.wait({done}, timeout=self._grace.total_seconds())
                stream.write_eof()
                await done
            finally:
                stream.close()


async def _drain(stream: ExecStream) -> None:
    while await stream.read():
        pass
