"""Whose turn it is at the engine: so many at once, and work that was begun is finished first.

A launch asks for everything at once. Served as they come, all its worlds would be complete at the
very end, and whatever a running exercise asks would wait behind them.
"""

import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

_FIRST = 0  # whoever builds nothing
_rank = ContextVar("rank", default=_FIRST)

# Each such place goes to whoever waits longest, so that nobody is passed over for ever.
_FAIR = 4
_MOST_REMEMBERED = 4096


@dataclass(eq=False, slots=True)
class _Waiting:
    rank: int
    called: threading.Event = field(default_factory=threading.Event)


class Turns:
    """Places for so many threads at once; the lowest rank is next, and then who came first."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[_Waiting] = []
        self._handed_on = 0
        self._lock = threading.Lock()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place while the block runs; never nest two of the same turns in a thread."""
        self._take()
        try:
            yield
        finally:
            self._leave()

    def _take(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = _Waiting(_rank.get())
            self._waiting.append(mine)
        try:
            mine.called.wait()
        except BaseException:  # Ctrl-C: a place that was handed on must not get lost
            with self._lock:
                was_called = mine not in self._waiting
                if not was_called:
                    self._waiting.remove(mine)
            if was_called:
                self._leave()
            raise

    def _leave(self) -> None:
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            self._handed_on += 1
            by_rank = self._handed_on % _FAIR != 0
            following = min(self._waiting, key=lambda w: w.rank) if by_rank else self._waiting[0]
            self._waiting.remove(following)
            following.called.set()


class Ranks:
    """The order in which things were begun to be built."""

    def __init__(self) -> None:
        self._of: dict[Hashable, int] = {}
        self._last = _FIRST
        self._lock = threading.Lock()

    @contextmanager
    def building(self, thing: Hashable) -> Iterator[None]:
        """Let this thread wait behind what was begun before `thing`, and behind all else."""
        before = _rank.set(self._rank_of(thing))
        try:
            yield
        finally:
            _rank.reset(before)

    def _rank_of(self, thing: Hashable) -> int:
        with self._lock:
            if thing not in self._of:
                self._last += 1
                self._of[thing] = self._last
                if len(self._of) > _MOST_REMEMBERED:
                    del self._of[next(iter(self._of))]
            return self._of[thing]
