"""One person's session in a host: a process, and whoever is attached to it meanwhile."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.background import spawn
from core.errors import Fault, PoligonError
from orchestrator.ports import EngineRefusedError, EngineUnavailableError, HostGoneError, full
from orchestrator.terminal.commands import NO_SLOTS
from orchestrator.terminal.ending import CANNOT_SERVE, End, outcome
from orchestrator.terminal.guest import Guest, NoTerminalError
from orchestrator.terminal.intake import Intake
from orchestrator.terminal.listening import Listener
from orchestrator.terminal.pace import Pace
from orchestrator.terminal.printable import bare
from orchestrator.terminal.pulse import Pulse
from orchestrator.terminal.showing import Client, Showing
from orchestrator.terminal.sizing import Sizing
from orchestrator.terminal.stream import ExecStream, TerminalSize
from orchestrator.terminal.surroundings import Surroundings
from orchestrator.terminal.visit import Visit
from orchestrator.terminal.watching import Event, Resized, Shown, Watcher

_END_OF_TRANSMISSION = b"\x04"
_LEAVING = frozenset({b"\x03", _END_OF_TRANSMISSION})


class Session:
    """Carries bytes between a process and who is attached, and leaves nothing of a cut-off one.

    `run` serves it; the other methods may be called at any time, also before and after.
    """

    def __init__(
        self, visit: Visit, *, around: Surroundings, listeners: Sequence[Listener] = ()
    ) -> None:
        self.visit = visit
        self.pulse = Pulse(around.clock)
        self.kept_since: datetime | None = None
        self._around = around
        self._showing = Showing(visit, listeners=listeners, pulse=self.pulse)
        self._intake = Intake()
        self._sizing = Sizing(visit.size)
        self._pace = Pace(around.limits, is_terminal=visit.size is not None)
        self._cut: asyncio.Future[End] = asyncio.get_running_loop().create_future()
        self._runs = False
        self._has_shown = False
        self._awaits_host = False
        self._keeping: asyncio.TimerHandle | None = None
        self._guests: list[Guest] = []

    async def run(self) -> None:
        """Open, serve and end the session; who is attached is told an exit code at the end."""
        end = await self._enter()
        while end.is_hosts and self._is_worth_waiting:
            end = await self._enter_again(end)
        if self._keeping:
            self._keeping.cancel()
        self._showing.end(end.code, end.sentence)

    @property
    def _is_worth_waiting(self) -> bool:
        waits = bool(self._around.limits.host_wait)
        return waits and self.visit.is_lasting and not self.kept_since and not self._cut.done()

    # The client

    def attach(self, client: Client) -> None:
        """Show to this client, which is the only one."""
        self._showing.attach(client)
        self._intake.attach(client)

    def come_back(self, client: Client, size: TerminalSize) -> None:
        """Give a kept session to this client, with its last screen."""
        assert self._keeping, "it was kept"
        self._keeping.cancel()
        self._keeping = self.kept_since = None
        self.attach(client)
        self._showing.show_again("You are back in the terminal that you left")
        self._showing.audience.marked("the client came back")
        for guest in self._guests:
            self._showing.say(guest.notice)
        self.resized(size)
        self._sizing.nudge()

    def detach(self) -> None:
        """Be without a client: what is lasting goes on for a while, everything else ends."""
        self._showing.detach()
        self._intake.detach()
        keep = self._around.limits.keep
        if not (self.visit.is_lasting and self._runs and keep) or self._cut.done():
            self.end(End())
            return
        self._showing.audience.marked("the client left; the terminal is kept")
        self.kept_since = self._around.clock.now()
        loop = asyncio.get_running_loop()
        self._keeping = loop.call_later(keep.total_seconds(), self.end, End())
        self._around.on_kept(self.visit)

    @property
    def is_kept(self) -> bool:
        """Whether it waits for its person to come back."""
        return self._keeping is not None and not self._cut.done()

    def typed(self, data: bytes) -> None:
        """Take input. While a host is awaited, Ctrl-C and Ctrl-D end the session."""
        if self._awaits_host:
            if data in _LEAVING:
                self.end(End())
            return
        self.pulse.typed(len(data))
        self._showing.audience.input(data)
        self._intake.put(data)

    def typed_eof(self) -> None:
        """Take the end of the input: on a terminal Ctrl-D, else the end of stdin."""
        if self.visit.size:
            self.typed(_END_OF_TRANSMISSION)
        else:
            self._intake.put(None)

    def resized(self, size: TerminalSize) -> None:
        """Give the process's terminal another size."""
        if self.visit.size:
            self._sizing.change(size)
            self._showing.audience.resized(size)

    def hold(self) -> None:
        """Read no more output until `release`: the client does not keep up."""
        self._showing.hold()

    def release(self) -> None:
        """Read output again."""
        self._showing.release()

    def end(self, end: End) -> None:
        """End everything; the first who says so decides how."""
        if not self._cut.done():
            self._cut.set_result(end)

    # Everybody else

    def abandon(self) -> None:
        """Have the client go, after a fault of ours that ended `run`."""
        self._showing.end(CANNOT_SERVE, "")

    def cut(self, sentence: str) -> None:
        """End everything and tell why."""
        self.end(End(sentence=sentence))

    def say(self, sentence: str) -> None:
        """Show a line to the client and everybody who watches."""
        self._showing.say(sentence)

    def watch(self) -> Watcher:
        """Return a watcher, who is shown the last screen first."""
        watcher = Watcher(now=self._as_it_stands, leave=self._showing.audience.remove)
        self._showing.audience.add(watcher)
        if self._showing.ended_with is not None:
            watcher.ended(self._showing.ended_with)
        return watcher

    def join(self, name: str) -> Guest:
        """Let one of the staff type, after everybody there was told; raises NoTerminalError."""
        if not self.visit.size:
            raise NoTerminalError("this session has no terminal that one could join")
        guest = Guest(bare(name), self)
        self._guests.append(guest)
        return guest

    def typed_by_guest(self, data: bytes) -> None:
        """Take a guest's input, unless the process does not keep up."""
        if not self._intake.is_full:
            self.typed(data)

    def left_by(self, guest: Guest) -> None:
        """Know one guest less."""
        self._guests.remove(guest)

    def _as_it_stands(self) -> tuple[Event, ...]:
        screen = self._showing.screen
        if not screen or not self._sizing.size:
            return ()
        return (Resized(self._sizing.size), Shown(screen.again()))

    # The process

    async def _enter(self) -> End:
        """Start the process when it is this session's turn, and serve it to its end."""
        async with self._around.turns.taken(self._tell_turn):
            if self._cut.done():
                return self._cut.result()
            if self.visit.greeting and self.visit.size:
                self._showing.greet(self.visit.greeting)
            try:
                stream = await self._open()
            except PoligonError as error:
                return self._failed(error)
        return await self._serve(stream)

    def _failed(self, error: PoligonError) -> End:
        """Return the end by an error, and tell of it when it is the range's and not theirs."""
        if error.fault in {Fault.UPSTREAM, Fault.CONFLICT}:
            self._around.chronicle.not_served(self.visit, error)
        return End(sentence=str(error))

    def _tell_turn(self, ahead: int) -> None:
        if self.visit.size and not self._cut.done():
            self._showing.say(f"connecting: {ahead} before you")

    async def _enter_again(self, end: End) -> End:
        """Wait until the host runs again, enter it and serve it to its end."""
        host = self.visit.host.host
        self._showing.tidy()
        self._showing.say(f"{host} stopped or is being reset; waiting for it, Ctrl-C leaves")
        self._awaits_host = True
        try:
            stream = await self._await_host(end)
        except PoligonError as error:
            return self._failed(error)
        finally:
            self._awaits_host = False
        if isinstance(stream, End):
            return stream
        self._intake.forget()
        self._sizing.repeat()
        self._showing.say(f"{host} runs again; this is a new login")
        return await self._serve(stream)

    async def _await_host(self, end: End) -> ExecStream | End:
        """Return a process in the host, or how the session ends; raises PoligonError.

        Opening is never given up half-way: a process that started then would be nobody's.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._around.limits.host_wait.total_seconds()
        while loop.time() < deadline and not self._cut.done():
            await asyncio.wait({self._cut}, timeout=self._around.limits.host_look.total_seconds())
            await self._around.admit(self.visit)
            with contextlib.suppress(HostGoneError, EngineRefusedError, EngineUnavailableError):
                async with self._around.turns.taken():
                    if not self._cut.done():
                        return await self._open()
        return self._cut.result() if self._cut.done() else replace(end, is_hosts=False)

    async def _open(self) -> ExecStream:
        visit = self.visit
        return await self._around.engine.open(
            visit.host,
            visit.command,
            account=visit.account,
            environment=visit.variables,
            size=self._sizing.size,
        )

    async def _serve(self, stream: ExecStream) -> End:
        self._runs = True
        self._has_shown = False
        showing = spawn(self._show(stream))
        typing = self._intake.feed(stream, ready=self._sizing.told)
        helping = [spawn(typing), spawn(self._sizing.follow(stream))]
        end = None
        try:
            ends: set[asyncio.Future[Any]] = {showing, self._cut}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if showing.done():
                showing.result()
            end = await outcome(stream, cut=self._cut)
            return end or self._cut.result()
        except HostGoneError as error:
            end = End(sentence=str(error), is_hosts=not self._cut.done())
            return end
        except PoligonError as error:
            return self._failed(error)
        finally:
            self._runs = False
            for task in (showing, *helping):
                task.cancel()
            if not end or self._cut.done():
                self._reap(stream)
            stream.close()

    def _reap(self, stream: ExecStream) -> None:
        """Leave nothing of a process that is not known to have ended.

        Of one that went with its host there is nothing; the next one there has the same id.
        """
        visit = self.visit
        starting = None if self._has_shown else stream
        self._around.reaper.reap(visit.host, visit.account, visit.id, starting)

    async def _show(self, stream: ExecStream) -> None:
        """Show output, a piece when the client took the last one and others had their turn."""
        while chunk := await stream.read():
            if not self._has_shown and NO_SLOTS.encode() in chunk.data:
                self._around.chronicle.not_served(self.visit, full(self.visit.host))
            self._has_shown = True
            await self._showing.ready()
            self._showing.output(chunk.data, error=chunk.error)
            await self._pace.after(len(chunk.data))
