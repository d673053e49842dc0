"""What is written down of sessions: who, where, when, how it ended, and what was done in them.

A session of `Kind.FORWARD` stands for the forwards of one connection into one host.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from core.ids import new_id
from orchestrator.domain.world import HostKey


class Kind(StrEnum):
    """What a session is for."""

    TERMINAL = "terminal"
    COMMAND = "command"
    FILES = "files"
    FORWARD = "forward"


class Direction(StrEnum):
    """Which way a file went, seen from the trainee's machine."""

    TO_HOST = "to_host"
    FROM_HOST = "from_host"


WAYS = {"in": Direction.TO_HOST, "out": Direction.FROM_HOST}
"""How scenarios and their solutions call the directions: as seen from the host."""


class Turned(StrEnum):
    """Why somebody was turned away before a session began, as the act in an exercise's log."""

    KEY = "login.key_refused"
    CODE = "login.code_expired"
    ENTRY = "entry.refused"
    GARBLED = "login.garbled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """A session began. `unrecorded` says why its terminal is not recorded, empty when it is."""

    session: str
    login: str
    host: HostKey
    account: str
    kind: Kind
    at: datetime
    unrecorded: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A session ended with `code`, after `shown` bytes; `how` is why when it was not by itself."""

    session: str
    at: datetime
    code: int
    shown: int = 0
    how: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRun:
    """Somebody ran a command: the one that SSH was given, or a line typed on a terminal."""

    session: str
    at: datetime
    line: str
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMoved:
    """A file went in or out: its path in the host, the bytes that passed, their SHA-256.

    `whole` tells that these were all of its bytes.
    """

    session: str
    at: datetime
    direction: Direction
    path: str
    size: int
    sha256: str
    whole: bool
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardClosed:
    """A forwarded connection is over: from `began` to `at`, and the bytes it carried each way."""

    session: str
    began: datetime
    at: datetime
    target: str
    port: int
    to_target: int
    from_target: int
    id: str = field(default_factory=new_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CastKept:
    """A recording is complete: its file's name in its exercise's folder, its bytes, its SHA-256."""

    session: str
    file: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStopped:
    """A recording was not begun, or ended before its session; instructors are told why."""

    session: str
    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotServed:
    """A fault of the range, `why`, kept a session from its host; instructors are told.

    With `is_full` it is the host itself, in which nothing more can be started.
    """

    session: str
    at: datetime
    why: str
    is_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginsFailed:
    """So many wrong passwords and codes came for a name, the last `source`; no session began."""

    name: str
    source: str
    count: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnedAway:
    """Who came by a name was turned away `count` times since that was told last.

    The last came from `source`, and was told `said` if anything.
    """

    name: str
    why: Turned
    source: str
    said: str
    count: int
    at: datetime


OfSession = Ended | CommandRun | FileMoved | ForwardClosed | CastKept | RecordingStopped | NotServed
Note = Began | OfSession | LoginsFailed | TurnedAway


class SessionBook(Protocol):
    """Keeps what it is told of sessions."""

    def note(self, entry: Note) -> None:
        """Take an entry; its session's `Began` comes first. Returns at once, never raises.

        May be called on any thread, also on an event loop's.
        """
        ...
