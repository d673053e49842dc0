"""Python's garbage collector, kept from going through all that a process holds anyway."""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0


@contextmanager
def settled_memory() -> Iterator[None]:
    """Have the collector look at nothing, in the block, that was there before.

    For what goes on for long or makes and keeps much: again and again it goes through everything
    that was imported to find nothing there. That took a quarter of a replay, and held each request
    of a server up for a fifth of a second. Of blocks that overlap the first one counts, until the
    last one ends.
    """
    global _inside  # noqa: PLW0603  # the collector is the process's, too
    with _lock:
        _inside += 1
        if _inside == 1:
            gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                gc.unfreeze()
