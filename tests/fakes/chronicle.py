"""A chronicle that remembers what it is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from core.errors import PoligonError
from orchestrator.gateway.forwarding import Forwarded
from orchestrator.terminal.book import Turned
from orchestrator.terminal.files.transfers import Transfer
from orchestrator.terminal.listening import Listener
from orchestrator.terminal.visit import Visit


def nobody(_visit: Visit) -> Sequence[Listener]:
    """Have nobody listen."""
    return ()


@dataclass(kw_only=True)
class FakeChronicle:
    """Remembers; `listeners` says who hears a new session."""

    listeners: Callable[[Visit], Sequence[Listener]] = nobody
    faults: list[PoligonError] = field(default_factory=list)
    files: list[Transfer] = field(default_factory=list)
    forwards: list[Forwarded] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    turned: list[tuple[str, Turned, str]] = field(default_factory=list)
    guesses: list[tuple[str, str, int]] = field(default_factory=list)

    def begun(self, visit: Visit) -> Sequence[Listener]:
        return self.listeners(visit)

    def not_served(self, visit: Visit, why: PoligonError) -> None:
        self.faults.append(why)

    def moved(self, visit: Visit, transfer: Transfer) -> None:
        self.files.append(transfer)

    def forwarded(self, over: Forwarded) -> None:
        self.forwards.append(over)

    def left(self, connection: str) -> None:
        self.gone.append(connection)

    def turned_away(self, name: str, why: Turned, *, source: str, said: str = "") -> None:
        self.turned.append((name, why, said))

    def guessed(self, name: str, source: str, count: int) -> None:
        self.guesses.append((name, source, count))
