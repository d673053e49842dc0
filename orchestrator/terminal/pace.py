"""When a session that shows output leaves others a turn."""

import asyncio

from orchestrator.terminal.limits import TerminalLimits, TokenBucket

# Some 0.4 ms of work. A turn of the loop has its price, and a piece its own, however small.
_TURN = 128 * 1024
_LEAST = 16 * 1024


class Pace:
    """Of one session: a terminal's flood waits in the host, a command's output takes turns."""

    def __init__(self, limits: TerminalLimits, *, is_terminal: bool) -> None:
        bucket = TokenBucket(burst=limits.burst_bytes, rate=limits.bytes_per_second)
        self._bucket = bucket if is_terminal else None
        self._shown = 0

    async def after(self, size: int) -> None:
        """Return when more may be shown after a piece of `size` bytes."""
        if self._bucket:
            await asyncio.sleep(self._bucket.take(size))
            return
        self._shown += max(size, _LEAST)
        if self._shown >= _TURN:
            self._shown = 0
            await asyncio.sleep(0)
