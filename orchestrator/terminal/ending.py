"""How sessions end."""

import asyncio
from dataclasses import dataclass

from orchestrator.terminal.stream import ExecStream

CANNOT_SERVE = 255  # what the OpenSSH client itself exits with when the connection fails
_FIRST_LOOK_SECONDS = 0.005
_SLOWEST_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a session ends; with `is_hosts` the host went under it."""

    sentence: str = ""
    code: int = CANNOT_SERVE
    is_hosts: bool = False


async def outcome(stream: ExecStream, *, cut: asyncio.Future[End]) -> End | None:
    """Return how a process ended, None when it was cut before; raises what `exit_code` does.

    A process may close its output long before it exits.
    """
    look = _FIRST_LOOK_SECONDS
    while not cut.done():
        code = await stream.exit_code()
        if code is not None:
            return End(code=code)
        await asyncio.wait({cut}, timeout=look)
        look = min(look * 2, _SLOWEST_LOOK_SECONDS)
    return None
