"""What a gateway tells of those who come to it."""

from typing import Protocol

from orchestrator.gateway.forwarding import ForwardChronicle
from orchestrator.terminal.book import Turned
from orchestrator.terminal.chronicle import SessionChronicle
from orchestrator.terminal.files.transfers import Transfer
from orchestrator.terminal.visit import Visit


class Chronicle(SessionChronicle, ForwardChronicle, Protocol):
    """Is told on the event loop. Must return at once and never raise."""

    def moved(self, visit: Visit, transfer: Transfer) -> None:
        """Take a file that was put or taken in a session."""
        ...

    def guessed(self, name: str, source: str, count: int) -> None:
        """Take that so many wrong passwords or codes came for a name, the last from `source`."""
        ...

    def turned_away(self, name: str, why: Turned, *, source: str, said: str = "") -> None:
        """Take that who came by this name was not let in, and was told `said` if anything."""
        ...
