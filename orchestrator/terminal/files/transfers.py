"""What is written down of a file that passes."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.terminal.book import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A file that was put or taken: the bytes that passed, and their SHA-256 in hexadecimal.

    The digest is empty when the bytes did not pass one after the other from the file's start.
    """

    direction: Direction
    path: str
    size: int
    sha256: str


Told = Callable[[Transfer], None]


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
        """Take bytes that went by; without an offset they follow the ones before."""
        if not data:
            return
        self._in_order = self._in_order and offset in {None, self._next}
        self._size += len(data)
        if self._in_order:
            self._next += len(data)
            self._digest.update(data)

    def transfer(self) -> Transfer:
        """Return what to write down now that it is over."""
        return Transfer(
            direction=self.direction,
            path=self.path.decode(errors="backslashreplace"),
            size=self._size,
            sha256=self._digest.hexdigest() if self._in_order else "",
        )

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing went by."""
        return self._size == 0
