"""The processes that were made through the broker: no other is started, sized or looked at."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import Fault, PoligonError
from orchestrator.broker.refusal import BrokerRefusedError


class TooManyExecsError(PoligonError):
    """More processes are remembered than anybody needs."""

    code = "broker.too_many_execs"
    fault = Fault.UPSTREAM


@dataclass(slots=True)
class _Known:
    host: str
    forgetting: asyncio.TimerHandle | None


class Execs:
    """Ids of processes, each forgotten some time after it was last held.

    The engine, too, forgets a process some minutes after its end.
    """

    def __init__(self, *, most: int, kept_seconds: float) -> None:
        self._most = most
        self._kept_seconds = kept_seconds
        self._known: dict[str, _Known] = {}

    def require_room(self) -> None:
        """Raise TooManyExecsError when no more can be remembered."""
        if len(self._known) >= self._most:
            raise TooManyExecsError(
                f"{self._most} processes are remembered already", hint="Try again in some minutes"
            )

    def add(self, exec_id: str, host: str) -> None:
        """Remember a process of a host."""
        self._known[exec_id] = _Known(host, self._forget_later(exec_id))

    def require(self, exec_id: str) -> str:
        """Return the host of a process; raises BrokerRefusedError for one that is not ours."""
        known = self._known.get(exec_id)
        if known is None:
            raise BrokerRefusedError("this process was not made here, or is long over")
        return known.host

    @contextmanager
    def held(self, exec_id: str) -> Iterator[str]:
        """Lend a process's host; the process is not forgotten meanwhile.

        Raises BrokerRefusedError for one that is not ours, and for one that is held already.
        """
        host = self.require(exec_id)
        known = self._known[exec_id]
        if known.forgetting is None:
            raise BrokerRefusedError("this process was started already")
        known.forgetting.cancel()
        known.forgetting = None
        try:
            yield host
        finally:
            known.forgetting = self._forget_later(exec_id)

    def _forget_later(self, exec_id: str) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(self._kept_seconds, self._known.pop, exec_id, None)
