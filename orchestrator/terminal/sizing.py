"""The size of a process's terminal, which follows its client's."""

import asyncio
from dataclasses import replace

from core.errors import PoligonError
from orchestrator.ports import EngineRefusedError
from orchestrator.terminal.stream import ExecStream, TerminalSize

_TRIES = 20
_PAUSE_SECONDS = 0.05


class Sizing:
    """The wanted size, and whether the process knows it. Without a size it has no terminal."""

    def __init__(self, size: TerminalSize | None) -> None:
        self.size = size
        self._is_nudge = False
        self._changed = asyncio.Event()
        self._is_told = asyncio.Event()
        self._is_told.set()
        self.repeat()

    def change(self, size: TerminalSize) -> None:
        """Want another size."""
        self.size = size
        self._change()

    def nudge(self) -> None:
        """Have a full-screen program paint all again: it does when the size changes, only then."""
        self._is_nudge = True
        self._change()

    def repeat(self) -> None:
        """Tell the size to a process that does not know it."""
        if self.size:
            self._change()

    async def told(self) -> None:
        """Return when the process knows the size, or will not be told it any more."""
        await self._is_told.wait()

    async def follow(self, stream: ExecStream) -> None:
        """Tell a process every size; runs until it is cancelled or the process is gone."""
        try:
            while True:
                await self._changed.wait()
                self._changed.clear()
                await self._tell(stream)
                if not self._changed.is_set():
                    self._is_told.set()
        except PoligonError:
            return  # the host or the engine went; the output's end tells the client
        finally:
            self._is_told.set()

    def _change(self) -> None:
        self._is_told.clear()
        self._changed.set()

    async def _tell(self, stream: ExecStream) -> None:
        if self._is_nudge and self.size:
            self._is_nudge = False
            await _resize(stream, replace(self.size, rows=max(1, self.size.rows - 1)))
            await asyncio.sleep(_PAUSE_SECONDS)
        if self.size:
            await _resize(stream, self.size)


async def _resize(stream: ExecStream, size: TerminalSize) -> None:
    """Resize; a process that is only just starting refuses (moby 31223)."""
    for _ in range(_TRIES):
        try:
            await stream.resize(size)
        except EngineRefusedError:
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return
