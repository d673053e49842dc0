"""What a session tells those who listen to it: a recorder, the command log, watchers."""

from collections.abc import Iterable
from typing import Protocol

from orchestrator.terminal.stream import TerminalSize


class Listener(Protocol):
    """Hears one session, in order. Told synchronously: it must return at once and never raise."""

    def output(self, data: bytes, *, error: bool = False) -> None:
        """Take what the process showed; `error` tells stderr from stdout."""
        ...

    def input(self, data: bytes) -> None:
        """Take what was typed, by the trainee or by staff who joined."""
        ...

    def ran(self, line: str) -> None:
        """Take a line that the shell itself says it runs."""
        ...

    def resized(self, size: TerminalSize) -> None:
        """Take the terminal's new size."""
        ...

    def marked(self, label: str) -> None:
        """Take an event of the session itself, such as a client that left or came back.

        What was said on the screen, such as a notice, is told as output before.
        """
        ...

    def ended(self, code: int) -> None:
        """Take the end; nothing follows. `code` is what the client was told."""
        ...


class Audience:
    """Tells every one of its listeners."""

    def __init__(self, listeners: Iterable[Listener] = ()) -> None:
        self._listeners = list(listeners)

    def add(self, listener: Listener) -> None:
        """Have somebody listen from now on."""
        self._listeners.append(listener)

    def remove(self, listener: Listener) -> None:
        """Have somebody listen no more; one who does not is no fault."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def output(self, data: bytes, *, error: bool = False) -> None:
        """Tell what the process showed."""
        for listener in tuple(self._listeners):
            listener.output(data, error=error)

    def input(self, data: bytes) -> None:
        """Tell what was typed."""
        for listener in tuple(self._listeners):
            listener.input(data)

    def ran(self, line: str) -> None:
        """Tell what the shell says it runs."""
        for listener in tuple(self._listeners):
            listener.ran(line)

    def resized(self, size: TerminalSize) -> None:
        """Tell the new size."""
        for listener in tuple(self._listeners):
            listener.resized(size)

    def marked(self, label: str) -> None:
        """Tell an event."""
        for listener in tuple(self._listeners):
            listener.marked(label)

    def ended(self, code: int) -> None:
        """Tell the end, and nothing after it."""
        leaving, self._listeners = self._listeners, []
        for listener in leaving:
            listener.ended(code)
