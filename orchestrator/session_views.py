"""What is known of sessions in hosts, for those who read of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.ids import ExerciseId
from orchestrator.terminal.book import Direction, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A complete recording: its file's name, its bytes, its SHA-256 in hexadecimal."""

    file: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSession:
    """A session in a host, also one that goes on: then `ended` and `code` are None.

    `elapsed` is the team's clock when it began. `user` is empty when the login is nobody's any
    more. `unrecorded` says why there is no recording or why it ends early; `deleted` is when the
    recording and the commands were deleted because their time was over.
    """

    id: str
    exercise: ExerciseId
    team: str
    user: str
    login: str
    host: str
    account: str
    kind: Kind
    began: datetime
    elapsed: timedelta
    ended: datetime | None
    code: int | None
    how: str
    shown: int
    unrecorded: str
    recording: Recording | None
    deleted: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command that was run. `elapsed` is the team's clock, here as below."""

    at: datetime
    elapsed: timedelta
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A file that went in or out; the bytes that passed, and whether these were all of it."""

    at: datetime
    elapsed: timedelta
    direction: Direction
    path: str
    size: int
    sha256: str
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardView:
    """A connection that was forwarded, when it began and ended, and its bytes each way."""

    began: datetime
    elapsed: timedelta
    ended: datetime
    target: str
    port: int
    to_target: int
    from_target: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDetails:
    """A session with what was done in it, each in its order."""

    session: PastSession
    commands: tuple[CommandView, ...]
    files: tuple[FileView, ...]
    forwards: tuple[ForwardView, ...]
