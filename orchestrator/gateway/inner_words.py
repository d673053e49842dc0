"""What is said at a gateway's inner door, in closed types: JSON in text frames.

The first frame asks for something. Of a terminal, binary frames are bytes from then on, and text
frames are the types below.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from orchestrator.gateway.facts import GatewayFacts

LARGEST_FRAME = 64 * 1024
_Characters = Annotated[int, Field(ge=1, le=1000)]
_SessionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
_Sentence = Annotated[str, Field(min_length=1, max_length=500)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Size(_Closed):
    """A terminal's size in characters."""

    columns: _Characters
    rows: _Characters


class Enter(_Closed):
    """A shell for somebody who has proved who they are: the one they left, or a new one."""

    ask: Literal["enter"] = "enter"
    login: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
    host: Annotated[
        str, Field(pattern=r"^([a-z0-9][a-z0-9_-]{0,62}(\.[a-z0-9_-]{1,63}){0,2})?$")
    ] = ""
    size: Size
    session: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,64}$")] = ""
    """The session that this page had: taken over although its old connection is not known to be
    dead yet."""
    entered: bool = False
    """Another gateway has asked the doorkeeper and written down who came: this one need not."""


class Watch(_Closed):
    """See a terminal. Nothing that is sent after it reaches the host."""

    ask: Literal["watch"] = "watch"
    session: _SessionId


class Join(_Closed):
    """See a terminal and type in it; its trainee is told who."""

    ask: Literal["join"] = "join"
    session: _SessionId
    name: _Name


class List(_Closed):
    """Every session of this gateway, or with a person those of theirs and of a team's world."""

    ask: Literal["sessions"] = "sessions"
    person: str = ""
    exercise: str = ""
    team: str = ""


class End(_Closed):
    """End a session; its trainee is told the sentence and by whom."""

    ask: Literal["end"] = "end"
    session: _SessionId
    sentence: _Sentence
    by: _Name


class Say(_Closed):
    """Show a sentence on a session's terminal."""

    ask: Literal["say"] = "say"
    session: _SessionId
    sentence: _Sentence


class Status(_Closed):
    """What an operator wants to know of this gateway."""

    ask: Literal["status"] = "status"


class Drain(_Closed):
    """Take nobody new, tell everybody inside, and end when they have or the time is over."""

    ask: Literal["drain"] = "drain"
    seconds: Annotated[float, Field(ge=0, le=24 * 60 * 60)]


class Resize(_Closed):
    """From a trainee's terminal: it has another size now."""

    tell: Literal["resize"] = "resize"
    size: Size


class Kill(_Closed):
    """From a trainee's terminal at another gateway: their client sent a signal that ends it."""

    tell: Literal["kill"] = "kill"
    signal: Annotated[int, Field(ge=1, le=64)]


class Opened(_Closed):
    """The terminal is there; what follows is on it."""

    tell: Literal["opened"] = "opened"
    session: str
    host: str
    team: str
    resumed: bool = False


class Resized(_Closed):
    """To a watcher: the terminal has this size."""

    tell: Literal["resized"] = "resized"
    size: Size


class Lost(_Closed):
    """To a watcher that did not keep up: so many bytes were left out here."""

    tell: Literal["lost"] = "lost"
    bytes: int


class Notice(_Closed):
    """A sentence beside the terminal."""

    tell: Literal["notice"] = "notice"
    sentence: str


class Ended(_Closed):
    """Nothing follows. `sentence` says why, when it was not the process that ended."""

    tell: Literal["ended"] = "ended"
    code: int
    sentence: str = ""


class Refused(_Closed):
    """It cannot be done; nothing follows."""

    tell: Literal["refused"] = "refused"
    code: str
    sentence: str


class Done(_Closed):
    """It is done; nothing follows."""

    tell: Literal["done"] = "done"


class SessionFacts(_Closed):
    """A session as staff see it. Times are UTC, spans are seconds.

    `idle` counts since anybody typed, `unanswered` since the first of what was typed that nothing
    was shown after. `attached` is false while it is kept for a trainee whose connection is gone;
    `terminal` is false for commands and transfers, which nobody can watch.
    """

    id: str
    login: str
    exercise: str
    team: str
    host: str
    account: str
    since: datetime
    idle: float
    unanswered: float
    attached: bool
    terminal: bool

    @property
    def person(self) -> str:
        """The name of whose it is."""
        return self.login.partition(".")[0]


class Listed(_Closed):
    """Every session of a gateway; nothing follows."""

    tell: Literal["sessions"] = "sessions"
    sessions: tuple[SessionFacts, ...]
    draining: bool = False
    """It takes nobody new."""


class Looked(_Closed):
    """What an operator wants to know; nothing follows."""

    tell: Literal["status"] = "status"
    facts: GatewayFacts


Request = Enter | Watch | Join | List | End | Say | Status | Drain
Told = Opened | Resized | Lost | Notice | Ended | Refused | Done | Listed | Looked

Sent = Resize | Kill

SENT: TypeAdapter[Sent] = TypeAdapter(Annotated[Sent, Field(discriminator="tell")])
REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="ask")])
TOLD: TypeAdapter[Told] = TypeAdapter(Annotated[Told, Field(discriminator="tell")])
