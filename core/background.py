"""Fire-and-hold tasks of an event loop."""

import asyncio
from collections.abc import Coroutine

_running: set[asyncio.Task[None]] = set()


def spawn(coroutine: Coroutine[None, None, None]) -> asyncio.Task[None]:
    """Run `coroutine` in the background and hold it until it ends.

    The loop keeps only weak references: a task that nobody holds can be collected half-way, which
    shows as a login that hangs for ever.
    """
    task = asyncio.get_running_loop().create_task(coroutine)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task
