"""What a command shows without a terminal, for its recording."""

from orchestrator.terminal.recorder import Recorder
from orchestrator.terminal.stream import TerminalSize

_MOST_BYTES = 1_000_000
_NO_TEXT = "recording stopped: what follows is no text"
_TOO_MUCH = "recording stopped: a command's first megabyte is kept"


class CommandOutput:
    """Passes a command's output on to a recorder as a terminal would show it.

    No limit of rate slows a command down, so the first megabyte is enough, and nothing after a NUL:
    archives and protocols pass through commands, too.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._left = _MOST_BYTES
        self._is_over = False

    def output(self, data: bytes, *, error: bool = False) -> None:
        """Record what is shown, stderr where it came."""
        if self._is_over:
            return
        if b"\0" in data:
            self._stop(_NO_TEXT)
            return
        kept, self._left = data[: self._left], self._left - len(data)
        self._recorder.output(kept.replace(b"\n", b"\r\n"), error=error)
        if self._left < 0:
            self._stop(_TOO_MUCH)

    def _stop(self, label: str) -> None:
        self._is_over = True
        self._recorder.marked(label)

    def input(self, data: bytes) -> None:
        """Take no notice: it is files more often than keys."""

    def resized(self, size: TerminalSize) -> None:
        """Take no notice."""

    def ran(self, line: str) -> None:
        """Take no notice."""

    def marked(self, label: str) -> None:
        """Record the event."""
        self._recorder.marked(label)

    def ended(self, code: int) -> None:
        """Complete the recording."""
        self._recorder.ended(code)
