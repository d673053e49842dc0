"""What a session shows: to its client while it has one, to its listeners, to the last screen."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from orchestrator.terminal.intake import Typist
from orchestrator.terminal.listening import Audience, Listener
from orchestrator.terminal.printable import bare
from orchestrator.terminal.pulse import Pulse
from orchestrator.terminal.screen import Screen
from orchestrator.terminal.shell_hook import HookReader
from orchestrator.terminal.visit import Visit


class Client(Typist, Protocol):
    """The person's end: an SSH channel, a WebSocket. Calls on a broken one do nothing."""

    def write(self, data: bytes) -> None:
        """Show output."""
        ...

    def write_error(self, data: bytes) -> None:
        """Show output of stderr."""
        ...

    def exit(self, code: int) -> None:
        """Tell how the process ended, and end."""
        ...


class Showing:
    """Where the output of one session goes."""

    def __init__(self, visit: Visit, *, listeners: Iterable[Listener], pulse: Pulse) -> None:
        self.audience = Audience(listeners)
        self.screen = Screen() if visit.size else None
        self._hook = HookReader(visit.id) if visit.is_hooked else None
        self._pulse = pulse
        self._client: Client | None = None
        self.ended_with: int | None = None
        self._ready = asyncio.Event()
        self._ready.set()

    def attach(self, client: Client) -> None:
        """Show to this client from now on."""
        self._client = client

    def detach(self) -> None:
        """Show to no client."""
        self._client = None
        self._ready.set()

    def hold(self) -> None:
        """Be not ready: the client does not keep up."""
        self._ready.clear()

    def release(self) -> None:
        """Be ready again."""
        self._ready.set()

    async def ready(self) -> None:
        """Return when the client can be shown more."""
        await self._ready.wait()

    def output(self, data: bytes, *, error: bool = False) -> None:
        """Show what the process wrote, and tell what its shell's hook says."""
        self._pulse.shown(len(data))
        for piece in self._hook.take(data) if self._hook else (data,):
            if isinstance(piece, str):
                self.audience.ran(piece)
            else:
                self._show(piece, error=error)

    def greet(self, line: str) -> None:
        """Show a line before everything else."""
        self._show(f"{line}\r\n".encode())

    def say(self, sentence: str) -> None:
        """Show a line of the session itself, and mark it."""
        words = bare(sentence)
        line = f"\r\n[{words}]\r\n" if self.screen else f"{words}\n"
        self._show(line.encode(), error=self.screen is None)
        self.audience.marked(words)

    def show_again(self, sentence: str) -> None:
        """Bring the client to the last screen, and say the sentence where it does not disturb."""
        if not self._client or not self.screen:
            return
        line = f"[{bare(sentence)}]\r\n".encode()
        if self.screen.is_alternate:
            self._client.write(line + self.screen.again())
        else:
            self._client.write(self.screen.again() + b"\r\n" + line)

    def tidy(self) -> None:
        """Leave a full-screen program's screen and modes, which it can no longer do itself."""
        if self._hook and (held := self._hook.rest()):
            self._show(held)
        if self.screen and (tidied := self.screen.tidied()):
            self._show(tidied)

    def end(self, code: int, sentence: str) -> None:
        """Show how it ended; nothing follows."""
        self.tidy()
        if sentence:
            line_end = "\r\n" if self.screen else "\n"
            line = f"{line_end}{sentence}{line_end}".encode()
            if self._client:
                self._client.write_error(line)
            self.audience.output(line, error=True)
            self.audience.marked(bare(sentence))
        if self._client:
            self._client.exit(code)
            self._client = None
        self.audience.ended(code)
        self.ended_with = code

    def _show(self, data: bytes, *, error: bool = False) -> None:
        if self._client:
            (self._client.write_error if error else self._client.write)(data)
        if self.screen:
            self.screen.show(data)
        self.audience.output(data, error=error)
