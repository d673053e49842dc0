"""Threads for looks of checks: most of a look is waiting, for targets that may never answer."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from core.errors import PoligonError

log = structlog.get_logger()


class LookPool:
    """So many places for looks. A target that hangs holds one of them and nobody else up."""

    def __init__(self, places: int) -> None:
        self._free = threading.BoundedSemaphore(places)
        self._threads = ThreadPoolExecutor(places, thread_name_prefix="look")

    def start(self, look: Callable[[], object]) -> None:
        """Begin a look, as soon as there is a place; what goes wrong in it is logged."""
        self._free.acquire()
        try:
            self._threads.submit(self._run, look)
        except BaseException:
            self._free.release()
            raise

    def close(self) -> None:
        """Begin none of those that wait, and let those that were begun end."""
        self._threads.shutdown(cancel_futures=True)

    def _run(self, look: Callable[[], object]) -> None:
        try:
            look()
        except PoligonError as error:
            log.warning("check.lost", error=str(error))
        except Exception:  # the outermost loop of a look
            log.exception("check.crashed")
        finally:
            self._free.release()
