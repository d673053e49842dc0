"""Watching a session live, which can do nothing to it."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orchestrator.terminal.listening import Listener
from orchestrator.terminal.stream import TerminalSize

_MOST_WAITING = 1024 * 1024
_MOST_EVENTS = 4096


@dataclass(frozen=True, slots=True)
class Shown:
    """Output, in the order of the screen."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Resized:
    """The terminal's new size."""

    size: TerminalSize


@dataclass(frozen=True, slots=True)
class Marked:
    """An event of the session itself."""

    label: str


@dataclass(frozen=True, slots=True)
class Lost:
    """So many bytes of output were not kept for a watcher who was slow; the last screen follows."""

    count: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The end; nothing follows."""

    code: int


Event = Shown | Resized | Marked | Lost | Ended


class Watcher(Listener):
    """One who looks on: iterates over events, the last screen first. Holds nothing up."""

    def __init__(
        self,
        *,
        now: Callable[[], Iterable[Event]],
        leave: Callable[["Watcher"], None],
        most_waiting: int = _MOST_WAITING,
    ) -> None:
        """Begin with what `now` returns: events that show the session as it stands."""
        self._now = now
        self._leave = leave
        self._most_waiting = most_waiting
        self._events: deque[Event] = deque(now())
        self._waiting_bytes = sum(_size(event) for event in self._events)
        self._lost_bytes = 0
        self._something = asyncio.Event()
        self._is_over = False

    def __aiter__(self) -> "Watcher":
        return self

    async def __anext__(self) -> Event:
        """Return the next event; iteration ends after `Ended` or `close`."""
        while not self._events and not self._lost_bytes:
            if self._is_over:
                raise StopAsyncIteration
            self._something.clear()
            await self._something.wait()
        if not self._events:
            self._tell_of_loss()
        event = self._events.popleft()
        self._waiting_bytes -= _size(event)
        return event

    def close(self) -> None:
        """Watch no more."""
        self._leave(self)
        self._is_over = True
        self._something.set()

    def output(self, data: bytes, *, error: bool = False) -> None:  # noqa: ARG002  # one screen
        """Keep output for the watcher, or count it as lost."""
        if self._lost_bytes or not self._has_room(len(data)):
            self._lost_bytes += len(data)
            self._something.set()
        else:
            self._add(Shown(data))

    def input(self, data: bytes) -> None:
        """Take nothing: what was typed is seen when the terminal shows it."""

    def resized(self, size: TerminalSize) -> None:
        """Keep the new size."""
        if self._has_room(0):
            self._add(Resized(size))

    def ran(self, line: str) -> None:
        """Take no notice."""

    def marked(self, label: str) -> None:
        """Keep the event."""
        if self._has_room(0):
            self._add(Marked(label))

    def ended(self, code: int) -> None:
        """Keep the end, whatever waits."""
        if self._lost_bytes:
            self._tell_of_loss()
        self._add(Ended(code))
        self._is_over = True

    def _has_room(self, count: int) -> bool:
        return (
            len(self._events) < _MOST_EVENTS and self._waiting_bytes + count <= self._most_waiting
        )

    def _add(self, event: Event) -> None:
        self._events.append(event)
        self._waiting_bytes += _size(event)
        self._something.set()

    def _tell_of_loss(self) -> None:
        self._add(Lost(self._lost_bytes))
        self._lost_bytes = 0
        for event in self._now():
            self._add(event)


def _size(event: Event) -> int:
    return len(event.data) if isinstance(event, Shown) else 0
