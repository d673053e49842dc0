"""What happens again and again is told once, and later how often more."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

_MOST_KEYS = 1000

Event = TypeVar("Event")


@dataclass(slots=True)
class _Since(Generic[Event]):
    last: Event
    count: int = 0


class Tally(Generic[Event]):
    """Tells the first event of a key at once, then `every` so often the last and their number."""

    def __init__(self, tell: Callable[[Event, int], None], *, every: timedelta) -> None:
        """Of more than 1000 keys at a time the others are not told."""
        self._tell = tell
        self._seconds = every.total_seconds()
        self._told: dict[Hashable, _Since[Event]] = {}

    def add(self, key: Hashable, event: Event) -> None:
        """Take an event; on the event loop."""
        if since := self._told.get(key):
            since.last, since.count = event, since.count + 1
        elif len(self._told) < _MOST_KEYS:
            self._tell_now(key, event, 1)

    def _tell_now(self, key: Hashable, event: Event, count: int) -> None:
        self._told[key] = _Since(event)
        asyncio.get_running_loop().call_later(self._seconds, self._again, key)
        self._tell(event, count)

    def _again(self, key: Hashable) -> None:
        since = self._told.pop(key)
        if since.count:
            self._tell_now(key, since.last, since.count)
