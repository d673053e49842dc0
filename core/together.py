"""Work that costs less for several at once: what comes while it is done is done together next."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from core.errors import Fault, PoligonError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Together(Generic[_Item, _Result]):
    """Does `work` in a thread of its own for what was asked: in its order, `most` at once.

    Only what is `alike` is done together. `work` returns for each item its result, or the error
    that whoever asked is to be told. When it fails because something is missing that all need, all
    are told; after any other error each is done alone: nobody pays for what somebody else asked.
    """

    def __init__(
        self,
        work: Callable[[Sequence[_Item]], Sequence[_Result | PoligonError]],
        *,
        alike: Callable[[_Item], Hashable],
        most: int,
        name: str,
    ) -> None:
        self._work = work
        self._alike = alike
        self._most = most
        self._waiting: deque[tuple[_Item, Future[_Result]]] = deque()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def ask(self, item: _Item) -> Future[_Result]:
        """Return what will be the result; it is not done when that is cancelled before."""
        future: Future[_Result] = Future()
        with self._lock:
            self._waiting.append((item, future))
        self._thread.submit(self._do_next)  # nothing is left to do when it was done with others
        return future

    def _do_next(self) -> None:
        self._do([one for one in self._next() if one[1].set_running_or_notify_cancel()])

    def _do(self, asked: Sequence[tuple[_Item, Future[_Result]]]) -> None:
        if not asked:
            return
        try:
            results = self._work([item for item, _ in asked])
        except Exception as error:  # noqa: BLE001  # whoever asked is told
            if len(asked) == 1 or _is_of_all(error):
                for _, future in asked:
                    future.set_exception(error)
            else:
                for one in asked:
                    self._do([one])
            return
        for (_, future), result in zip(asked, results, strict=True):
            if isinstance(result, PoligonError):
                future.set_exception(result)
            else:
                future.set_result(result)

    def _next(self) -> list[tuple[_Item, Future[_Result]]]:
        with self._lock:
            if not self._waiting:
                return []
            kind = self._alike(self._waiting[0][0])
            taken = list[tuple[_Item, Future[_Result]]]()
            left = deque[tuple[_Item, Future[_Result]]]()
            for asked in self._waiting:
                is_next = len(taken) < self._most and self._alike(asked[0]) == kind
                (taken if is_next else left).append(asked)
            self._waiting = left
            return taken


def _is_of_all(error: Exception) -> bool:
    return isinstance(error, PoligonError) and error.fault is Fault.UPSTREAM
