"""Injects and messages as clients see them. Times in seconds are the team's clock."""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from orchestrator.domain.injects import Expectation
from orchestrator.injects.messages import MessageView
from orchestrator.injects.reading import InjectView, TeamState


class InjectTeamOut(BaseModel):
    """Where an inject of a team is.

    `state` is `planned`, `held`, `undecided` (it came too late: fire or skip it), `firing`,
    `fired`, `skipped` or `failed`; `detail` says why.
    """

    team: str = Field(examples=["team-1"])
    state: str = Field(examples=["planned"])
    due_seconds: float | None = Field(examples=[2100])
    at_seconds: float | None = Field(examples=[None])
    times: int = Field(examples=[0])
    detail: str
    expectation: Expectation | None


class InjectOut(BaseModel):
    """An inject, and where it is for each team."""

    inject: str = Field(examples=["ransom_note"])
    title: str
    trigger: str = Field(examples=["at"])
    actions: list[str] = Field(examples=[["message"]])
    script: str
    teams: list[InjectTeamOut]


class DoneOut(BaseModel):
    """The teams for which something was done."""

    teams: list[str] = Field(examples=[["team-1", "team-2"]])


class ReplyOut(BaseModel):
    """What somebody answered."""

    user: str
    text: str
    at: datetime
    elapsed_seconds: float


class MessageFileOut(BaseModel):
    """A file of a message, with its number in the address; `size` in bytes, null for a template."""

    number: int = Field(examples=[1])
    name: str = Field(examples=["press release.pdf"])
    size: int | None = Field(examples=[48213])


class MessageOut(BaseModel):
    """A message to a team; `to` is a role, or `all`.

    `reply_until_seconds` is null when no reply is expected; `expectation` says what came of it.
    """

    id: int
    team: str
    sender: str = Field(examples=["Duty officer"])
    to: str = Field(examples=["all"])
    text: str
    files: list[MessageFileOut]
    at: datetime
    elapsed_seconds: float
    reply_until_seconds: float | None
    expectation: Expectation | None
    replies: list[ReplyOut]


def inject_out(view: InjectView) -> InjectOut:
    """Return an inject as clients see it."""
    return InjectOut(
        inject=view.inject,
        title=view.title,
        trigger=view.trigger,
        actions=list(view.actions),
        script=view.script,
        teams=[_team_out(state) for state in view.teams],
    )


def _team_out(state: TeamState) -> InjectTeamOut:
    return InjectTeamOut(
        team=state.team,
        state=state.state,
        due_seconds=_seconds(state.due),
        at_seconds=_seconds(state.at),
        times=state.times,
        detail=state.detail,
        expectation=state.expectation,
    )


def message_out(view: MessageView) -> MessageOut:
    """Return a message as clients see it."""
    return MessageOut(
        id=view.id,
        team=view.team,
        sender=view.sender,
        to=view.to,
        text=view.text,
        files=[
            MessageFileOut(number=number, name=file.name, size=file.size)
            for number, file in enumerate(view.files, 1)
        ],
        at=view.at,
        elapsed_seconds=view.elapsed.total_seconds(),
        reply_until_seconds=_seconds(view.deadline),
        expectation=view.expectation,
        replies=[
            ReplyOut(
                user=reply.name,
                text=reply.text,
                at=reply.at,
                elapsed_seconds=reply.elapsed.total_seconds(),
            )
            for reply in view.replies
        ],
    )


def _seconds(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds()
