"""How the API and the command line ask gateways.

Each has an inner door: a unix socket, in a folder that is this user's alone.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

from websockets.asyncio.client import ClientConnection

from core.errors import Fault, PoligonError
from orchestrator.gateway.doors import Door, Doors
from orchestrator.gateway.facts import GatewayFacts
from orchestrator.gateway.inner_line import GatewayAwayError, ask, asking, away, listed
from orchestrator.gateway.inner_words import (
    Drain,
    End,
    Enter,
    Join,
    List,
    Listed,
    Looked,
    Refused,
    Request,
    Say,
    SessionFacts,
    Status,
    Told,
    Watch,
)


class TerminalClosedError(PoligonError):
    """The terminal is not open any more, or never was."""

    code = "terminal.closed"
    fault = Fault.MISSING


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that was open a moment ago, and the door of the gateway that has it."""

    facts: SessionFacts
    door: Door

    async def end(self, *, sentence: str, by: str) -> None:
        """End it with a sentence; raises TerminalClosedError, GatewayAwayError."""
        await self._told(End(session=self.facts.id, sentence=sentence, by=by))

    async def say(self, sentence: str) -> None:
        """Show a sentence on its terminal; raises TerminalClosedError, GatewayAwayError."""
        await self._told(Say(session=self.facts.id, sentence=sentence))

    def watched(self) -> AbstractAsyncContextManager[ClientConnection]:
        """Lend a connection on which it is seen; raises GatewayAwayError."""
        return asking(self.door, Watch(session=self.facts.id))

    def joined(self, name: str) -> AbstractAsyncContextManager[ClientConnection]:
        """Lend a connection on which it is seen and typed in by somebody of that name.

        Raises GatewayAwayError.
        """
        return asking(self.door, Join(session=self.facts.id, name=name))

    async def _told(self, request: End | Say) -> None:
        answer = await ask(self.door, request)
        if isinstance(answer, Refused):
            raise TerminalClosedError(answer.sentence)


class Gateways:
    """Every gateway that has one of these doors."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors

    async def sessions(self) -> tuple[SessionFacts, ...]:
        """Return the sessions of all gateways, oldest first; none when no gateway answers."""
        found = [facts for _, of in await self._all() for facts in of.sessions]
        return tuple(sorted(found, key=lambda facts: (facts.since, facts.id)))

    async def status(self) -> tuple[GatewayFacts, ...]:
        """Return what is to know of every gateway that answers, the oldest first."""
        answers = [answer for _, answer in await _each(await self._doors.found(), Status())]
        found = [answer.facts for answer in answers if isinstance(answer, Looked)]
        return tuple(sorted(found, key=lambda facts: (facts.since, facts.name)))

    async def drain(self, *, within: timedelta, names: Collection[str] = ()) -> tuple[str, ...]:
        """Have gateways take nobody new and end; return the names of those that will.

        Those of this machine, when none is named. `within` is how long sessions may go on.
        """
        doors = [
            door
            for door in await self._doors.found()
            if (door.name in names if names else door.is_near)
        ]
        asked = await _each(doors, Drain(seconds=within.total_seconds()))
        return tuple(door.name for door, _ in asked)

    async def find(self, session: str) -> OpenSession:
        """Return an open session; raises TerminalClosedError, GatewayAwayError."""
        answering = await self._all()
        if not answering:
            raise away()
        for door, of in answering:
            for facts in of.sessions:
                if facts.id == session:
                    return OpenSession(facts, door)
        raise TerminalClosedError("this terminal is not open any more")

    @contextlib.asynccontextmanager
    async def entering(self, request: Enter) -> AsyncIterator[ClientConnection]:
        """Lend a connection on which a trainee's terminal follows; raises GatewayAwayError."""
        async with asking(await self._holder(request), request) as connection:
            yield connection

    async def _holder(self, request: Enter) -> Door:
        """Return the gateway with the page's session, or with one that is kept for it.

        Else it is the one with the fewest sessions of those that take somebody new, on this
        machine if there is one: another one's may have another engine.
        """
        taking = [(door, of) for door, of in await self._all() if not of.draining]
        if not taking:
            raise away()
        mine = [
            (facts.id != request.session, facts.attached, door)
            for door, of in taking
            for facts in of.sessions
            if facts.person == request.login and facts.terminal and request.host in {"", facts.host}
        ]
        # One that is kept before one that is open in another window.
        if mine:
            return min(mine, key=lambda found: found[:2])[2]
        return min(taking, key=lambda found: (not found[0].is_near, len(found[1].sessions)))[0]

    async def _all(self) -> list[tuple[Door, Listed]]:
        doors = await self._doors.found()
        found = await asyncio.gather(*(listed(door, List()) for door in doors))
        return [(door, of) for door, of in zip(doors, found, strict=True) if of is not None]


async def _each(doors: Sequence[Door], request: Request) -> list[tuple[Door, Told]]:
    """Return what is answered at each door, without those where nobody answers."""
    found = await asyncio.gather(*(ask(door, request) for door in doors), return_exceptions=True)
    paired = list(zip(doors, found, strict=True))
    for _, answer in paired:
        if isinstance(answer, BaseException) and not isinstance(answer, GatewayAwayError):
            raise answer
    return [(door, answer) for door, answer in paired if not isinstance(answer, BaseException)]
