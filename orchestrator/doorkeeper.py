"""Who may come in, and where they land: what the gateway asks of the program."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.errors import Fault, PoligonError
from orchestrator.domain.record import NOTHING, Record
from orchestrator.domain.world import HostKey


class EntryRefusedError(PoligonError):
    """Somebody who proved who they are may not enter now; the trainee reads why."""

    code = "entry.refused"
    fault = Fault.DENIED


class HostNotChosenError(EntryRefusedError):
    """Somebody may enter several hosts and lands on none by default; a terminal offers a menu."""

    code = "entry.host_not_chosen"

    def __init__(self, *, title: str, hosts: Sequence[str]) -> None:
        super().__init__(
            "your role does not enter a host by default",
            hint=f"Open to you: {', '.join(hosts)}; name one after a dot, like login.host",
        )
        self.title = title
        self.hosts = tuple(hosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where a login lands: a host, the account there, and what a terminal shows first.

    `record` is what is kept of what is done there.
    """

    host: HostKey
    account: str
    greeting: str
    environment: Mapping[str, str] = field(default_factory=dict)
    record: Record = NOTHING


class Doorkeeper(Protocol):
    """Answers for logins `name`, `name.host`, and of staff `name.team.host`.

    Staff name the exercise, too, where the newest is not meant: `name.exercise.team.host`.
    Synchronous: the gateway calls it in threads, several at once.
    """

    def password_fits(self, login: str, password: str) -> bool:
        """Tell whether this is the login's password; an unknown login takes as long."""
        ...

    def key_fits(self, login: str, public_key: str) -> bool:
        """Tell whether a key, in OpenSSH's one-line form without comment, is the login's."""
        ...

    def staff_login(self, login: str, public_key: str) -> str | None:
        """Return `name.login` when `login` names a team's host and the key is of staff, `name`."""
        ...

    def code_fits(self, login: str, code: str) -> bool:
        """Tell whether this is the login's one-time code; it stays good."""
        ...

    def code_expired(self, login: str, code: str) -> bool:
        """Tell whether this was the login's one-time code and its time is over."""
        ...

    def enrol_key(self, login: str, code: str, public_key: str) -> None:
        """Use a code for a key that lets in from now on.

        Raises KeyInvalidError, CodeRefusedError.
        """
        ...

    def enrol_password(self, login: str, code: str, password: str) -> None:
        """Use a code for a password of one's own.

        Raises PasswordTooShortError, CodeRefusedError.
        """
        ...

    def enter(self, login: str) -> Entry:
        """Return where the login lands now, and write down that staff came.

        Raises EntryRefusedError with a sentence; HostNotChosenError where there is a choice.
        """
        ...

    def why_leave(self, login: str, entry: Entry) -> str:
        """Return why somebody inside may not stay, nothing while they may; writes nothing down.

        Asked every few seconds for each session.
        """
        ...

    def edition(self) -> int:
        """Return a number that is another one when somebody's access may have changed; cheap."""
        ...
