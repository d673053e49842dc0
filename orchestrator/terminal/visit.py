"""Who comes to do what where."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from core.ids import new_id
from orchestrator.domain.record import NOTHING, Record
from orchestrator.domain.world import HostKey
from orchestrator.terminal.book import Kind
from orchestrator.terminal.shell_hook import hook
from orchestrator.terminal.stream import TerminalSize


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who comes to do what where. `size` is given for a terminal, `greeting` is shown on it."""

    login: str
    host: HostKey
    account: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    size: TerminalSize | None = None
    greeting: str = ""
    is_login_shell: bool = False
    kind: Kind = Kind.TERMINAL
    asked: str = ""
    """The command line that was given with the login."""
    record: Record = NOTHING
    id: str = field(default_factory=new_id)

    @property
    def person(self) -> str:
        """The name of who comes, whatever place the login names."""
        return self.login.partition(".")[0]

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of its process; by `POLIGON_SESSION` its processes are found again."""
        return {
            "LANG": "C.UTF-8",
            **self.environment,
            **({"PROMPT_COMMAND": hook(self.id)} if self.is_hooked else {}),
            "USER": self.account,
            "LOGNAME": self.account,
            "POLIGON_SESSION": self.id,
        }

    @property
    def is_lasting(self) -> bool:
        """Whether it outlives its client and its host: a login shell on a terminal."""
        return self.is_login_shell and self.size is not None

    @property
    def is_hooked(self) -> bool:
        """Whether its shell is asked to tell what it runs."""
        return self.is_lasting and self.record.hook

    def resumes(self, other: "Visit") -> bool:
        """Tell whether this is the same person who comes to the same place for the same."""
        return (
            self.is_lasting
            and other.is_lasting
            and (self.person, self.host, self.account) == (other.person, other.host, other.account)
        )


Admit = Callable[[Visit], Awaitable[None]]
"""Returns when a visitor may enter again; raises PoligonError with the reason why not."""
