"""The chain of a team's entries: each holds the hash of the one before, so none can be changed."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

GENESIS = "0" * 64
"""What the first entry of a team holds instead of a former hash."""


class Content(NamedTuple):
    """All that an entry says, in the order in which it is hashed. `reverses` is an entry's id."""

    exercise: str
    team: str
    position: int
    user: str | None
    task: str
    kind: str
    milli_points: int
    effective_at: datetime
    recorded_at: datetime
    cause_type: str
    cause_id: str
    key: str
    reverses: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry as it is stored: its id, what it says, and its place in the chain."""

    id: int
    content: Content
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first entry at which a chain does not hold: what it should say, and what it says."""

    entry: int
    what: str
    expected: str
    found: str


def link_hash(prev_hash: str, content: Content) -> str:
    """Return the SHA-256, in hex, of a former hash and an entry, as JSON without white space.

    Times are in UTC, to the microsecond.
    """
    values = [_canonical(value) for value in content]
    text = json.dumps([prev_hash, *values], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def seal_hash(prev_hash: str, exercise: str, heads: Iterable[tuple[str, int, str]]) -> str:
    """Return the SHA-256, in hex, over a former seal and each team's id, last position and hash."""
    values = [prev_hash, exercise, *(list(head) for head in sorted(heads))]
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def first_break(links: Iterable[Link]) -> Break | None:
    """Return where the chain of one team breaks first; `None` when it holds.

    `links` are all its entries in the order of positions. One that was cut off at the end is missed
    by a seal only.
    """
    former = GENESIS
    for place, link in enumerate(links, start=1):
        found = (
            ("position", str(place), str(link.content.position)),
            ("prev_hash", former, link.prev_hash),
            ("hash", link_hash(link.prev_hash, link.content), link.hash),
        )
        for what, expected, is_now in found:
            if expected != is_now:
                return Break(entry=link.id, what=what, expected=expected, found=is_now)
        former = link.hash
    return None


def _canonical(value: str | int | datetime | None) -> str | int | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value) if isinstance(value, str) else value
