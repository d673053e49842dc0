"""The open terminals of an exercise."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, status
from pydantic import BaseModel, ConfigDict, Field

from api.auth import Instructor, ServicesHere
from api.responses import RESPONSES
from api.terminals import Signal, Terminal, end_terminal, terminals_of
from api.v1.exercises import ExerciseHere

router = APIRouter(tags=["exercises"], responses=RESPONSES)


class TerminalOut(BaseModel):
    """An open terminal: whose, where, since when, and what it looks like.

    `attached` is false while it is kept for somebody whose connection is gone. `signal` is `stuck`
    when a minute after something was typed nothing was shown: a program that hangs, or a long one.
    """

    id: str = Field(examples=["5k1t0cvp3w9q"])
    login: str = Field(examples=["team-1-k3f"])
    team: str = Field(examples=["team-1"])
    host: str = Field(examples=["desk"])
    account: str = Field(examples=["ana"])
    since: datetime
    idle_seconds: float = Field(examples=[42.5])
    attached: bool
    signal: Signal


class EndIn(BaseModel):
    """What its trainee is told."""

    model_config = ConfigDict(extra="forbid")
    sentence: str = Field(
        min_length=1, max_length=500, examples=["Your instructor needs this host for a moment"]
    )


@router.get("/exercises/{name}/terminals")
async def list_terminals(
    exercise: ExerciseHere, _caller: Instructor, services: ServicesHere
) -> list[TerminalOut]:
    """Return the terminals that are open now, of every gateway that is found."""
    return [_shown(terminal) for terminal in await terminals_of(services, exercise)]


@router.post("/exercises/{name}/terminals/{session}/end", status_code=status.HTTP_204_NO_CONTENT)
async def end(
    session: Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")],
    sent: EndIn,
    caller: Instructor,
    exercise: ExerciseHere,
    services: ServicesHere,
) -> None:
    """End a terminal and every process in it; its trainee is told the sentence."""
    await end_terminal(services, exercise, session, sentence=sent.sentence, by=caller)


def _shown(terminal: Terminal) -> TerminalOut:
    facts = terminal.facts
    return TerminalOut(
        id=facts.id,
        login=facts.login,
        team=facts.team,
        host=facts.host,
        account=facts.account,
        since=facts.since,
        idle_seconds=facts.idle,
        attached=facts.attached,
        signal=terminal.signal,
    )
