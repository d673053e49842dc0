"""Accounts of a host: what `passwd`, `group` and `shadow` say once a plan's accounts are in them.

Pure: bytes in, bytes out. Layouts after passwd(5), group(5) and shadow(5).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import Fault, PoligonError
from orchestrator.domain.world import AccountPlan
from orchestrator.engine.sha512_crypt import shadow_hash

_FIRST_UID = 1000  # Debian's and everybody's start of people's accounts
_LOCKED = "!"


class UnknownOwnerError(PoligonError):
    """A file of a plan belongs to an account or group that its host does not have."""

    code = "engine.unknown_owner"
    fault = Fault.INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home that has to be made, with the ids that own it."""

    path: str
    uid: int
    gid: int


class Identities:
    """A host's accounts and groups, read from an image and added to."""

    def __init__(self, *, passwd: bytes, group: bytes, shadow: bytes) -> None:
        self._passwd = _rows(passwd)
        self._group = _rows(group)
        self._shadow = _rows(shadow)

    def add(self, account: AccountPlan, *, shell: str) -> Home | None:
        """Have the account with its password; return its home unless the account was there."""
        home = None if _named(self._passwd, account.name) else self._new(account.name, shell)
        if home is None and account.password is None:
            return None
        self._set_password(account)
        return home

    def owner(self, text: str) -> tuple[int, int]:
        """Return uid and gid of `user`, `user:group` or numbers; a lone user brings its group.

        Raises UnknownOwnerError.
        """
        user, _, group = text.partition(":")
        row = _named(self._passwd, user)
        uid = int(row[2]) if row else _number(user, text)
        if not group:
            return uid, int(row[3]) if row else uid
        group_row = _named(self._group, group)
        return uid, int(group_row[2]) if group_row else _number(group, text)

    def passwd(self) -> bytes:
        """Return the text of `/etc/passwd`."""
        return _text(self._passwd)

    def group(self) -> bytes:
        """Return the text of `/etc/group`."""
        return _text(self._group)

    def shadow(self) -> bytes:
        """Return the text of `/etc/shadow`."""
        return _text(self._shadow)

    def _new(self, name: str, shell: str) -> Home:
        existing_group = _named(self._group, name)
        taken = _ids(self._passwd) | _ids(self._group)
        number = next(n for n in range(_FIRST_UID, _FIRST_UID + len(taken) + 1) if n not in taken)
        gid = int(existing_group[2]) if existing_group else number
        if existing_group is None:
            self._group.append([name, "x", str(gid), ""])
        home = Home(path=f"/home/{name}", uid=number, gid=gid)
        self._passwd.append([name, "x", str(number), str(gid), "", home.path, shell])
        return home

    def _set_password(self, account: AccountPlan) -> None:
        secret = _LOCKED if account.password is None else shadow_hash(account.password)
        row = _named(self._shadow, account.name)
        if row is None:
            # An empty day of the last change means that passwords do not age.
            self._shadow.append([account.name, secret, "", "0", "99999", "7", "", "", ""])
        else:
            row[1] = secret


def _rows(text: bytes) -> list[list[str]]:
    # surrogateescape: names in an image may be in any encoding, and go back as they came.
    lines = text.decode(errors="surrogateescape").splitlines()
    return [line.split(":") for line in lines if line]


def _text(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(f"{':'.join(row)}\n" for row in rows).encode(errors="surrogateescape")


def _named(rows: Sequence[list[str]], name: str) -> list[str] | None:
    return next((row for row in rows if row[0] == name), None)


def _ids(rows: Sequence[Sequence[str]]) -> set[int]:
    return {int(row[2]) for row in rows if len(row) > 2 and row[2].isdecimal()}  # noqa: PLR2004  # third column


def _number(name: str, owner: str) -> int:
    if name.isascii() and name.isdecimal():
        return int(name)
    if name == "root":
        return 0  # also in an image from scratch, which has no passwd
    raise UnknownOwnerError(
        f"a file should belong to {owner!r}, and the host has no {name!r}",
        hint="List the account under the host's accounts, or use one that the image has",
    )
