"""Injects, messages and replies as they are stored and read."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.ids import TeamId, UserId
from orchestrator.domain.injects import Expectation, Firing


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A firing as it is stored. `due` is the team's clock, `changed_at` wall time.

    At `undo`, on the team's clock, the link that it changed is restored.
    """

    id: str
    team: TeamId
    firing: Firing
    due: timedelta | None
    changed_at: datetime
    undo: timedelta | None
    attempt: int
    detail: str
    expectation: Expectation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message, rendered for a team; `to` is a role or `all`."""

    sender: str
    to: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What somebody answered; `elapsed` is the team's clock."""

    user: UserId
    name: str
    text: str
    at: datetime
    elapsed: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMessage:
    """A message that a team got with a firing, and what it answered, oldest first."""

    id: int
    team: TeamId
    firing: str
    inject: str
    letter: Letter
    at: datetime
    elapsed: timedelta
    fired: timedelta
    expectation: Expectation | None
    replies: tuple[Reply, ...] = ()
