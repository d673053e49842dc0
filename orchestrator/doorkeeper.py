"""Who may come in, and where they land: what the gateway asks of the program."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import Fault, PoligonError
from orchestrator.domain.world import HostKey


class EntryRefusedError(PoligonError):
    """Somebody who proved who they are may not enter now; the trainee reads why."""

    code = "entry.refused"
    fault = Fault.DENIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where a login lands: a host, the account there, and a line shown on a terminal."""

    host: HostKey
    account: str
    greeting: str
    environment: Mapping[str, str] = field(default_factory=dict)


class Doorkeeper(Protocol):
    """Answers for logins `name`, `name.host` or `name.team.host`.

    Synchronous: the gateway calls it in threads, several at once.
    """

    def password_fits(self, login: str, password: str) -> bool:
        """Tell whether this is the login's password; an unknown login takes as long."""
        ...

    def key_fits(self, login: str, public_key: str) -> bool:
        """Tell whether a key, in OpenSSH's one-line form without comment, is the login's."""
        ...

    def enter(self, login: str) -> Entry:
        """Return where the login lands now; raises EntryRefusedError with a sentence."""
        ...

    def may_stay(self, login: str, entry: Entry) -> bool:
        """Tell whether somebody inside may stay; asked every few seconds for each session."""
        ...
