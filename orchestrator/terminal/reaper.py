"""No process outlives a session that was cut off.

An engine leaves an exec'ed process alone when its pipe breaks (moby 9994, runc 3359). Every process
of a session carries the session's id in its environment; the reaper looks for it inside the host.
One that clears its environment or becomes another account goes with the host at the latest.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from core.background import spawn
from core.errors import PoligonError
from orchestrator.domain.world import HostKey
from orchestrator.ports import EngineRefusedError, HostGoneError
from orchestrator.terminal.commands import NOTHING_LEFT, reaping
from orchestrator.terminal.stream import ExecStream, TerminalEngine

_log = structlog.get_logger()

# A broker that starts anew is away for some seconds.
_PAUSES_SECONDS = (0.2, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
_SWEEP_SECONDS = 30
_SWEEPS_FOR_STARTING = 5
_GATHER_SECONDS = 0.05
_AT_ONCE = 4
_MOST_IN_A_SWEEP = 1000
_MOST_SAID = 1024

_Place = tuple[HostKey, str]
_Sessions = dict[str, ExecStream | None]


class Reaper:
    """Ends what cut-off sessions left behind, many sessions of a host with one exec."""

    def __init__(
        self,
        engine: TerminalEngine,
        *,
        grace: timedelta = timedelta(milliseconds=300),
        pauses_seconds: Sequence[float] = _PAUSES_SECONDS,
    ) -> None:
        """Sweep once for each pause, at most; processes have `grace` to end politely."""
        self._engine = engine
        self._grace = grace
        self._pauses_seconds = pauses_seconds
        self._due: dict[_Place, _Sessions] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def reap(
        self, host: HostKey, account: str, session: str, starting: ExecStream | None = None
    ) -> None:
        """End every process of a session soon; those of one host and account go together.

        `starting` is its process when that has shown no sign of life: it may come after a sweep.
        """
        place = (host, account)
        if place in self._due:
            self._due[place][session] = starting
            return
        self._due[place] = {session: starting}
        worker = spawn(self._empty(place))
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    async def finish(self) -> None:
        """Return when nothing is left to reap."""
        while self._workers:
            await asyncio.wait(set(self._workers))

    async def _empty(self, place: _Place) -> None:
        while due := self._due[place]:
            # A room that leaves is one sweep: a sweep costs as much for one session as for all.
            await asyncio.sleep(_GATHER_SECONDS)
            batch = tuple(due)[:_MOST_IN_A_SWEEP]
            await self._sweep(place, {id_: due.pop(id_) for id_ in batch})
        del self._due[place]

    async def _sweep(self, place: _Place, sessions: _Sessions) -> None:
        host, account = place
        left, why, swept = sessions, "", 0
        for pause in self._pauses_seconds:
            try:
                if await self._kill(host, account, list(left)):
                    left = await _starting(left)
                    swept += 1
                if not left:
                    return
            except HostGoneError:
                return
            except (PoligonError, TimeoutError) as error:
                why = repr(error)  # an engine that is too busy or away now may be less so next
            if swept == _SWEEPS_FOR_STARTING:
                break
            await asyncio.sleep(pause)
        _log.warning("session.outlived_reaping", host=host.host, sessions=sorted(left), error=why)

    async def _kill(self, host: HostKey, account: str, sessions: list[str]) -> bool:
        """Return whether no process of the sessions is seen any more."""
        async with self._turns, asyncio.timeout(_SWEEP_SECONDS):
            stream = await self._engine.open(
                host, reaping(sessions), account=account, environment={}
            )
            try:
                said = bytearray()
                done = spawn(_listen(stream, said))
                await asyncio.wait({done}, timeout=self._grace.total_seconds())
                stream.write_eof()
                await done
                return NOTHING_LEFT in said
            finally:
                stream.close()


async def _starting(sessions: _Sessions) -> _Sessions:
    """Return those whose process may yet start, or runs where no sweep sees it."""
    asked = {id_: stream for id_, stream in sessions.items() if stream}
    there = await asyncio.gather(*map(_is_there, asked.values()))
    return {id_: asked[id_] for id_, is_there in zip(asked, there, strict=True) if is_there}


async def _is_there(stream: ExecStream) -> bool:
    try:
        return await stream.exit_code() is None
    except EngineRefusedError:
        return False  # a broker that started anew does not know it


async def _listen(stream: ExecStream, said: bytearray) -> None:
    while (chunk := await stream.read()) and len(said) < _MOST_SAID:
        said += chunk.data
