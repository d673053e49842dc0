"""Chance that can be had again: draws that a seed decides, on every machine and every Python."""

import hashlib
import struct
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

_T = TypeVar("_T")
_WORDS = struct.Struct(">8Q")


class Dice:
    """Draws from SHA-512 over the seed and a counter; `random` would differ between versions."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._blocks = 0
        self._words: list[int] = []

    def below(self, limit: int) -> int:
        """Return a whole number from 0 to `limit` - 1. 64 bits: the remainder is fair enough."""
        if not self._words:
            block = hashlib.sha512(self._seed + self._blocks.to_bytes(8, "big")).digest()
            self._blocks += 1
            self._words = list(_WORDS.unpack(block))
        return self._words.pop() % limit

    def between(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def seconds(self, low: int, high: int) -> timedelta:
        """Return a duration of whole seconds, both bounds included."""
        return timedelta(seconds=self.between(low, high))

    def pick(self, items: Sequence[_T]) -> _T:
        """Return one of the items."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """Return the items in another order (Fisher and Yates)."""
        row = list(items)
        for last in range(len(row) - 1, 0, -1):
            other = self.below(last + 1)
            row[last], row[other] = row[other], row[last]
        return row

    def spelled(self, alphabet: str, length: int) -> str:
        """Return so many letters of an alphabet."""
        return "".join(self.pick(alphabet) for _ in range(length))

    def data(self, length: int) -> bytes:
        """Return so many bytes."""
        return bytes(self.below(256) for _ in range(length))
