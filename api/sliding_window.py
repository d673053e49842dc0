"""How often something happened of late, by key; in memory, per process, safe for threads."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.clock import Clock

# Some keys are whatever somebody sends; beyond this many, those out of the window go.
_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """A key that had its share, and in how many seconds, from 1 on, there may be room again."""

    key: str
    seconds: int


class SlidingWindow:
    """Counts what happened within the last `length`."""

    def __init__(self, clock: Clock, length: timedelta) -> None:
        self._clock = clock
        self._length = length
        self._lock = threading.Lock()
        self._taken: dict[str, deque[tuple[datetime, int]]] = {}

    def take(self, limits: Mapping[str, int], *, count: int = 1) -> datetime | Full:
        """Count for every key, and return when; for none of them where one is over its limit.

        What comes to an empty window is taken however much it is.
        """
        now = self._clock.now()
        with self._lock:
            if len(self._taken) > _REMEMBERED:
                self._taken = {k: t for k, t in self._taken.items() if self._recent(t, now)}
            for key, limit in limits.items():
                taken = self._recent(self._taken.setdefault(key, deque()), now)
                if taken and sum(n for _, n in taken) + count > limit:
                    left = taken[0][0] + self._length - now
                    return Full(key=key, seconds=int(left.total_seconds()) + 1)
            for key in limits:
                self._taken[key].append((now, count))
        return now

    def give_back(self, keys: Iterable[str], at: datetime) -> None:
        """Take back one that was counted for these keys at that time."""
        with self._lock:
            for key in keys:
                taken = self._taken.get(key)
                if taken and (at, 1) in taken:
                    taken.remove((at, 1))
                if not taken:
                    self._taken.pop(key, None)

    def _recent(
        self, taken: deque[tuple[datetime, int]], now: datetime
    ) -> deque[tuple[datetime, int]]:
        while taken and taken[0][0] <= now - self._length:
            taken.popleft()
        return taken
