"""What a session has around it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from core.clock import Clock
from orchestrator.terminal.chronicle import SessionChronicle
from orchestrator.terminal.limits import TerminalLimits
from orchestrator.terminal.reaper import Reaper
from orchestrator.terminal.stream import TerminalEngine
from orchestrator.terminal.turns import Turns
from orchestrator.terminal.visit import Admit, Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all sessions of a process have in common; `on_kept` hears whose client left."""

    engine: TerminalEngine
    reaper: Reaper
    turns: Turns
    clock: Clock
    admit: Admit
    on_kept: Callable[[Visit], None]
    chronicle: SessionChronicle
    limits: TerminalLimits = field(default_factory=TerminalLimits)
