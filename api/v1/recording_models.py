"""Sessions in hosts as clients see them, with what was done in them."""

from datetime import datetime

from pydantic import BaseModel, Field

from orchestrator.session_views import PastSession, SessionDetails
from orchestrator.terminal.book import Direction, Kind


class RecordingOut(BaseModel):
    """A complete recording: bytes, and the SHA-256 in hexadecimal that it is checked against."""

    size: int = Field(examples=[48_213])
    sha256: str


class SessionOut(BaseModel):
    """A session in a host; `ended` and `code` are null while it goes on.

    `elapsed_seconds` is the team's clock when it began. `unrecorded` says why there is no recording
    or why it ends early, `how` why the session was ended when it was not by itself, `deleted` when
    the recording and the commands were deleted because their time was over.
    """

    id: str = Field(examples=["7k2m9x4c1q0a"])
    team: str = Field(examples=["team-1"])
    user: str = Field(examples=["team-1-k3f"])
    login: str = Field(examples=["team-1-k3f.desk"])
    host: str = Field(examples=["desk"])
    account: str = Field(examples=["analyst"])
    kind: Kind
    began: datetime
    elapsed_seconds: float = Field(examples=[754])
    ended: datetime | None
    code: int | None = Field(examples=[0])
    how: str = Field(examples=["the exercise is paused"])
    shown_bytes: int = Field(examples=[20_118])
    unrecorded: str = Field(examples=["what passes are files"])
    recording: RecordingOut | None
    deleted: datetime | None


class CommandOut(BaseModel):
    """A command that was run: the one that SSH was given, or a line typed on a terminal."""

    at: datetime
    elapsed_seconds: float
    line: str = Field(examples=["ls -l /var/log"])


class FileOut(BaseModel):
    """A file that went in or out: the bytes that passed, and whether these were all of it.

    `sha256` is empty when they did not pass in order. Of what was written down by versions before
    this one nobody can tell, so `whole` is false.
    """

    at: datetime
    elapsed_seconds: float
    direction: Direction
    path: str = Field(examples=["/home/analyst/notes.txt"])
    size: int
    sha256: str
    whole: bool


class ForwardOut(BaseModel):
    """A connection that was forwarded, and the bytes that it carried each way."""

    began: datetime
    elapsed_seconds: float
    ended: datetime
    target: str = Field(examples=["web"])
    port: int = Field(examples=[80])
    bytes_to_target: int
    bytes_from_target: int


class SessionDetailsOut(SessionOut):
    """A session with what was done in it, in order."""

    commands: list[CommandOut]
    files: list[FileOut]
    forwards: list[ForwardOut]


def details_out(details: SessionDetails) -> SessionDetailsOut:
    """Return a session with what was done in it as clients see it."""
    return SessionDetailsOut(
        **session_out(details.session).model_dump(),
        commands=[
            CommandOut(at=c.at, elapsed_seconds=c.elapsed.total_seconds(), line=c.line)
            for c in details.commands
        ],
        files=[
            FileOut(
                at=f.at,
                elapsed_seconds=f.elapsed.total_seconds(),
                direction=f.direction,
                path=f.path,
                size=f.size,
                sha256=f.sha256,
                whole=f.whole,
            )
            for f in details.files
        ],
        forwards=[
            ForwardOut(
                began=f.began,
                elapsed_seconds=f.elapsed.total_seconds(),
                ended=f.ended,
                target=f.target,
                port=f.port,
                bytes_to_target=f.to_target,
                bytes_from_target=f.from_target,
            )
            for f in details.forwards
        ],
    )


def session_out(session: PastSession) -> SessionOut:
    """Return a session as clients see it."""
    recording = session.recording
    return SessionOut(
        id=session.id,
        team=session.team,
        user=session.user,
        login=session.login,
        host=session.host,
        account=session.account,
        kind=session.kind,
        began=session.began,
        elapsed_seconds=session.elapsed.total_seconds(),
        ended=session.ended,
        code=session.code,
        how=session.how,
        shown_bytes=session.shown,
        unrecorded=session.unrecorded,
        recording=RecordingOut(size=recording.size, sha256=recording.sha256) if recording else None,
        deleted=session.deleted,
    )
