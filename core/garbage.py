"""Python's garbage collector, kept from going through all that a process holds anyway."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def settled_memory() -> Iterator[None]:
    """Have the collector look at nothing, in the block, that was there before.

    For work that makes and keeps much: again and again it goes through everything that was imported
    to find nothing there, which took a quarter of a replay. Where blocks overlap, in threads, the
    first that ends lets it look at everything again; that costs time alone.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
