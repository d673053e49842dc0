"""The sessions that are live now."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from orchestrator.terminal.reaper import Reaper
from orchestrator.terminal.session import Client, Session, Visit
from orchestrator.terminal.stream import TerminalEngine

# One engine starts about 20 processes a second however many are asked for at once; more in flight
# only makes every login wait for all of them.
_OPENS_AT_ONCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that is waiting, running or ending, and since when."""

    session: Session
    since: datetime

    @property
    def visit(self) -> Visit:
        """Who does what where."""
        return self.session.visit


class LiveSessions:
    """Every session of this process: opened here, found here, ended here."""

    def __init__(self, engine: TerminalEngine, *, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._reaper = Reaper(engine)
        self._turns = asyncio.Semaphore(_OPENS_AT_ONCE)
        self._live: dict[str, LiveSession] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = ""

    def __iter__(self) -> Iterator[LiveSession]:
        return iter(tuple(self._live.values()))

    def join(self, visit: Visit, client: Client) -> Session:
        """Return a session that is listed from now on; `serve` must follow."""
        session = Session(
            visit, client=client, engine=self._engine, reaper=self._reaper, turns=self._turns
        )
        self._live[visit.id] = LiveSession(session=session, since=self._clock.now())
        self._empty.clear()
        if self._closed:
            session.cut(self._closed)
        return session

    async def serve(self, session: Session) -> None:
        """Return when the session has ended."""
        try:
            await session.run()
        finally:
            del self._live[session.visit.id]
            if not self._live:
                self._empty.set()

    async def close(self, sentence: str) -> None:
        """End every session, telling each why; returns when nothing of them is left in a host."""
        self._closed = sentence
        for live in self:
            live.session.cut(sentence)
        await self._empty.wait()
        await self._reaper.finish()
