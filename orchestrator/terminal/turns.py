"""Turns at the engine, first come, first served; who waits is told how many are ahead."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_FIRST_WORD_SECONDS = 1.0
_NEXT_WORD_SECONDS = 3.0


class Turns:
    """So many at once; everybody else waits in a row."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._row: dict[object, None] = {}

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._row)

    @asynccontextmanager
    async def taken(self, tell: Callable[[int], None] | None = None) -> AsyncIterator[None]:
        """Hold a turn; whoever waits for it longer than a second is told how many are ahead."""
        me = object()
        self._row[me] = None
        telling = asyncio.get_running_loop().call_later(
            _FIRST_WORD_SECONDS, self._tell, me, tell or _nobody
        )
        try:
            await self._free.acquire()
        finally:
            del self._row[me]
            telling.cancel()
        try:
            yield
        finally:
            self._free.release()

    def release(self) -> None:
        """Let one more in at once."""
        self._free.release()

    def _tell(self, me: object, tell: Callable[[int], None]) -> None:
        if me not in self._row:
            return
        tell(list(self._row).index(me))
        asyncio.get_running_loop().call_later(_NEXT_WORD_SECONDS, self._tell, me, tell)


def _nobody(_ahead: int) -> None:
    return None
