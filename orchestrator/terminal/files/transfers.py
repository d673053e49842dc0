"""What is written down of a file that passes."""

import hashlib
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.terminal.book import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A file that was put or taken: the bytes that passed, and their SHA-256 in hexadecimal.

    The digest is empty when the bytes did not pass one after the other from the file's start.
    `whole` tells that they did, to the file's end, and that neither side took anything back.
    """

    direction: Direction
    path: str
    size: int
    sha256: str
    whole: bool


Told = Callable[[Transfer], None]


def absolute(path: str, *, start: str) -> str:
    """Return a path in the host from its root on; a relative one begins at `start`.

    Links stay as they are: only the host knows where they lead.
    """
    return "/" + posixpath.normpath(posixpath.join(start, path)).lstrip("/")


@dataclass(slots=True, kw_only=True)
class Passage:
    """A file on its way, in one direction."""

    direction: Direction
    path: bytes
    _next: int = 0
    _size: int = 0
    _in_order: bool = True
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def passed(self, offset: int | None, data: bytes) -> None:
        """Take bytes that went by; without an offset they follow the ones before.

        Bytes that are taken again passed already: Paramiko asks twice for some when it is slow.
        What is put again is another content.
        """
        if offset is not None and offset < self._next and self.direction is Direction.FROM_HOST:
            data, offset = data[self._next - offset :], self._next
        if not data:
            return
        self._in_order = self._in_order and offset in {None, self._next}
        self._size += len(data)
        if self._in_order:
            self._next += len(data)
            self._digest.update(data)

    def transfer(self, *, whole: bool) -> Transfer:
        """Return what to write down now that it is over, `whole` as far as both sides said."""
        return Transfer(
            direction=self.direction,
            path=self.path.decode(errors="backslashreplace"),
            size=self._size,
            sha256=self._digest.hexdigest() if self._in_order else "",
            whole=whole and self._in_order,
        )

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing went by."""
        return self._size == 0
