"""Staff who type in somebody's terminal, never unseen."""

from typing import Protocol

from core.errors import Fault, PoligonError
from orchestrator.terminal.answers import without_answers


class NoTerminalError(PoligonError):
    """A session cannot be joined: nobody could be told, and what is typed would be its data."""

    code = "terminal.none"
    fault = Fault.CONFLICT


class Hosting(Protocol):
    """The terminal's side."""

    def say(self, sentence: str) -> None:
        """Show a line to everybody there."""
        ...

    def typed_by_guest(self, data: bytes) -> None:
        """Take input."""
        ...

    def left_by(self, guest: "Guest") -> None:
        """Know one guest less."""
        ...


class Guest:
    """One who has joined: the notice was shown before this exists. Types until they leave."""

    def __init__(self, name: str, hosting: Hosting) -> None:
        self.name = name
        self._hosting = hosting
        self._is_there = True
        hosting.say(self.notice)

    @property
    def notice(self) -> str:
        """What the trainee reads."""
        return f"{self.name} has joined your terminal and can type"

    def type(self, data: bytes) -> None:
        """Type; after leaving, after the end and while the process takes no input it is dropped.

        So are the answers of the guest's own terminal: the trainee's gives them, too.
        """
        if self._is_there and (typed := without_answers(data)):
            self._hosting.typed_by_guest(typed)

    def leave(self) -> None:
        """Leave, which is shown too."""
        if self._is_there:
            self._is_there = False
            self._hosting.left_by(self)
            self._hosting.say(f"{self.name} has left your terminal")
