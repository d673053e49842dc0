"""The sessions that are live now."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from core.background import spawn
from core.clock import Clock
from orchestrator.domain.world import WorldKey
from orchestrator.terminal.attachment import Attachment
from orchestrator.terminal.chronicle import SessionChronicle
from orchestrator.terminal.limits import TerminalLimits
from orchestrator.terminal.pulse import Pulse
from orchestrator.terminal.reaper import Reaper
from orchestrator.terminal.session import Session
from orchestrator.terminal.showing import Client
from orchestrator.terminal.stream import TerminalEngine
from orchestrator.terminal.surroundings import Surroundings
from orchestrator.terminal.turns import Turns
from orchestrator.terminal.visit import Admit, Visit

_log = structlog.get_logger()

# One engine starts about 20 processes a second however many are asked for at once; more in flight
# only makes every login wait for all of them.
_OPENS_AT_ONCE = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSession:
    """A session that is waiting, running, kept or ending, and since when."""

    session: Session
    since: datetime

    @property
    def visit(self) -> Visit:
        """Who does what where."""
        return self.session.visit

    @property
    def pulse(self) -> Pulse:
        """When something was typed and shown, and how much."""
        return self.session.pulse

    @property
    def kept_since(self) -> datetime | None:
        """Since when its client is gone; None while one is attached."""
        return self.session.kept_since


class LiveSessions:
    """Every session of this process: opened here, found here, ended here."""

    def __init__(
        self,
        engine: TerminalEngine,
        *,
        clock: Clock,
        admit: Admit,
        chronicle: SessionChronicle,
        limits: TerminalLimits | None = None,
    ) -> None:
        """Ask `chronicle` who hears a new session, and `admit` before a host is entered again."""
        self._clock = clock
        self._chronicle = chronicle
        self._limits = limits or TerminalLimits()
        self._reaper = Reaper(engine)
        self._turns = Turns(_OPENS_AT_ONCE)
        self._around = Surroundings(
            engine=engine,
            reaper=self._reaper,
            turns=self._turns,
            clock=clock,
            admit=admit,
            on_kept=self._keep,
            chronicle=chronicle,
            limits=self._limits,
        )
        self._live: dict[str, LiveSession] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._closed = ""
        self._bytes_shown_before = 0

    def __iter__(self) -> Iterator[LiveSession]:
        return iter(tuple(self._live.values()))

    @property
    def waiting(self) -> int:
        """How many sessions wait for their turn at the engine."""
        return self._turns.waiting

    @property
    def bytes_shown(self) -> int:
        """How much processes have shown since the start."""
        return self._bytes_shown_before + sum(live.pulse.bytes_shown for live in self)

    def find(self, id_: str) -> LiveSession | None:
        """Return the live session with this id."""
        return self._live.get(id_)

    def of_person(self, name: str) -> list[LiveSession]:
        """Return somebody's sessions, the oldest first."""
        return [live for live in self if live.visit.person == name]

    def of_team(self, world: WorldKey) -> list[LiveSession]:
        """Return the sessions in a team's world, the oldest first."""
        return [live for live in self if live.visit.host.world == world]

    def keeps(self, visit: Visit) -> bool:
        """Tell whether `join` would give back a session that was kept."""
        return self._kept_for(visit) is not None

    def join(self, visit: Visit, client: Client) -> Attachment:
        """Return a hold on a session that is listed and served from now on.

        It is the one that was kept for this person last, or a new one.
        """
        if visit.size and (kept := self._kept_for(visit)):
            kept.come_back(client, visit.size)
            _log.info("session.resumed", session=kept.visit.id, login=visit.login)
            return Attachment(kept)
        session = Session(visit, around=self._around, listeners=self._chronicle.begun(visit))
        session.attach(client)
        self._live[visit.id] = LiveSession(session=session, since=self._clock.now())
        self._empty.clear()
        if self._closed:
            session.cut(self._closed)
        _ = spawn(self._serve(session))
        return Attachment(session)

    @property
    def is_closed(self) -> bool:
        """Whether new sessions end at once."""
        return bool(self._closed)

    async def close(
        self, sentence: str, *, drain: timedelta = timedelta(), warning: str = ""
    ) -> None:
        """End every session, telling each why; returns when nothing of them is left in a host.

        Who is attached has the time of `drain` to end by themselves, is warned on a terminal, and
        is cut earlier by `cut`. New sessions end at once.
        """
        self._closed = sentence
        for live in self:
            if live.session.is_kept:
                live.session.cut(sentence)
            elif drain and live.visit.size:
                live.session.say(warning)
        with suppress(TimeoutError):
            async with asyncio.timeout(drain.total_seconds()):
                await self._empty.wait()
        self.cut(sentence)
        await self._empty.wait()
        await self._reaper.finish()

    def cut(self, sentence: str) -> None:
        """End every session that is live now, telling each why."""
        for live in self:
            live.session.cut(sentence)

    async def _serve(self, session: Session) -> None:
        visit = session.visit
        log = _log.bind(
            session=visit.id,
            login=visit.login,
            exercise=visit.host.world.exercise,
            team=visit.host.world.team,
            host=visit.host.host,
        )
        log.info("session.started", terminal=visit.size is not None)
        try:
            await session.run()
        except Exception:  # the outermost loop of a session: its client must not hang
            log.exception("session.crashed")
            session.abandon()
        finally:
            del self._live[visit.id]
            self._bytes_shown_before += session.pulse.bytes_shown
            if not self._live:
                self._empty.set()
        log.info("session.ended")

    def _kept_for(self, visit: Visit) -> Session | None:
        mine = [live for live in self._kept_of(visit) if visit.resumes(live.visit)]
        return mine[-1].session if mine else None

    def _keep(self, visit: Visit) -> None:
        """Let the oldest go of what is kept for a person beyond what is allowed."""
        if self._closed:
            self._live[visit.id].session.cut(self._closed)
            return
        kept = self._kept_of(visit)
        for live in kept[: max(0, len(kept) - self._limits.kept_per_person)]:
            live.session.cut("")

    def _kept_of(self, visit: Visit) -> list[LiveSession]:
        """Return what is kept for a person, what was left last at the end."""
        kept = [live for live in self.of_person(visit.person) if live.session.is_kept]
        return sorted(kept, key=lambda live: live.kept_since or live.since)
