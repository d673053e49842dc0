"""Who is told what becomes of sessions."""

from collections.abc import Sequence
from typing import Protocol

from core.errors import PoligonError
from orchestrator.terminal.listening import Listener
from orchestrator.terminal.visit import Visit


class SessionChronicle(Protocol):
    """Is told of sessions, on their event loop. Must return at once and never raise."""

    def begun(self, visit: Visit) -> Sequence[Listener]:
        """Take that a session begins; return who must hear the rest of it."""
        ...

    def not_served(self, visit: Visit, why: PoligonError) -> None:
        """Take that the range, and not the visitor, is why a session was not served."""
        ...
